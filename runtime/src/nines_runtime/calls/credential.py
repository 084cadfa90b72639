"""What a service shows to whom it calls; never printed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable


class Credential:
    """A value for one header: `Bearer` in Authorization unless said otherwise."""

    __slots__ = ("_value", "header", "scheme")

    def __init__(self, value: str, *, header: str = "authorization", scheme: str = "Bearer") -> None:
        if any(ord(each) < 0x20 or ord(each) == 0x7F for each in value):
            raise ValueError("a credential holds a control character; a line feed at the end of its file?")
        self._value = value
        self.header = header
        self.scheme = scheme if header.lower() == "authorization" else ""

    def __repr__(self) -> str:
        return f"Credential([redacted], header={self.header!r})"

    def reveal(self) -> str:
        return self._value

    def shown(self) -> str:
        """The header's value."""
        return f"{self.scheme} {self._value}" if self.scheme else self._value


TakesCredential = Callable[[], Awaitable[Credential]]
"""Called before each attempt, for a credential that changes; it keeps what it knows. Where it has a method `refused`,
that is called when the credential was not accepted."""

"""How a verb tells the person who waits what it is doing."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Shown on standard error by the command line, as notifications by other faces."""

    def stage(self, name: str, duration_s: float = 0.0) -> None:
        """A new stage begins; `duration_s` is how long it usually takes, 0 when nobody knows."""
        ...

    def plan(self, remaining_s: float) -> None:
        """How long everything that is still to come should take."""
        ...

    def note(self, text: str) -> None:
        """One line that should stay visible."""
        ...


class Silent:
    """Tells nobody."""

    def stage(self, name: str, duration_s: float = 0.0) -> None: ...

    def plan(self, remaining_s: float) -> None: ...

    def note(self, text: str) -> None: ...

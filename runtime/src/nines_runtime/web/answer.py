"""What an operation answers with: bytes that are ready to be sent."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import msgspec

Header = tuple[bytes, bytes]
REPLAYED: Header = (b"idempotency-replayed", b"true")
"""Of an answer that was given before, to the same key."""
_encode = msgspec.json.Encoder().encode


@lru_cache(maxsize=64)
def _cache_control(value: str) -> Header:
    return b"cache-control", value.encode("latin-1")


def ceil_s(seconds: float) -> bytes:
    """Whole seconds for Retry-After; never earlier than was meant."""
    return b"%d" % max(1, math.ceil(seconds))


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    status: int = 200
    body: bytes = b""
    media_type: str = "application/json"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    """Names in lower case."""

    @classmethod
    def of(
        cls,
        value: Any,
        *,
        status: int = 200,
        version: int | None = None,
        location: str = "",
        cache: str = "no-store",
        fields: tuple[str, ...] = (),
        retry_after_s: float | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> Answer:
        """`value` (a msgspec Struct) as JSON; `version` becomes a strong ETag; `fields` leaves out all other members
        but `id` (sparse fieldset)."""
        found = [_cache_control(cache), *headers]
        if version is not None:
            found.append((b"etag", b'"%d"' % version))
        if location:
            found.append((b"location", location.encode("ascii")))
        if retry_after_s is not None:
            found.append((b"retry-after", ceil_s(retry_after_s)))
        return cls(status=status, body=_encode(sparse(value, fields) if fields else value), headers=tuple(found))

    @classmethod
    def nothing(cls, *, status: int = 204) -> Answer:
        """Without a body."""
        return cls(status=status, media_type="")

    def header(self, name: bytes) -> bytes | None:
        for each, value in self.headers:
            if each == name:
                return value
        return None


def sparse(value: Any, fields: tuple[str, ...]) -> dict[str, Any]:
    """The members that were asked for, and `id`."""
    members: dict[str, Any] = msgspec.to_builtins(value)
    return {name: member for name, member in members.items() if name in fields or name == "id"}

"""Cuts a PostgreSQL byte stream into messages without ever holding a big one."""

from __future__ import annotations

import struct
from collections.abc import Callable

from nines.lab.record.wire import Unreadable

KEPT_BYTES_MAX = 64 * 1024
"""The beginning of a message that is looked at; the rest of a longer one is skimmed."""
_HEADER = struct.Struct("!BI")


class Frames:
    """One direction of the v3 protocol after start-up: a type byte, a length that counts itself, a payload.

    `take(type, payload)` is called for each message whose type is in `wanted`, its payload cut at KEPT_BYTES_MAX.
    Messages of type `counted` are only counted, in `count`."""

    def __init__(self, wanted: bytes, take: Callable[[int, bytes], None], *, counted: bytes = b"") -> None:
        self.count = 0
        self._wanted = frozenset(wanted)
        self._counted = counted[0] if counted else -1
        self._take = take
        self._head = b""
        self._type = 0
        self._missing = 0
        self._kept: bytearray | None = None

    @property
    def is_between(self) -> bool:
        """No message has been read in part."""
        return not self._head and not self._missing

    def feed(self, data: bytes) -> None:
        """Reads a chunk; raises Unreadable when this is not the protocol."""
        position, size = 0, len(data)
        if self._missing:
            position = self._continue(data)
        elif self._head:
            data = self._head + data
            size, self._head = len(data), b""
        unpack, wanted, counted = _HEADER.unpack_from, self._wanted, self._counted
        while size - position >= 5:
            type, length = unpack(data, position)
            if length < 4:
                raise Unreadable(f"a message of type {chr(type)!r} has the impossible length {length}")
            start, end = position + 5, position + 1 + length
            if end > size:
                self._begin(type, data, start, end - size)
                return
            position = end
            if type == counted:
                self.count += 1
            elif type in wanted:
                self._take(type, data[start : min(end, start + KEPT_BYTES_MAX)])
        self._head = data[position:]

    def _begin(self, type: int, data: bytes, start: int, missing: int) -> None:
        self._type, self._missing = type, missing
        self._kept = bytearray(data[start : start + KEPT_BYTES_MAX]) if type in self._wanted else None

    def _continue(self, data: bytes) -> int:
        taken = min(self._missing, len(data))
        self._missing -= taken
        if self._kept is not None:
            room = KEPT_BYTES_MAX - len(self._kept)
            self._kept += data[: min(taken, room)]
        if not self._missing:
            kept, self._kept = self._kept, None
            if self._type == self._counted:
                self.count += 1
            elif kept is not None:
                self._take(self._type, bytes(kept))
        return taken

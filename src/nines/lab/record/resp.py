"""Cuts a Redis byte stream (RESP2 and RESP3) into values without holding big ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from nines.lab.record.wire import Unreadable

LINE_BYTES_MAX = 64 * 1024
ITEMS_MAX = 64
"""The first items of a value that are kept; the others are skimmed."""
ITEM_BYTES_MAX = 256
"""The beginning of an item that is kept."""
DEPTH_MAX = 32

_SCALARS = b"+-:_#,("
_BULKS = b"$=!"
_AGGREGATES = b"*~>%|"


@dataclass
class Value:
    """One whole value: its type's sign and its first scalars, in reading order, nested ones included."""

    sign: str
    items: list[bytes] = field(default_factory=list)


class Values:
    """One direction; `take(value)` is called for each whole value.

    `allows_inline`: a line that does not begin with a type's sign is a command of words (RESP's inline form)."""

    def __init__(self, take: Callable[[Value], None], *, allows_inline: bool = False) -> None:
        self._take = take
        self._allows_inline = allows_inline
        self._line = bytearray()
        self._open: list[int] = []
        """How many items each open aggregate still lacks, outermost first."""
        self._value: Value | None = None
        self._missing = 0
        self._item = bytearray()

    @property
    def is_between(self) -> bool:
        """No value has been read in part."""
        return self._value is None and not self._line

    def feed(self, data: bytes) -> None:
        """Reads a chunk; raises Unreadable when this is not RESP."""
        position = 0
        while position < len(data):
            if self._missing:
                position = self._bulk(data, position)
                continue
            if not self._line and data[position] < 0x20 and data[position] not in b"\r\n":
                raise Unreadable("the first byte is a control character, as in TLS")
            end = data.find(b"\n", position)
            stop = len(data) if end < 0 else end + 1
            self._line += data[position:stop]
            position = stop
            if len(self._line) > LINE_BYTES_MAX:
                raise Unreadable("a line without an end")
            if end >= 0:
                line, self._line = bytes(self._line).rstrip(b"\r\n"), bytearray()
                self._read(line)

    def _read(self, line: bytes) -> None:
        sign = line[:1]
        if self._value is None and self._allows_inline and sign not in _known:
            if line.strip():
                self._take(Value("*", [word[:ITEM_BYTES_MAX] for word in line.split()[:ITEMS_MAX]]))
            return
        if not line or sign not in _known:
            raise Unreadable(f"no RESP: {line[:40]!r}")
        if self._value is None:
            self._value = Value(chr(line[0]))
        if sign in _SCALARS:
            self._keep(line[1 : 1 + ITEM_BYTES_MAX])
            self._closed()
        elif sign in _BULKS:
            self._sized(_number(line))
        else:
            self._aggregate(sign, _number(line))

    def _sized(self, size: int) -> None:
        if size < 0:
            self._keep(b"")
            self._closed()
        else:
            self._missing = size + 2
            self._item = bytearray()

    def _aggregate(self, sign: bytes, count: int) -> None:
        items = count * 2 if sign in b"%|" else count
        if sign == b"|":
            # An attribute stands before the value that it speaks of, so one more value must follow.
            items += 1
        if items <= 0:
            self._closed()
            return
        if len(self._open) >= DEPTH_MAX:
            raise Unreadable("RESP values nested too deeply")
        self._open.append(items)

    def _bulk(self, data: bytes, position: int) -> int:
        taken = min(self._missing, len(data) - position)
        room = ITEM_BYTES_MAX - len(self._item)
        # The last two bytes of what is missing are the line's end and no part of the item.
        wanted = min(taken, room, max(self._missing - 2, 0))
        self._item += data[position : position + wanted]
        self._missing -= taken
        if not self._missing:
            self._keep(bytes(self._item))
            self._closed()
        return position + taken

    def _keep(self, item: bytes) -> None:
        assert self._value is not None
        if len(self._value.items) < ITEMS_MAX:
            self._value.items.append(item)

    def _closed(self) -> None:
        while self._open:
            self._open[-1] -= 1
            if self._open[-1]:
                return
            self._open.pop()
        value, self._value = self._value, None
        if value is not None:
            self._take(value)


_known = _SCALARS + _BULKS + _AGGREGATES


def _number(line: bytes) -> int:
    try:
        return int(line[1:])
    except ValueError:
        raise Unreadable(f"no RESP length: {line[:40]!r}") from None

"""Cuts an HTTP/1.1 byte stream into messages (RFC 9112) without holding a body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from nines.lab.record.wire import Unreadable

HEAD_BYTES_MAX = 64 * 1024
"""The longest head, chunk line or trailer that is read."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """The start line and the fields of one message; names in lower case."""

    line: str
    fields: tuple[tuple[str, str], ...]

    def value(self, name: str) -> str | None:
        """The last field of this name."""
        return next((value for key, value in reversed(self.fields) if key == name), None)

    @property
    def is_chunked(self) -> bool:
        coding = self.value("transfer-encoding")
        return coding is not None and coding.lower().rstrip().endswith("chunked")

    @property
    def length(self) -> int | None:
        text = self.value("content-length")
        if text is None:
            return None
        if not text.strip().isdigit():
            raise Unreadable(f"a content-length of {text[:40]!r}")
        return int(text)


class Body(Enum):
    """How the end of a message is known."""

    NONE = "none"
    FRAMED = "framed"
    """By content-length or chunks, as the head says; neither means none for a request."""
    UNTIL_CLOSE = "until close"
    TUNNEL = "tunnel"
    """What follows is no HTTP any more."""


class _State(Enum):
    HEAD = 1
    LENGTH = 2
    CHUNK_LINE = 3
    CHUNK = 4
    CHUNK_END = 5
    TRAILER = 6
    UNTIL_CLOSE = 7
    TUNNEL = 8


class Messages:
    """One direction. `begin(head)` answers how the body is framed; `end(body_bytes)` follows each whole message."""

    def __init__(self, begin: Callable[[Head], Body], end: Callable[[int], None]) -> None:
        self.body_bytes = 0
        self._begin = begin
        self._end = end
        self._state = _State.HEAD
        self._line = bytearray()
        self._missing = 0

    @property
    def is_between(self) -> bool:
        """No message has been read in part."""
        return self._state is _State.HEAD and not self._line

    def tunnel(self) -> None:
        """From here on nothing is read."""
        self._state = _State.TUNNEL

    def feed(self, data: bytes) -> None:
        """Reads a chunk; raises Unreadable when this is not HTTP/1."""
        position = 0
        while position < len(data):
            state = self._state
            if state is _State.HEAD:
                position = self._head(data, position)
            elif state in (_State.LENGTH, _State.CHUNK):
                position = self._skim(data, position)
            elif state in (_State.CHUNK_LINE, _State.CHUNK_END, _State.TRAILER):
                position = self._short_line(data, position)
            else:
                self.body_bytes += len(data) - position
                return

    def close(self) -> None:
        """The connection ended, which ends a message that lasts until then."""
        if self._state is _State.UNTIL_CLOSE:
            self._finish()

    def _head(self, data: bytes, position: int) -> int:
        if not self._line and data[position : position + 1] in (b"\r", b"\n"):
            # Empty lines before a start line are to be ignored (RFC 9112, 2.2).
            return position + 1
        if not self._line and not 0x20 < data[position] < 0x7F:
            raise Unreadable("the first byte is no letter, as in TLS")
        seen = max(len(self._line) - 3, 0)
        before = len(self._line)
        self._line += data[position : position + HEAD_BYTES_MAX]
        end = _head_end(self._line, seen)
        if end < 0:
            if len(self._line) >= HEAD_BYTES_MAX:
                raise Unreadable("an HTTP head without an end")
            return len(data)
        head, self._line = bytes(self._line[:end]), bytearray()
        self._opened(_parse(head))
        return position + end - before

    def _opened(self, head: Head) -> None:
        self.body_bytes = 0
        body = self._begin(head)
        if body is Body.TUNNEL:
            self._state = _State.TUNNEL
        elif body is Body.UNTIL_CLOSE:
            self._state = _State.UNTIL_CLOSE
        elif body is Body.FRAMED and head.is_chunked:
            self._state = _State.CHUNK_LINE
        elif body is Body.FRAMED and head.length:
            self._state, self._missing = _State.LENGTH, head.length
        else:
            self._finish()

    def _skim(self, data: bytes, position: int) -> int:
        taken = min(self._missing, len(data) - position)
        self._missing -= taken
        self.body_bytes += taken
        if not self._missing:
            if self._state is _State.LENGTH:
                self._finish()
            else:
                self._state = _State.CHUNK_END
        return position + taken

    def _short_line(self, data: bytes, position: int) -> int:
        end = data.find(b"\n", position)
        self._line += data[position : end if end >= 0 else len(data)]
        if len(self._line) > HEAD_BYTES_MAX:
            raise Unreadable("a chunk line without an end")
        if end < 0:
            return len(data)
        line, self._line = bytes(self._line).strip(), bytearray()
        if self._state is _State.CHUNK_LINE:
            self._chunk(line)
        elif self._state is _State.CHUNK_END:
            self._state = _State.CHUNK_LINE
        elif not line:
            self._finish()
        return end + 1

    def _chunk(self, line: bytes) -> None:
        digits = line.partition(b";")[0].strip()
        try:
            self._missing = int(digits, 16)
        except ValueError:
            raise Unreadable(f"a chunk of size {digits[:40]!r}") from None
        if self._missing < 0:
            raise Unreadable("a chunk of negative size")
        self._state = _State.CHUNK if self._missing else _State.TRAILER

    def _finish(self) -> None:
        self._state = _State.HEAD
        self._end(self.body_bytes)


def _head_end(data: bytearray, start: int) -> int:
    """Where the head ends, its empty line included; bare line feeds are accepted."""
    ends = [(found, len(mark)) for mark in (b"\r\n\r\n", b"\n\n") if (found := data.find(mark, start)) >= 0]
    return min((found + size for found, size in ends), default=-1)


def _parse(data: bytes) -> Head:
    lines = data.decode("latin-1").splitlines()
    fields = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            fields.append((name.strip().lower(), value.strip()))
    return Head(line=lines[0], fields=tuple(fields))

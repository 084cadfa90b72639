"""Reading one HTTP/1.x answer after another from a connection, whatever the pieces in which they arrive."""

from __future__ import annotations

import httptools
import msgspec

from nines.model.history import Outcome

HEAD_BYTES_MAX = 1024 * 1024
"""An answer's status line and headers may take this much, then it counts as garbage."""
INTERIM_ANSWERS_MAX = 16
"""How many 1xx answers may precede the real one."""

REFUSED = "refused"
RESET = "reset"
TIMEOUT = "timeout"
PROTOCOL = "protocol"

_CONTINUE, _SWITCHING, _OK = 100, 101, 200


class AnswerError(Exception):
    """What arrived is not an HTTP answer; caught by the connection, never seen outside."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back for one request."""

    status: int | None = None
    """As received, even if the answer was cut afterwards; None when no status line came."""
    headers: tuple[tuple[str, str], ...] = ()
    """Names in lower case, in the order of arrival, trailers included."""
    body: bytes = b""
    """At most the limit that was asked for."""
    body_bytes: int = 0
    """How long the body really was."""
    error: str = ""
    """Empty when the answer is complete, else refused, reset, timeout or protocol."""
    detail: str = ""
    """The system's or the parser's own words for the error."""
    was_sent: bool = False
    """Whether a byte of the request may have reached the service."""
    intended_s: float = 0.0
    sent_s: float = 0.0
    ended_s: float = 0.0
    """The three times are of the clock that the client was given."""

    @property
    def is_truncated(self) -> bool:
        return self.body_bytes > len(self.body)

    @property
    def outcome(self) -> Outcome:
        return outcome_of(self.status, self.error, self.was_sent)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def header(self, name: str) -> str:
        """The first header of this name, or ""."""
        lowered = name.lower()
        return next((value for key, value in self.headers if key == lowered), "")


def outcome_of(status: int | None, error: str, was_sent: bool) -> Outcome:
    """How a request ended, as far as its effect is concerned; see Outcome."""
    if error or status is None:
        return Outcome.INDEFINITE if was_sent else Outcome.FAILED
    if status < _OK or status >= 500:
        return Outcome.INDEFINITE
    return Outcome.OK if status < 400 else Outcome.FAILED


class AnswerReader:
    """Reads the answers of one connection: `begin` before each request, then `feed`; `finish` when the stream ends.

    After a complete answer the fields hold it until the next `begin`.
    """

    __slots__ = (
        "_head_bytes",
        "_in_head",
        "_interims",
        "_is_head_request",
        "_parser",
        "_parts",
        "_until_close",
        "body_bytes",
        "body_max",
        "can_reuse",
        "headers",
        "is_complete",
        "status",
    )

    def __init__(self, body_max: int) -> None:
        self.body_max = body_max
        self.begin()

    def begin(self, *, is_head_request: bool = False) -> None:
        """Forgets the last answer and expects the next."""
        # A parser of its own for every answer costs half a microsecond, and no state (a HEAD's missing body, trailers,
        # bytes after a close) can leak from one answer into the next.
        self._parser = httptools.HttpResponseParser(self)
        self._is_head_request = is_head_request
        self._head_bytes = 0
        self._in_head = True
        self._interims = 0
        self._until_close = False
        self._parts: list[bytes] = []
        self.status: int | None = None
        self.headers: list[tuple[bytes, bytes]] = []
        self.body_bytes = 0
        self.can_reuse = False
        self.is_complete = False

    @property
    def body(self) -> bytes:
        parts = self._parts
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def decoded_headers(self) -> tuple[tuple[str, str], ...]:
        """Headers as text, names in lower case; a value that is not UTF-8 is read as Latin-1."""
        return tuple((name.decode("latin-1").lower(), _text(value)) for name, value in self.headers)

    def media_type(self) -> bytes:
        """The content type without its parameters, in lower case, or b""."""
        for name, value in self.headers:
            if len(name) == 12 and name.lower() == b"content-type":
                return value.split(b";", 1)[0].strip().lower()
        return b""

    def feed(self, data: bytes) -> bool:
        """Takes the next bytes; True when the answer is complete, AnswerError when it cannot be one."""
        if self._in_head:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as error:
            raise AnswerError("the service switched protocols without being asked") from error
        except httptools.HttpParserError as error:
            # Whatever follows a complete answer is not part of it, but this connection is of no further use.
            if not self.is_complete:
                cause = error.__context__
                raise AnswerError(str(cause if isinstance(cause, AnswerError) else error)) from error
            self.can_reuse = False
        if self._in_head and self._head_bytes > HEAD_BYTES_MAX:
            raise AnswerError(f"headers of more than {HEAD_BYTES_MAX} bytes")
        return self.is_complete

    def finish(self) -> bool:
        """The peer closed: True when that is how a complete answer ends, for its length was not announced."""
        if self._until_close and not self._in_head and not self.is_complete:
            self.is_complete = True
            self.can_reuse = False
        return self.is_complete

    def on_message_begin(self) -> None:
        if self.is_complete:
            self.can_reuse = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.is_complete:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self.is_complete:
            return
        parser = self._parser
        status = parser.get_status_code()
        if status < _OK:
            self._interim(status)
            return
        self.status = status
        self._in_head = False
        # The parser says "close" both for an announced close and for a body whose end only the close marks.
        self.can_reuse = keeps = parser.should_keep_alive()
        if self._is_head_request:
            self.is_complete = True
        elif not keeps:
            self._until_close = not any(
                name.lower() in {b"content-length", b"transfer-encoding"} for name, _ in self.headers
            )

    def _interim(self, status: int) -> None:
        self._interims += 1
        if status < _CONTINUE or self._interims > INTERIM_ANSWERS_MAX:
            raise AnswerError(f"status {status}, after {self._interims - 1} interim answers")

    def on_body(self, data: bytes) -> None:
        if self.is_complete:
            return
        room = self.body_max - self.body_bytes
        self.body_bytes += len(data)
        if room >= len(data):
            self._parts.append(data)
        elif room > 0:
            self._parts.append(data[:room])

    def on_message_complete(self) -> None:
        if self.status is not None:
            self.is_complete = True
        else:
            self._head_bytes = 0
            self.headers.clear()


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")

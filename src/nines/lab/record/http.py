"""Reads HTTP/1.1 between the service and an upstream: requests, their answers and how long they took."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from nines.lab.record.events import RequestSeen
from nines.lab.record.messages import Body, Head, Messages
from nines.lab.record.wire import QueueWire, Refusal, Session, Unreadable

PATH_CHARS_MAX = 2000

_REQUEST_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP/1\.[01]$")
_STATUS_LINE = re.compile(r"HTTP/1\.[01] (\d{3})(?: .*)?$")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_KEY_FIELDS = frozenset({"idempotency-key", "x-idempotency-key", "paypal-request-id", "x-request-idempotency-key"})


@dataclass
class _Asked:
    method: str
    path: str
    started_s: float
    has_key: bool
    expects_continue: bool
    is_whole: bool = False
    body_bytes: int = 0
    status: int | None = None


class HttpWire(QueueWire[_Asked]):
    """One HTTP/1.1 connection; emits a RequestSeen for every request once it was answered in full, or lost."""

    pending_max = 1000

    def __init__(self, session: Session) -> None:
        self._front = Messages(self._request, self._request_ended)
        self._back = Messages(self._answer, self._answer_ended)
        super().__init__(session, self._front, self._back)
        self._sending: _Asked | None = None
        self._first_s = 0.0

    def from_client(self, data: bytes, at_s: float) -> bytes:
        if self._front.is_between:
            self._first_s = at_s
        return super().from_client(data, at_s)

    def refuse(self, status: int) -> Refusal:
        data, closes = b"", False
        for asked in self.due:
            if not (asked.is_whole or asked.expects_continue):
                break
            data += _error(asked.method, status)
            closes = closes or not asked.is_whole
        return Refusal(data=data, closes=closes)

    def ends(self) -> None:
        self._back.close()

    def _request(self, head: Head) -> Body:
        line = _REQUEST_LINE.match(head.line)
        if line is None:
            raise Unreadable(f"no HTTP/1 request: {head.line[:60]!r}")
        method, path = line.groups()
        self._sending = _Asked(
            method=method,
            path=path[:PATH_CHARS_MAX],
            started_s=self._first_s,
            has_key=any(name in _KEY_FIELDS and value for name, value in head.fields),
            expects_continue=(head.value("expect") or "").lower() == "100-continue",
        )
        self.expect(self._sending)
        self._first_s = self.at_s
        return Body.FRAMED

    def _request_ended(self, body_bytes: int) -> None:
        # Kept apart from the queue, for an upstream may answer before it has read the whole request.
        if self._sending is not None:
            self._sending.is_whole = True
            self._sending.body_bytes = body_bytes

    def _answer(self, head: Head) -> Body:
        line = _STATUS_LINE.match(head.line)
        if line is None:
            raise Unreadable(f"no HTTP/1 answer: {head.line[:60]!r}")
        status = int(line[1])
        if not self.due:
            # A 408 is how a server takes leave of an idle connection, and nothing follows it.
            raise Unreadable("" if status == 408 else "an answer that nobody asked for")
        asked = self.due[0]
        if status == 101 or (asked.method == "CONNECT" and 200 <= status < 300):
            self._front.tunnel()
            asked.status = status
            self.record(self.due.popleft(), "")
            return Body.TUNNEL
        if 100 <= status < 200:
            return Body.NONE
        asked.status = status
        if asked.method in _SAFE:
            self.answered_read = True
        else:
            self.answered_write = True
        if asked.method == "HEAD" or status in (204, 304):
            return Body.NONE
        return Body.FRAMED if head.is_chunked or head.length is not None else Body.UNTIL_CLOSE

    def _answer_ended(self, body_bytes: int) -> None:
        del body_bytes
        if self.due and self.due[0].status is not None:
            self.record(self.due.popleft(), "")

    def record(self, request: _Asked, error: str) -> None:
        if not request.is_whole:
            request.body_bytes = self._front.body_bytes
        self.session.recorder.add(
            RequestSeen(
                dependency=self.session.dependency,
                connection=self.session.connection,
                started_s=request.started_s,
                ended_s=self.at_s,
                method=request.method,
                path=request.path,
                status=request.status,
                has_key=request.has_key,
                body_bytes=request.body_bytes,
                error=error,
            )
        )


def _error(method: str, status: int) -> bytes:
    body = json.dumps({"title": "Injected by nines", "status": status}).encode()
    head = (
        f"HTTP/1.1 {status} Injected\r\ncontent-type: application/problem+json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + (b"" if method == "HEAD" else body)

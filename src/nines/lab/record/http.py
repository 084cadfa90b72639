"""Reads HTTP/1.1 between the service and an upstream: requests, their answers and how long they took."""

from __future__ import annotations

import json
import re
from collections import deque
from dataclasses import dataclass

from nines.lab.record.events import RequestSeen
from nines.lab.record.messages import Body, Head, Messages
from nines.lab.record.wire import Refusal, Session, Unreadable, Wire

PENDING_MAX = 1000
"""Pipelined requests of one connection before it counts as unreadable."""
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


class HttpWire(Wire):
    """One HTTP/1.1 connection; emits a RequestSeen for every request once it was answered in full, or lost."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._front = Messages(self._request, self._request_ended)
        self._back = Messages(self._answer, self._answer_ended)
        self._asked: deque[_Asked] = deque()
        self._sending: _Asked | None = None
        self._at_s = 0.0
        self._first_s = 0.0

    def from_client(self, data: bytes, at_s: float) -> bytes:
        self._at_s = at_s
        if self._front.is_between:
            self._first_s = at_s
        self._front.feed(data)
        return data

    def from_server(self, data: bytes, at_s: float) -> bytes:
        self._at_s = at_s
        self._back.feed(data)
        return data

    @property
    def is_idle(self) -> bool:
        return self._front.is_between and not self._asked

    def refuse(self, status: int) -> Refusal:
        data, closes = b"", False
        for asked in self._asked:
            if not (asked.is_whole or asked.expects_continue):
                break
            data += _error(asked.method, status)
            closes = closes or not asked.is_whole
        return Refusal(data=data, closes=closes)

    def closed(self, at_s: float, error: str) -> None:
        self._at_s = at_s
        self._back.close()
        for asked in self._asked:
            if not asked.is_whole:
                asked.body_bytes = self._front.body_bytes
            self._record(asked, error)
        self._asked.clear()

    def _request(self, head: Head) -> Body:
        line = _REQUEST_LINE.match(head.line)
        if line is None:
            raise Unreadable(f"no HTTP/1 request: {head.line[:60]!r}")
        if len(self._asked) >= PENDING_MAX:
            raise Unreadable("too many requests wait for an answer")
        method, path = line.groups()
        self._sending = _Asked(
            method=method,
            path=path[:PATH_CHARS_MAX],
            started_s=self._first_s,
            has_key=any(name in _KEY_FIELDS and value for name, value in head.fields),
            expects_continue=(head.value("expect") or "").lower() == "100-continue",
        )
        self._asked.append(self._sending)
        self._first_s = self._at_s
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
        if not self._asked:
            # A 408 is how a server takes leave of an idle connection, and nothing follows it.
            raise Unreadable("" if status == 408 else "an answer that nobody asked for")
        asked = self._asked[0]
        if status == 101 or (asked.method == "CONNECT" and 200 <= status < 300):
            self._front.tunnel()
            asked.status = status
            self._record(self._asked.popleft(), "")
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
        if self._asked and self._asked[0].status is not None:
            asked = self._asked.popleft()
            if not asked.is_whole:
                asked.body_bytes = self._front.body_bytes
            self._record(asked, "")

    def _record(self, asked: _Asked, error: str) -> None:
        self.session.recorder.add(
            RequestSeen(
                dependency=self.session.dependency,
                connection=self.session.connection,
                started_s=asked.started_s,
                ended_s=self._at_s,
                method=asked.method,
                path=asked.path,
                status=asked.status,
                has_key=asked.has_key,
                body_bytes=asked.body_bytes,
                error=error,
            )
        )


def _error(method: str, status: int) -> bytes:
    body = json.dumps({"title": "Injected by nines", "status": status}).encode()
    head = (
        f"HTTP/1.1 {status} Injected\r\ncontent-type: application/problem+json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + (b"" if method == "HEAD" else body)

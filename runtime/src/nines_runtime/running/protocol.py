"""HTTP/1.1 on a socket, with limits where uvicorn has none: for the size of a request's head, and for its time."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from nines_runtime.web.incoming import new_request_id
from nines_runtime.web.problem import Problem
from nines_runtime.web.sending import SECURITY_HEADERS

HEAD_BYTES_MAX = 32_768
"""Request line and headers together."""
HEADERS_MAX = 100
HEAD_S_MAX = 10.0
"""From the first byte of a head, or from the connection, to its last."""


class _TooLargeError(Exception):
    pass


class BoundedProtocol(HttpToolsProtocol):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._is_in_head = True
        self._head_bytes = 0
        self._received_bytes = 0
        self._is_too_large = False
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(HEAD_S_MAX, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """A caller that has said all it wants to say still gets its answer; then the connection is closed."""
        if self.cycle is None or self.cycle.response_complete or self._is_in_head or self.cycle.more_body:
            return False
        self.cycle.keep_alive = False
        return True

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_in_head and not self.transport.is_closing():
            # What a head holds is known only when it is whole, so until then its bytes are counted as they come.
            self._received_bytes += len(data)
            if self._received_bytes > HEAD_BYTES_MAX:
                self._is_too_large = True
                self.send_400_response("")
            elif self._head_timer is None and self._head_bytes:
                self._head_timer = self.loop.call_later(HEAD_S_MAX, self._give_up)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head = True
        self._received_bytes = 0
        self._head_bytes = 1

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + 4)
        if len(self.headers) >= HEADERS_MAX:
            self._is_too_large = True
            raise _TooLargeError
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._head_bytes = 0
        if self._head_timer is not None:
            self._stop_timer()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 -- uvicorn's own words stay inside
        self._stop_timer()
        status = 431 if self._is_too_large else 400
        problem = Problem("head-too-large" if self._is_too_large else "malformed-head")
        answer = problem.answer(instance="", request_id=(request_id := new_request_id()))
        headers = (
            (b"content-type", answer.media_type.encode("ascii")),
            (b"content-length", b"%d" % len(answer.body)),
            (b"connection", b"close"),
            (b"x-request-id", request_id.encode("ascii")),
            *answer.headers,
            *SECURITY_HEADERS,
            *self.server_state.default_headers,
        )
        lines = b"".join(b"%s: %s\r\n" % header for header in headers)
        self.transport.write(STATUS_LINE[status] + lines + b"\r\n" + answer.body)
        self.transport.close()

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES_MAX:
            self._is_too_large = True
            raise _TooLargeError

    def _give_up(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.close()

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

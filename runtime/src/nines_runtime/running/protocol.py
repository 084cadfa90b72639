"""HTTP/1.1 on a socket, with limits where uvicorn has none: for the size of a request's head, and for its time.

It also lets an application past the messages of ASGI (scope["nines.direct"]): a body that has come is read without
waiting, and a whole answer leaves in one write, which is one call of the system instead of two."""

from __future__ import annotations

import asyncio
import sys
from time import monotonic
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from nines_runtime.web.incoming import new_request_id
from nines_runtime.web.problem import Problem
from nines_runtime.web.sending import DIRECT, SECURITY_HEADERS

HEAD_BYTES_MAX = 32_768
"""Request line and headers together."""
HEADERS_MAX = 100
HEAD_S_MAX = 10.0
"""From the first byte of a head, or from the connection, to its last."""
_CLOSE = b"connection: close\r\n"


class _RefusedError(Exception):
    """The head will not be taken; what is answered instead stands in `_refusal`."""


class BoundedProtocol(HttpToolsProtocol):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._is_in_head = False
        self._received_bytes = 0
        """Of a head that is not whole yet, as it came."""
        self._refusal = "malformed-head"
        self._connections_max = self.limit_concurrency or sys.maxsize
        self.limit_concurrency = None
        self._head_timer: asyncio.TimerHandle | None = None
        self._idle_since_s: float | None = None
        self._idle_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(HEAD_S_MAX, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """A caller that has said all it wants to say still gets its answer; then the connection is closed."""
        if self.cycle is None or self.cycle.response_complete or self.cycle.more_body or self._is_in_head:
            return False
        self.cycle.keep_alive = False
        return True

    def data_received(self, data: bytes) -> None:
        self._received_bytes += len(data)
        super().data_received(data)
        if not self._is_in_head:
            self._received_bytes = 0
        elif not self.transport.is_closing():
            # What a head holds is known only when it is whole, so until then its bytes are counted as they come.
            if self._received_bytes > HEAD_BYTES_MAX:
                self._refusal = "head-too-large"
                self.send_400_response("")
            elif self._head_timer is None:
                self._head_timer = self.loop.call_later(HEAD_S_MAX, self._give_up)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head = True

    def on_header(self, name: bytes, value: bytes) -> None:
        lowered = name.lower()
        if lowered == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((lowered, value))

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        if self._head_timer is not None:
            self._stop_timer()
        if len(self.headers) > HEADERS_MAX or (self._received_bytes > HEAD_BYTES_MAX and self._is_over()):
            self._refusal = "head-too-large"
            raise _RefusedError
        if len(self.connections) > self._connections_max:
            self._refusal = "unavailable"
            raise _RefusedError
        super().on_headers_complete()
        scope: Any = self.scope
        if self.cycle is not None and self.cycle.scope is self.scope and DIRECT not in scope:
            # It waits for the answer to the request before it.
            scope[DIRECT] = Direct(self.cycle)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        task = self.loop.create_task(cycle.run_asgi(app))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)
        scope: Any = cycle.scope
        direct = scope.get(DIRECT)
        if direct is None:
            direct = scope[DIRECT] = Direct(cycle)
        direct.task = task

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
            return
        self._idle_since_s = monotonic()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._look_idle)

    def _unset_keepalive_if_required(self) -> None:
        self._idle_since_s = None

    def _look_idle(self) -> None:
        """One timer for a connection, which looks again, costs less than one for each request."""
        self._idle_timer = None
        if self.transport.is_closing():
            return
        idle_s = 0.0 if self._idle_since_s is None else monotonic() - self._idle_since_s
        if idle_s >= self.timeout_keep_alive:
            self.transport.close()
        else:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive - idle_s, self._look_idle)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 -- uvicorn's own words stay inside
        self._stop_timer()
        answer = Problem(self._refusal).answer(instance="", request_id=(request_id := new_request_id()))
        headers = (
            (b"content-type", answer.media_type.encode("ascii")),
            (b"content-length", b"%d" % len(answer.body)),
            (b"x-request-id", request_id.encode("ascii")),
            *answer.headers,
            *SECURITY_HEADERS,
            *self.server_state.default_headers,
        )
        lines = b"".join(b"%s: %s\r\n" % header for header in headers)
        self.transport.write(b"".join((STATUS_LINE[answer.status], lines, _CLOSE, b"\r\n", answer.body)))
        self.transport.close()

    def _is_over(self) -> bool:
        """Counted exactly only where a chunk was large enough for it to matter."""
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        return size > HEAD_BYTES_MAX

    def _give_up(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.close()

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class Direct:
    """One request without the messages of ASGI."""

    __slots__ = ("_cycle", "arrived_s", "task")

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle
        self.arrived_s = monotonic()
        self.task: asyncio.Task[Any] | None = None

    def body(self) -> bytes | None:
        """The whole body; None where it has not come yet, or where its caller waits to be asked for it."""
        cycle = self._cycle
        if cycle.more_body or cycle.disconnected or cycle.waiting_for_100_continue:
            return None
        whole = bytes(cycle.body)
        cycle.body = type(cycle.body)()
        return whole

    def respond(self, status: int, head: bytes, body: bytes, is_last: bool) -> bool:
        """Writes a whole answer; False where it cannot do so now, and nothing was written.

        `head` holds the lines of the headers; `is_last` tells that the connection ends with it."""
        cycle = self._cycle
        if cycle.disconnected:
            return True
        if cycle.flow.write_paused or cycle.response_started:
            return False
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        is_last = is_last or not cycle.keep_alive
        date = b"".join([b"%s: %s\r\n" % header for header in cycle.default_headers])
        cycle.transport.write(b"".join((STATUS_LINE[status], date, head, _CLOSE if is_last else b"", b"\r\n", body)))
        cycle.message_event.set()
        if is_last:
            cycle.transport.close()
        cycle.on_response()
        return True

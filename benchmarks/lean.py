"""An open loop that costs little: for loads that take all of a machine which the generator shares with what it loads.

It reads of an answer its status and where it ends, and counts; the laboratory's own generator keeps what was said."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import cast

from benchmarks.serving import Took
from nines.lab.load.lag import LagWatch
from nines.lab.load.request import Request

CONNECTIONS = 256
TICK_S = 0.001
BURST_MAX = 64
"""Requests sent in one turn of the loop; then answers get theirs."""
SILENCE_S_MAX = 30.0
"""After the last request; what was not answered by then is an error."""
_LENGTH = b"content-length: "
_END = b"\r\n\r\n"


class _Line(asyncio.Protocol):
    """One connection, with one request on it at a time."""

    __slots__ = ("due_s", "kind", "load", "rest", "transport")

    def __init__(self, load: LeanLoop) -> None:
        self.load = load
        self.transport = cast("asyncio.Transport", None)
        self.due_s = 0.0
        self.kind: str | None = None
        """Of the request that is under way; None: it is free."""
        self.rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self.rest:
            data = self.rest + data
        end = data.find(_END)
        if end < 0:
            self.rest = data
            return
        at = data.find(_LENGTH, 0, end)
        length = int(data[at + len(_LENGTH) : data.find(b"\r", at)]) if at >= 0 else 0
        if len(data) < end + len(_END) + length:
            self.rest = data
            return
        self.rest = b""
        self.load.answered(self, data[9:12])

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 -- of the protocol
        self.load.lost(self)


class LeanLoop:
    """Every request leaves at its intended time, or as soon after as a connection is free; latencies are from the
    intended time. What the service breaks off counts as an error of its own."""

    def __init__(self, port: int, rate_hz: float, duration_s: float, make: Callable[[int], Request]) -> None:
        self._port, self._rate_hz, self._duration_s, self._make = port, rate_hz, duration_s, make
        self._total = int(rate_hz * duration_s)
        self._index = self._ended = 0
        self._free: list[_Line] = []
        self._lines: set[_Line] = set()
        self._waiting: deque[tuple[Request, float]] = deque()
        self._start_s = self._wake_s = 0.0
        self._over = asyncio.get_running_loop().create_future()
        self._opening: set[asyncio.Task[None]] = set()
        self._lag = LagWatch()
        self._statuses: Counter[bytes] = Counter()
        self._latencies: list[float] = []
        self.good: Counter[str] = Counter()
        """Answers of 2xx, by the marker of their request."""

    async def run(self) -> Took:
        await asyncio.gather(*(self._open() for _ in range(CONNECTIONS)))
        self._start_s = self._wake_s = time.monotonic()
        self._tick()
        try:
            async with asyncio.timeout(self._duration_s + SILENCE_S_MAX):
                await self._over
        except TimeoutError:
            self._statuses[b"unanswered"] += self._total - self._ended
        lasted_s = time.monotonic() - self._start_s
        lines, self._lines = self._lines, set()
        for line in lines:
            line.transport.abort()
        await asyncio.sleep(0)
        statuses = Counter({status.decode("latin-1"): count for status, count in self._statuses.items()})
        reason = self._lag.reason(lasted_s)
        return Took(self._total, max(lasted_s, self._duration_s), statuses, self._latencies, reason)

    async def _open(self) -> None:
        _, line = await asyncio.get_running_loop().create_connection(lambda: _Line(self), "127.0.0.1", self._port)
        self._lines.add(line)
        self._give(line)

    def _tick(self) -> None:
        if self._over.done():
            return
        now_s = time.monotonic()
        self._lag.woke(now_s - self._wake_s)
        due = min(self._total, int((now_s - self._start_s) * self._rate_hz) + 1)
        for index in range(self._index, min(due, self._index + BURST_MAX)):
            due_s = self._start_s + index / self._rate_hz
            request = self._make(index)
            now_s = time.monotonic()
            self._lag.left(now_s - due_s)
            if self._free and not self._waiting:
                self._send(self._free.pop(), request, due_s)
            else:
                self._waiting.append((request, due_s))
            self._index = index + 1
        loop = asyncio.get_running_loop()
        if self._index < due:
            self._wake_s = now_s
            loop.call_soon(self._tick)
        else:
            self._wake_s = now_s + TICK_S
            loop.call_later(TICK_S, self._tick)

    def _send(self, line: _Line, request: Request, due_s: float) -> None:
        line.due_s, line.kind = due_s, request.call.marker
        line.transport.write(request.wire)

    def _give(self, line: _Line) -> None:
        if self._waiting:
            self._send(line, *self._waiting.popleft())
        else:
            self._free.append(line)

    def answered(self, line: _Line, status: bytes) -> None:
        kind, line.kind = line.kind, None
        if kind is None:
            line.transport.abort()
            return
        now_s = time.monotonic()
        self._count(status, now_s - line.due_s)
        if status[:1] == b"2":
            self.good[kind] += 1
        self._give(line)

    def lost(self, line: _Line) -> None:
        if line not in self._lines:
            return
        self._lines.discard(line)
        if line.kind is not None:
            self._count(b"broken", time.monotonic() - line.due_s)
        elif line in self._free:
            self._free.remove(line)
        if not self._over.done():
            task = asyncio.ensure_future(self._open())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    def _count(self, status: bytes, latency_s: float) -> None:
        self._statuses[status] += 1
        self._latencies.append(latency_s * 1e3)
        self._ended += 1
        if self._ended == self._total and not self._over.done():
            self._over.set_result(None)

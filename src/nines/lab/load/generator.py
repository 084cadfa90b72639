"""The open-loop generator: every request leaves at its intended time, whether or not earlier ones were answered."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from nines.lab.load import meaning
from nines.lab.load.answer import TIMEOUT, AnswerReader
from nines.lab.load.connection import Address, Connection
from nines.lab.load.ending import Ending
from nines.lab.load.lag import LagWatch
from nines.lab.load.plan import Plan
from nines.lab.load.pool import Pool
from nines.lab.load.quiet import rest, unrest
from nines.lab.load.request import Request
from nines.lab.load.tally import Tally
from nines.model.history import LoadReport

TICK_S = 0.001
"""The event loop's timers are no finer."""
HEARTBEAT_S = 0.05
"""The longest sleep: stalls and timeouts are noticed at least this often."""
BURST_MAX = 64
"""Requests sent in one turn of the loop; then answers get theirs."""


class Flight(msgspec.Struct, gc=False, eq=False):
    """One request on its way; it lets go of its connection when it ends, so that no cycle is left to collect."""

    request: Request
    intended_s: float
    sent_s: float = 0.0
    connection: Connection | None = None
    is_done: bool = False


class OpenLoop:
    """One load: `start`, then `finish` (to its end) or `stop` (early); both wait for what is in flight.

    `next_request(index)` must be cheap, for it runs between two sends; `sink` takes every ending and must be cheap too.
    All times are of `clock`, which must be monotonic and in seconds.
    """

    def __init__(
        self,
        plan: Plan,
        address: Address,
        next_request: Callable[[int], Request],
        sink: Callable[[Ending], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        plan.check()
        self._plan = plan
        self._next_request = next_request
        self._sink = sink
        self._keeps_bodies = plan.keeps_bodies
        self._clock = clock
        self._arrivals = plan.arrivals()
        self._pool = Pool(
            address,
            self,
            connections_max=plan.connections_max,
            body_max=plan.body_bytes_max if plan.keeps_bodies or plan.reads_bodies else 0,
            clock=clock,
        )
        self._flights: deque[Flight] = deque()
        self._waiting: deque[Flight] = deque()
        self._outstanding = 0
        self._index = 0
        self._due_s = 0.0
        self._is_over = False
        self._wake_s = 0.0
        self._ended = asyncio.get_running_loop().create_future()
        self._failure: BaseException | None = None
        self._own_fault = ""
        self._rests = False
        self.lag = LagWatch()
        self.tally = Tally(0.0)
        self.start_s = 0.0
        self.end_s = 0.0
        self.sent = 0
        self.not_sent = 0

    async def start(self) -> None:
        """Opens the warm connections and begins."""
        await self._pool.warm(self._plan.warm)
        rest()
        self._rests = True
        self.start_s = self._clock()
        self.tally = Tally(self.start_s)
        self._advance()
        self._wake_s = self.start_s
        self._tick()

    async def finish(self) -> LoadReport:
        """Waits until every request was sent and has ended (at the latest by its timeout)."""
        try:
            await asyncio.shield(self._ended)
        finally:
            self._is_over = True
            if not self._ended.done():
                self._ended.set_result(None)
            if self._rests:
                self._rests = False
                unrest()
            await self._pool.close()
        if self._failure is not None:
            raise self._failure
        return self.report()

    async def stop(self) -> LoadReport:
        """Sends nothing more and waits for what is in flight."""
        self._is_over = True
        return await self.finish()

    async def abandon(self) -> None:
        """Waits for nothing: whatever is in flight is dropped, because nobody wants to know any more."""
        self._is_over = True
        self._end()
        await self.finish()

    def report(self) -> LoadReport:
        """What the generator says about itself so far."""
        ran_s = max((self.end_s or self._clock()) - self.start_s, 0.0)
        reasons = [self.lag.reason(ran_s), self._own_fault]
        if self.not_sent:
            reasons.append(
                f"{self.not_sent} requests were not sent, because {self._plan.outstanding_max} were still unanswered"
            )
        reason = "; ".join(filter(None, reasons))
        return LoadReport(
            rate_hz=self._plan.rate_hz,
            duration_s=min(ran_s, self._plan.duration_s),
            sent=self.sent,
            not_sent=self.not_sent,
            lag_ms_p99=self.lag.p99_ms,
            is_spoiled=bool(reason),
            reason=reason,
        )

    def _advance(self) -> None:
        offset_s = next(self._arrivals, None)
        if offset_s is None:
            self._is_over = True
        else:
            self._due_s = self.start_s + offset_s

    def _tick(self) -> None:
        if self._ended.done():
            return
        now = self._clock()
        self.lag.woke(now - self._wake_s)
        try:
            self._send_due(now)
            self._expire(now)
        except Exception as error:  # Whatever next_request or sink raises goes to whoever waits.
            self._fail(error)
            return
        if self._is_over and not self._outstanding:
            self._end()
            return
        now = self._clock()
        sleep_s = HEARTBEAT_S if self._is_over else min(self._due_s - now, HEARTBEAT_S)
        loop = asyncio.get_running_loop()
        if sleep_s <= 0.0:
            self._wake_s = now
            loop.call_soon(self._tick)
        else:
            sleep_s = max(sleep_s, TICK_S)
            self._wake_s = now + sleep_s
            loop.call_later(sleep_s, self._tick)

    def _send_due(self, now: float) -> None:
        for _ in range(BURST_MAX):
            if self._is_over or self._due_s > now:
                return
            index, due_s = self._index, self._due_s
            self._index += 1
            self._advance()
            if self._outstanding >= self._plan.outstanding_max:
                self.not_sent += 1
                continue
            flight = Flight(self._next_request(index), due_s)
            self._flights.append(flight)
            self._outstanding += 1
            now = self._clock()
            self.lag.left(now - due_s)
            connection = None if self._waiting else self._pool.take(now)
            if connection is not None:
                self._send(flight, connection, now)
            else:
                self._waiting.append(flight)
                self._grow()

    def _grow(self) -> None:
        if self._pool.opening < len(self._waiting) and self._pool.has_room:
            self._pool.grow()

    def _send(self, flight: Flight, connection: Connection, now: float) -> None:
        request = flight.request
        flight.connection = connection
        flight.sent_s = now
        connection.expect(flight, is_head_request=request.sent.method == "HEAD")
        connection.write(request.wire)
        self.sent += 1

    def _expire(self, now: float) -> None:
        """Ends what is overdue; flights stand in the order of their intended times, hence of their timeouts."""
        flights, limit_s = self._flights, now - self._plan.timeout_s
        while flights and (flights[0].is_done or flights[0].intended_s <= limit_s):
            flight = flights.popleft()
            if flight.is_done:
                continue
            connection = flight.connection
            if connection is not None:
                self._pool.drop(connection)
            self._close(flight, TIMEOUT, now)
        waiting = self._waiting
        while waiting and waiting[0].is_done:
            waiting.popleft()
        self._grow()

    def _serve_waiting(self, connection: Connection, now: float) -> None:
        """Gives a free connection to the request that waits longest, or back to the pool."""
        waiting = self._waiting
        while waiting and connection.is_open:
            flight = waiting.popleft()
            if not flight.is_done:
                self._send(flight, connection, now)
                return
        self._pool.give(connection, now)
        self._grow()

    def _close(self, flight: Flight, error: str, now: float, reader: AnswerReader | None = None) -> None:
        flight.is_done = True
        self._outstanding -= 1
        was_sent = flight.connection is not None
        flight.connection = None
        status, body, media_type = 0, b"", b""
        if reader is not None:
            status = reader.status or 0
            if flight.request.asked is not None:
                status = meaning.status_of(reader.status, reader.body) or 0
            if self._keeps_bodies:
                body, media_type = reader.body, reader.media_type()
        ending = Ending(
            flight.request, status, error, was_sent, flight.intended_s, flight.sent_s, now, body, media_type
        )
        try:
            self.tally.add(ending)
            self._sink(ending)
        except Exception as failure:
            self._fail(failure)
        if self._is_over and not self._outstanding:
            self._end()

    def _end(self) -> None:
        if not self._ended.done():
            self.end_s = self._clock()
            self._ended.set_result(None)

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self._is_over = True
        self._end()

    def answered(self, connection: Connection) -> None:
        now = self._clock()
        flight: Flight | None = connection.user
        connection.user = None
        if flight is not None and not flight.is_done:
            self._close(flight, "", now, connection.reader)
        self._serve_waiting(connection, now)

    def broke(self, connection: Connection, error: str, detail: str) -> None:  # noqa: ARG002 - an Owner's signature.
        flight: Flight | None = connection.user
        connection.user = None
        self._pool.drop(connection)
        if flight is not None and not flight.is_done:
            self._close(flight, error, self._clock())
        self._grow()

    def closed(self, connection: Connection) -> None:
        self._pool.drop(connection)
        self._grow()

    def opened(self, connection: Connection) -> None:
        self._serve_waiting(connection, self._clock())

    def not_opened(self, error: str, detail: str, *, is_own_fault: bool) -> None:
        if is_own_fault:
            self._own_fault = f"this machine could not open another connection: {detail}"
        waiting = self._waiting
        while waiting:
            flight = waiting.popleft()
            if not flight.is_done:
                self._close(flight, error, self._clock())
                break
        self._grow()


async def run(
    plan: Plan,
    address: Address,
    next_request: Callable[[int], Request],
    sink: Callable[[Ending], None],
    *,
    clock: Callable[[], float] = time.monotonic,
) -> LoadReport:
    """Runs a load to its end in this event loop."""
    load = OpenLoop(plan, address, next_request, sink, clock=clock)
    await load.start()
    return await load.finish()


@asynccontextmanager
async def background(
    plan: Plan,
    address: Address,
    next_request: Callable[[int], Request],
    sink: Callable[[Ending], None],
    *,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[OpenLoop]:
    """The same load while the block runs; leaving the block stops it and waits for what is in flight.

    Where the block ends with an error or is cancelled, nothing is waited for: a service that hangs would hold up the
    end of the whole run.

    Ask the load for its `report` after the block; what next_request or sink raised is raised on leaving."""
    load = OpenLoop(plan, address, next_request, sink, clock=clock)
    await load.start()
    try:
        yield load
    except BaseException:
        await load.abandon()
        raise
    await load.stop()

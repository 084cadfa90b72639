"""Connections of one process to one database: at most so many, at most so many waiting, and never a dead one twice."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable

import asyncpg

from nines_runtime.data.failures import RETRY_AFTER_S, Unavailable

Opener = Callable[[], Awaitable[asyncpg.Connection]]
PROBE_S_MAX = 1.0
"""How long a connection may take to show that it lives."""
MEND_S_MAX = 2.0
BACKOFF_S_MIN, BACKOFF_S_MAX = 0.05, 0.5
PATIENCE_S = 2.0
"""For so long an outage may be a moment's: a connection was reset, a primary changes over."""
LOOK_S_MAX = 0.25
"""How long somebody waits, later than that, for an attempt that is under way."""


class Pool:
    """The connection used last is used first, so that those a quiet service does not need grow old and are closed.

    Connections are opened beside those who wait, so that nobody's short deadline cuts an attempt. What was idle while
    another connection broke is suspect and is asked `select 1` before it is used again. While the database is away one
    attempt at a time finds out whether it is back; for the first seconds everybody waits for that, so that a moment's
    trouble is a moment's wait, and after that they are refused at once."""

    def __init__(
        self,
        open_one: Opener,
        *,
        size_max: int = 10,
        waiters_max: int = 1_000,
        wait_s_max: float = 2.0,
        idle_s_max: float = 300.0,
        probe_after_s: float = 30.0,
        on_wait: Callable[[float], None] = lambda _: None,
        clock: Callable[[], float],
    ) -> None:
        self.size_max = size_max
        self.waiters_max = waiters_max
        self.on_wait = on_wait
        self._open_one = open_one
        self._wait_s_max, self._idle_s_max, self._probe_after_s = wait_s_max, idle_s_max, probe_after_s
        self._clock = clock
        self._idle: deque[tuple[asyncpg.Connection, float]] = deque()
        self._waiters: deque[asyncio.Future[asyncpg.Connection]] = deque()
        self._size = 0
        self._opening = 0
        self._suspect_before = 0.0
        self._down_since, self._down_until, self._backoff_s = 0.0, 0.0, 0.0
        self._bell: asyncio.TimerHandle | None = None
        self._is_closed = False
        self._all_back = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def in_use(self) -> int:
        return self._size - len(self._idle) - self._opening

    @property
    def waiting(self) -> int:
        return len(self._waiters)

    async def take(self, limit_s: float) -> asyncpg.Connection:
        """A connection that lives, as far as anybody can know; raises Unavailable."""
        begun_s = self._clock()
        until_s = begun_s + min(limit_s, self._wait_s_max)
        found = await self._idle_one(until_s)
        if found is None:
            found = await self._waited_for(until_s)
        self.on_wait(self._clock() - begun_s)
        return found

    def give_back(self, connection: asyncpg.Connection) -> None:
        """One that nothing is under way on."""
        if self._is_closed or connection.is_closed():
            self.drop(connection)
            return
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        self._idle.append((connection, self._clock()))
        self._close_unneeded()

    def drop(self, connection: asyncpg.Connection, *, is_sign: bool = False) -> None:
        """One that cannot be used any more; `is_sign`: whatever broke it may have broken others."""
        if is_sign:
            self._suspect_before = self._clock()
        if not connection.is_closed():
            connection.terminate()
        self._size -= 1
        self._open_wanted()
        if self._is_closed and not self.in_use:
            self._all_back.set()

    def drop_idle(self) -> None:
        """All that nobody uses."""
        while self._idle:
            connection, _ = self._idle.pop()
            self._size -= 1
            connection.terminate()

    def mend(self, connection: asyncpg.Connection) -> None:
        """One whose statement was given up: what is left of it is undone first, while nobody waits for that."""
        self._begin(self._mended(connection))

    async def close(self, grace_s: float) -> None:
        """Waits so long for connections in use; then they are cut."""
        self._is_closed = True
        self._refuse_all()
        if self._bell is not None:
            self._bell.cancel()
        if self.in_use:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace_s):
                    await self._all_back.wait()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while self._idle:
            connection, _ = self._idle.pop()
            self._size -= 1
            with contextlib.suppress(Exception):
                await connection.close(timeout=PROBE_S_MAX)

    async def _idle_one(self, until_s: float) -> asyncpg.Connection | None:
        while self._idle:
            connection, since_s = self._idle.pop()
            if connection.is_closed():
                self._size -= 1
                continue
            is_trusted = since_s > self._suspect_before and self._clock() - since_s < self._probe_after_s
            if is_trusted or await self._lives(connection, until_s):
                return connection
        return None

    async def _lives(self, connection: asyncpg.Connection, until_s: float) -> bool:
        try:
            await connection.execute("SELECT 1", timeout=min(PROBE_S_MAX, max(0.001, until_s - self._clock())))
        except Exception:
            self.drop(connection, is_sign=True)
            return False
        except BaseException:
            self.drop(connection)
            raise
        return True

    async def _waited_for(self, until_s: float) -> asyncpg.Connection:
        left_s = self._patience(until_s) - self._clock()
        if self._is_closed or left_s <= 0 or len(self._waiters) >= self.waiters_max:
            raise Unavailable(max(RETRY_AFTER_S, self._down_until - self._clock()))
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[asyncpg.Connection] = loop.create_future()
        self._waiters.append(waiter)
        self._open_wanted()
        bell = loop.call_later(left_s, _give_up, waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and not waiter.exception():
                # What was handed to somebody who went away in the same moment is not lost.
                self.give_back(waiter.result())
            raise
        finally:
            bell.cancel()
            with contextlib.suppress(ValueError):
                self._waiters.remove(waiter)

    def _patience(self, until_s: float) -> float:
        """Until when somebody may wait: not at all where the database has been away for long and nobody looks now."""
        now_s = self._clock()
        if not self._backoff_s or self._size > self._opening or now_s - self._down_since < PATIENCE_S:
            return until_s
        if self._opening or now_s >= self._down_until:
            return min(until_s, now_s + LOOK_S_MAX)
        return now_s

    def _open_wanted(self) -> None:
        """As many as are waited for, as far as there is room; while the database is away one at a time, and in time."""
        if self._is_closed:
            return
        at_once = 1 if self._backoff_s else self.size_max
        pause_s = self._down_until - self._clock() if self._backoff_s else 0.0
        while len(self._waiters) > self._opening and self._opening < at_once and self._size < self.size_max:
            if pause_s > 0:
                self._ring_in(pause_s)
                return
            self._size += 1
            self._opening += 1
            self._begin(self._opened())

    def _ring_in(self, seconds: float) -> None:
        if self._bell is None:
            self._bell = asyncio.get_running_loop().call_later(seconds, self._rung)

    def _rung(self) -> None:
        self._bell = None
        self._open_wanted()

    async def _opened(self) -> None:
        connection: asyncpg.Connection | None = None
        try:
            connection = await self._open_one()
        except Exception:
            self._note_outage()
        finally:
            self._opening -= 1
            if connection is None:
                self._size -= 1
        if connection is not None:
            self._backoff_s = 0.0
            self.give_back(connection)
        self._open_wanted()

    def _note_outage(self) -> None:
        now_s = self._clock()
        if not self._backoff_s:
            self._down_since = now_s
        self._backoff_s = min(BACKOFF_S_MAX, max(BACKOFF_S_MIN, 2 * self._backoff_s))
        self._down_until = now_s + self._backoff_s
        if self._size <= self._opening and now_s - self._down_since >= PATIENCE_S:
            # No connection is left that could come back to them.
            self._refuse_all()

    def _refuse_all(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(Unavailable())

    def _close_unneeded(self) -> None:
        connection, since_s = self._idle[0]
        if len(self._idle) > 1 and self._clock() - since_s > self._idle_s_max:
            self._idle.popleft()
            self._size -= 1
            connection.terminate()

    async def _mended(self, connection: asyncpg.Connection) -> None:
        try:
            await connection.execute("ROLLBACK" if connection.is_in_transaction() else "SELECT 1", timeout=MEND_S_MAX)
            if connection.is_in_transaction():
                await connection.execute("ROLLBACK", timeout=MEND_S_MAX)
        except BaseException as error:
            self.drop(connection)
            if not isinstance(error, Exception):
                raise
        else:
            self.give_back(connection)

    def _begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _give_up(waiter: asyncio.Future[asyncpg.Connection]) -> None:
    if not waiter.done():
        waiter.set_exception(Unavailable())

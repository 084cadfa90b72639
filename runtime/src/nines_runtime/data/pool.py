"""Connections of one process to one database: at most so many, at most so many waiting, and never a dead one twice."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from nines_runtime.data.failures import RETRY_AFTER_S, Unavailable

Opener = Callable[[float], Awaitable[asyncpg.Connection]]
PROBE_S_MAX = 1.0
"""How long a connection may take to show that it lives."""
MEND_S_MAX = 2.0
BACKOFF_S_MIN, BACKOFF_S_MAX = 0.05, 0.5
PATIENCE_S = 2.0
"""For so long an outage may be a moment's: a connection was reset, a primary changes over."""


class Pool:
    """The connection used last is used first, so that those a quiet service does not need grow old and are closed.

    `open_one` opens a connection within the seconds it is given. What was idle while another connection broke is
    suspect and is asked `select 1` before it is used again. While the database is away one request at a time finds
    out whether it is back; for the first seconds the others wait for what it finds, so that a moment's trouble is a
    moment's wait, and after that they are refused at once."""

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
        self._waiters: deque[asyncio.Future[asyncpg.Connection | None]] = deque()
        self._size = 0
        self._opening = 0
        self._pausing = 0
        self._suspect_before = 0.0
        self._down_since, self._down_until, self._backoff_s = 0.0, 0.0, 0.0
        self._is_closed = False
        self._all_back = asyncio.Event()
        self._mending: set[asyncio.Task[None]] = set()

    @property
    def in_use(self) -> int:
        return self._size - len(self._idle) - self._opening

    @property
    def waiting(self) -> int:
        return len(self._waiters) + self._pausing

    async def take(self, limit_s: float) -> asyncpg.Connection:
        """A connection that lives, as far as anybody can know; raises Unavailable."""
        begun_s = self._clock()
        until_s = begun_s + min(limit_s, self._wait_s_max)
        while True:
            found = await self._idle_one(until_s)
            if found is None and self._size < self.size_max and not self._is_closed:
                if await self._paused(until_s):
                    continue
                found = await self._new_one(until_s)
            if found is None:
                found = await self._waited_for(until_s)
            if found is not None:
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
        self._let_one_open()
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
        task = asyncio.get_running_loop().create_task(self._mended(connection))
        self._mending.add(task)
        task.add_done_callback(self._mending.discard)

    async def close(self, grace_s: float) -> None:
        """Waits so long for connections in use; then they are cut."""
        self._is_closed = True
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(Unavailable())
        self._waiters.clear()
        if self.in_use:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace_s):
                    await self._all_back.wait()
        for task in tuple(self._mending):
            task.cancel()
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

    async def _paused(self, until_s: float) -> bool:
        """Whether it waited until the database may be asked again; raises Unavailable where that is too late."""
        left_s = self._down_until - self._clock()
        if not self._backoff_s or self._opening or left_s <= 0:
            return False
        is_brief = self._clock() - self._down_since < PATIENCE_S
        if not is_brief or self._clock() + left_s >= until_s or self._pausing >= self.waiters_max:
            raise Unavailable(max(RETRY_AFTER_S, left_s))
        self._pausing += 1
        try:
            await asyncio.sleep(left_s)
        finally:
            self._pausing -= 1
        return True

    async def _new_one(self, until_s: float) -> asyncpg.Connection | None:
        """None: somebody else is finding out whether the database is back."""
        now_s = self._clock()
        if self._backoff_s and self._opening:
            if self._size == self._opening and now_s - self._down_since >= PATIENCE_S:
                raise Unavailable(max(RETRY_AFTER_S, self._down_until - now_s))
            return None
        self._size += 1
        self._opening += 1
        is_open = False
        try:
            connection = await self._open_one(max(0.001, until_s - now_s))
            is_open = True
        except Exception as error:
            self._note_outage()
            raise Unavailable from error
        finally:
            self._opening -= 1
            if not is_open:
                self._size -= 1
                self._let_one_open()
        was_away, self._backoff_s = bool(self._backoff_s), 0.0
        if was_away:
            for _ in range(self.size_max - self._size):
                self._let_one_open()
        return connection

    def _note_outage(self) -> None:
        if not self._backoff_s:
            self._down_since = self._clock()
        self._backoff_s = min(BACKOFF_S_MAX, max(BACKOFF_S_MIN, 2 * self._backoff_s))
        self._down_until = self._clock() + self._backoff_s
        if self._size > self._opening:
            return
        # No connection is left that could come back to them.
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(Unavailable())

    async def _waited_for(self, until_s: float) -> asyncpg.Connection | None:
        """None: a place became free, and the waiter may open one itself."""
        left_s = until_s - self._clock()
        if self._is_closed or left_s <= 0 or len(self._waiters) >= self.waiters_max:
            raise Unavailable
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[asyncpg.Connection | None] = loop.create_future()
        self._waiters.append(waiter)
        bell = loop.call_later(left_s, _give_up, waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            self._pass_on(waiter)
            raise
        finally:
            bell.cancel()
            if not waiter.done() or waiter.cancelled() or waiter.exception():
                with contextlib.suppress(ValueError):
                    self._waiters.remove(waiter)

    def _pass_on(self, waiter: asyncio.Future[asyncpg.Connection | None]) -> None:
        """What was handed to somebody who went away in the same moment is not lost."""
        if not waiter.done() or waiter.cancelled() or waiter.exception():
            return
        connection = waiter.result()
        if connection is None:
            self._let_one_open()
        else:
            self.give_back(connection)

    def _let_one_open(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

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


def _give_up(waiter: asyncio.Future[Any]) -> None:
    if not waiter.done():
        waiter.set_exception(Unavailable())

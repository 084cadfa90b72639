"""One queue at work: claims what is due, does several pieces at once, and settles, tries again or gives up."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from nines_runtime.calls.deadline import Deadline
from nines_runtime.calls.tracing import begun
from nines_runtime.data.database import Database
from nines_runtime.data.tasks import Away, GiveUp, Queue, Row, TaskMetrics, TooEarly, oldest_of, reason_of
from nines_runtime.data.waits import around, doubled

STATEMENT_S_MAX = 5.0
WORK_SHARE = 0.8
"""Of a lease: a piece that takes longer is cut, so that it has ended when another may claim it."""
ROOM_SHARE = 0.75
OUTAGE_S_MAX = 5.0
AWAY_S_MAX, AWAY_FOR_LONG, AWAY_FOR_LONG_S = 5.0, 10_000, 3_600.0
"""Until a piece is tried again whose addressee was away: how often that was is no reason to wait long, but for an
outage of days, in which attempts would be used up that a column can count."""
OLDEST_EVERY_S = 15.0
GATHER_S = 0.02
"""From one claim to the next where few rows are due at a time: what comes in between goes together."""
GIVE_WAY_S_MAX = 1.0
"""How long requests go first where the process has too much to do; then some rows are claimed all the same."""
GIVE_WAY_STEP_S = 0.05
DELETED_MAX = 500
SUSPECT = 10
"""So many failures in a row, without a success between them, are no longer those of single pieces."""
PROBE_S_MIN, PROBE_S_MAX = 0.5, 10.0

OnError = Callable[[str, BaseException], None]


class Worker:
    """`bell` is rung when something may be due, or when it is to stop.

    When everything fails, whoever is asked is down: one piece at a time finds out whether that is over, and the others
    keep their attempts for when it is. While `is_busy` says so, requests go first, within a limit."""

    def __init__(
        self,
        queue: Queue,
        database: Database,
        metrics: TaskMetrics,
        on_error: OnError,
        *,
        is_busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self.queue = queue
        self.bell = asyncio.Event()
        self._is_busy = is_busy
        self._stopping = asyncio.Event()
        self._claimed_s = -GATHER_S
        self._database, self._metrics, self._on_error = database, metrics, on_error
        self._oldest = oldest_of(queue)
        self._failed_in_row = 0
        self._probes = 0
        self._pieces: set[asyncio.Task[None]] = set()
        self._done: list[Any] = []
        self._deleting: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()
        self._ended.set()

    async def run(self) -> None:
        """Until it is stopped; an outage of the database only makes it wait."""
        self._ended.clear()
        try:
            await self._run()
        finally:
            self._ended.set()

    async def _run(self) -> None:
        failures, looked_s = 0, 0.0
        self._metrics.dead(self.queue.name, 0)
        while not self._stopping.is_set():
            await self._give_way()
            self.bell.clear()
            try:
                if time.monotonic() - looked_s > OLDEST_EVERY_S:
                    looked_s = time.monotonic()
                    await self._look()
                if self._is_suspended:
                    await self._probe()
                    continue
                is_full = await self._claim(self.queue.concurrency - len(self._pieces))
                failures = 0
            except Exception as error:
                failures += 1
                self._on_error(self.queue.name, error)
                await self._pause(doubled(failures, first_s=0.2, longest_s=OUTAGE_S_MAX))
                continue
            if is_full:
                await self._some_room()
            else:
                await self._rest(around(self.queue.poll_s))

    async def stop(self, limit_s: float) -> None:
        """What is under way may end; after the limit it is cut, and its lease brings it back."""
        deadline = Deadline.after(limit_s)
        self._stopping.set()
        self.bell.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline.left_s):
                # A claim that is under way brings pieces that are to be done as well.
                await self._ended.wait()
        if self._pieces:
            await asyncio.wait(self._pieces, timeout=deadline.left_s)
        for piece in self._pieces:
            piece.cancel()
        if self._pieces:
            await asyncio.wait(self._pieces)
        if self._deleting is not None:
            await self._deleting

    @property
    def _is_suspended(self) -> bool:
        return self.queue.suspends and self._failed_in_row >= SUSPECT

    async def _probe(self) -> None:
        await self._pause(doubled(self._probes + 1, first_s=PROBE_S_MIN, longest_s=PROBE_S_MAX))
        if self._stopping.is_set() or self._pieces:
            return
        await self._claim(1)
        if self._pieces:
            self._probes += 1
            await asyncio.wait(self._pieces)

    async def _claim(self, room: int) -> bool:
        """Whether there may be more than there is room for."""
        lease = timedelta(seconds=self.queue.lease_s)
        arguments = (*self.queue.claim_arguments, room, lease)
        self._claimed_s = begun_s = time.monotonic()
        rows = await self._database.fetch(_soon(), self.queue.claim, *arguments)
        # The lease began when the statement did.
        deadline = Deadline(begun_s + WORK_SHARE * self.queue.lease_s)
        for row in rows:
            piece = asyncio.create_task(self._do(row, deadline), name=self.queue.name)
            self._pieces.add(piece)
            piece.add_done_callback(self._pieces.discard)
        return len(rows) >= room

    async def _some_room(self) -> None:
        """A quarter of the places, so that a long queue is not claimed row by row."""
        while len(self._pieces) > ROOM_SHARE * self.queue.concurrency:
            await asyncio.wait(self._pieces, return_when=asyncio.FIRST_COMPLETED)

    async def _give_way(self) -> None:
        until_s = time.monotonic() + GIVE_WAY_S_MAX
        while self._is_busy() and time.monotonic() < until_s and not self._stopping.is_set():
            await self._pause(GIVE_WAY_STEP_S)

    async def _pause(self, seconds: float) -> None:
        """As _rest, but news of more work is no reason to go on."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.bell.wait()
        left_s = self._claimed_s + GATHER_S - time.monotonic()
        if left_s > 0 and not self.queue.is_chained:
            await self._pause(left_s)

    async def _do(self, row: Row, deadline: Deadline) -> None:
        try:
            async with asyncio.timeout(deadline.left_s):
                with begun(self.queue.name):
                    await self.queue.work(row, deadline)
        except TooEarly as early:
            await self._settled(self._postpone(row, early))
        except Exception as error:
            self._failed_in_row += not isinstance(error, GiveUp)
            self._on_error(self.queue.name, error)
            await self._settled(self._fail(row, error))
        else:
            self._failed_in_row = self._probes = 0
            self._metrics.delay(self.queue.name, "done", _since(row))
            if self.queue.delete:
                self._delete(row["id"])

    async def _settled(self, settling: Awaitable[None]) -> None:
        """Where even that fails, the end of its lease makes the row due again."""
        try:
            await settling
        except Exception as error:
            self._on_error(self.queue.name, error)

    async def _postpone(self, row: Row, early: TooEarly) -> None:
        wait = timedelta(seconds=around(early.wait_s))
        if self.queue.postpone:
            await self._database.execute(_soon(), self.queue.postpone, wait, row["id"], row["attempts"])
        else:
            await self._retry(row, reason_of(early), wait, attempts_max=_NEVER)

    async def _fail(self, row: Row, error: Exception) -> None:
        attempt = row.get("attempts", 0)
        if isinstance(error, Away):
            longest_s = AWAY_S_MAX if attempt < AWAY_FOR_LONG else AWAY_FOR_LONG_S
            wait = timedelta(seconds=doubled(attempt, longest_s=longest_s))
            await self._retry(row, reason_of(error), wait, attempts_max=_NEVER)
            return
        is_over = isinstance(error, GiveUp) or attempt >= self.queue.attempts_max
        wait = timedelta(seconds=doubled(attempt))
        if is_over and self.queue.give_up is not None:
            await self.queue.give_up(row, _soon(self.queue.lease_s))
        elif is_over and self.queue.retry_marks_dead:
            await self._retry(row, reason_of(error), wait, attempts_max=0)
        else:
            await self._retry(row, reason_of(error), wait, attempts_max=self.queue.attempts_max)
            return
        self._metrics.dead(self.queue.name, 1)
        self._metrics.delay(self.queue.name, "dead", _since(row))

    async def _retry(self, row: Row, reason: str, wait: timedelta, *, attempts_max: int) -> None:
        if not self.queue.retry:
            return
        limit = (attempts_max,) if self.queue.retry_marks_dead else ()
        await self._database.execute(_soon(), self.queue.retry, reason, wait, *limit, row["id"], row["attempts"])

    def _delete(self, id: Any) -> None:
        self._done.append(id)
        if self._deleting is None or self._deleting.done():
            self._deleting = asyncio.create_task(self._delete_all())

    async def _delete_all(self) -> None:
        while self._done:
            ids, self._done = self._done[:DELETED_MAX], self._done[DELETED_MAX:]
            try:
                await self._database.execute(_soon(), self.queue.delete, ids)
            except Exception as error:
                # They are done once more: at least once is what was promised.
                self._on_error(self.queue.name, error)
        if self.queue.is_chained:
            self.bell.set()

    async def _look(self) -> None:
        if not self._oldest:
            return
        row = await self._database.fetchrow(_soon(), self._oldest, *self.queue.claim_arguments)
        oldest = row["oldest"] if row is not None else None
        self._metrics.oldest(self.queue.name, oldest.total_seconds() if oldest is not None else 0.0)


_NEVER = 32_767
"""The largest attempt that the column can hold."""


def _soon(limit_s: float = STATEMENT_S_MAX) -> Deadline:
    return Deadline.after(limit_s)


def _since(row: Row) -> float:
    """How long ago it became due, as far as the row tells."""
    moment = row.get("updated_at") or row.get("created_at")
    return max(0.0, (datetime.now(UTC) - moment).total_seconds()) if moment else 0.0

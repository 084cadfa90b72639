"""Group commit: several requests in one statement, and nobody is answered before it is durable."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import asyncpg

from nines_runtime.calls.deadline import Deadline
from nines_runtime.data.failures import RETRY_AFTER_S, Conflict, Unavailable
from nines_runtime.data.pacing import PACE_S

if TYPE_CHECKING:
    from nines_runtime.data.database import Database

LANES = 2
LANE_ROWS = 64
"""Waiting, for another statement to go at the same time: a commit costs the database as much as a dozen rows, so that
two small ones are dearer than one."""
ROWS_MAX = 256
WAITING_MAX = 5_000
PACED_ROWS = 8
"""After a statement that carried so many rows the next is PACE_S later: what comes in between saves a commit for a few
milliseconds of waiting. Where less comes at a time, and little in all, nobody waits for others."""
CONFLICTS_MAX = 3
"""How often a statement is tried that others got in the way of."""
LOOK_EVERY_S = 0.05
"""How late somebody may be told that their deadline has passed."""


class Row:
    """One request's part of a statement."""

    __slots__ = ("alone", "arguments", "deadline", "written")

    def __init__(
        self,
        deadline: Deadline,
        arguments: Sequence[Any],
        alone: Hashable | None,
        written: asyncio.Future[asyncpg.Record | None],
    ) -> None:
        self.deadline, self.arguments, self.alone, self.written = deadline, arguments, alone, written


class Batch:
    """Rows of several requests, written by one statement: what arrives while a flush is under way goes with the next.
    The first does not wait for others; where many come, flushes keep a pace, and where too much waits for that, or one
    hangs, two are under way at once.

    `statement` takes `constants`, then one array for each column, and returns for each row that it wrote the row's
    place among them, from 1, as `place`, with whatever else the caller wants to know:

        WITH asked AS (
            SELECT * FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS asked (id, name, place)
        ), written AS (
            INSERT INTO things (id, name) SELECT id, name FROM asked ON CONFLICT (name) DO NOTHING RETURNING id
        )
        SELECT asked.place FROM written JOIN asked USING (id)

    A value must not be a list or tuple itself, for PostgreSQL knows no arrays of arrays."""

    def __init__(
        self,
        database: Database,
        statement: str,
        *,
        constants: Sequence[Any] = (),
        rows_max: int = ROWS_MAX,
        waiting_max: int = WAITING_MAX,
        lanes: int = LANES,
    ) -> None:
        self._database, self._statement, self._constants = database, statement, tuple(constants)
        self._rows_max, self._waiting_max, self._lanes = rows_max, waiting_max, lanes
        self._waiting: deque[Row] = deque()
        self._flying: dict[int, list[Row]] = {}
        self._alone: set[Hashable] = set()
        self._running = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._watch: asyncio.TimerHandle | None = None
        self._resting: list[asyncio.Future[None]] = []
        """Of lanes that gather: one that ends lets its lane go on."""

    @property
    def waiting(self) -> int:
        """Rows that no statement has taken yet."""
        return len(self._waiting)

    async def add(
        self, deadline: Deadline, arguments: Sequence[Any], *, alone: Hashable | None = None
    ) -> asyncpg.Record | None:
        """The row that the statement returned for these arguments; None where it wrote nothing (a conflict).

        Two rows with the same `alone` never go at once, so that the second sees what the first did. A row that
        breaks a rule fails alone: Violated, or the database's own error. Unavailable where nobody can know whether
        it was written, or where too many wait."""
        if len(self._waiting) >= self._waiting_max:
            raise Unavailable
        loop = asyncio.get_running_loop()
        row = Row(deadline, arguments, alone, loop.create_future())
        self._waiting.append(row)
        if self._running == 0:
            self._open_lane(loop)
        elif len(self._waiting) >= LANE_ROWS:
            if self._resting:
                _end(self._resting.pop())
            elif self._running < self._lanes:
                self._open_lane(loop)
        if self._watch is None:
            self._watch = loop.call_later(LOOK_EVERY_S, self._look, loop)
        return await row.written

    async def close(self) -> None:
        """Waits for what is under way; take no more requests before."""
        while self._tasks:
            while self._resting:
                _end(self._resting.pop())
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _open_lane(self, loop: asyncio.AbstractEventLoop) -> None:
        self._running += 1
        task = loop.create_task(self._lane())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _lane(self) -> None:
        number = id(asyncio.current_task())
        is_first = True
        try:
            # Where little waits, the last lane alone goes on.
            while (is_first or self._running == 1 or len(self._waiting) >= LANE_ROWS) and (rows := self._next()):
                is_first = False
                begun_s = time.monotonic()
                self._flying[number] = rows
                self._alone.update(row.alone for row in rows if row.alone is not None)
                try:
                    await self._write(rows)
                finally:
                    del self._flying[number]
                    self._alone.difference_update([row.alone for row in rows])
                left_s = begun_s + self._gather_s(len(rows)) - time.monotonic()
                if left_s > 0 and len(self._waiting) < LANE_ROWS:
                    await self._rest(left_s)
        finally:
            # In the same breath as the last look: whoever comes after it begins a lane of its own.
            self._running -= 1

    async def _rest(self, seconds: float) -> None:
        """At most so long; until there is as much as one statement should carry."""
        loop = asyncio.get_running_loop()
        rest: asyncio.Future[None] = loop.create_future()
        self._resting.append(rest)
        bell = loop.call_later(seconds, _end, rest)
        try:
            await rest
        finally:
            bell.cancel()
            if rest in self._resting:
                self._resting.remove(rest)

    def _gather_s(self, rows: int) -> float:
        pace = self._database.pace
        pace.wrote(rows, time.monotonic())
        return max(pace.gather_s, PACE_S if rows >= PACED_ROWS else 0.0)

    def _next(self) -> list[Row]:
        rows: list[Row] = []
        seen: set[Hashable] = set()
        later: list[Row] = []
        while self._waiting and len(rows) < self._rows_max:
            row = self._waiting.popleft()
            if row.written.done():
                continue
            if row.alone is not None:
                if row.alone in seen or row.alone in self._alone:
                    later.append(row)
                    continue
                seen.add(row.alone)
            rows.append(row)
        self._waiting.extendleft(reversed(later))
        return rows

    async def _write(self, rows: list[Row]) -> None:
        """A statement that fails has written nothing; its halves are tried until the row is found that is to blame."""
        try:
            found = await self._flushed(rows)
        except Unavailable as outage:
            for row in rows:
                told = Unavailable(outage.retry_after_s or RETRY_AFTER_S)
                told.__cause__ = outage
                _fail(row, told)
        except Exception as error:
            if len(rows) == 1:
                _fail(rows[0], error)
                return
            middle = len(rows) // 2
            await self._write(rows[:middle])
            await self._write(rows[middle:])
        except BaseException:
            for row in rows:
                _fail(row, Unavailable())
            raise
        else:
            for row, written in zip(rows, found, strict=True):
                if not row.written.done():
                    row.written.set_result(written)

    async def _flushed(self, rows: list[Row]) -> list[asyncpg.Record | None]:
        # The one who waits longest decides: a flush is not given up because one of its rows is in a hurry.
        deadline = max((row.deadline for row in rows), key=lambda each: each.left_s)
        for attempt in range(CONFLICTS_MAX):
            try:
                return await self._sent(deadline, rows)
            except Conflict:
                if attempt + 1 == CONFLICTS_MAX:
                    raise
        return [None] * len(rows)

    async def _sent(self, deadline: Deadline, rows: list[Row]) -> list[asyncpg.Record | None]:
        """What the statement returned for each of them."""
        columns = list(zip(*(row.arguments for row in rows), strict=True))
        found = await self._database.fetch(deadline, self._statement, *self._constants, *columns)
        by_place = {row["place"]: row for row in found}
        return [by_place.get(place) for place in range(1, len(rows) + 1)]

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tells those whose deadline has passed; what is under way may still be written."""
        self._watch = None
        for rows in (self._waiting, *self._flying.values()):
            for row in rows:
                if not row.deadline.left_s:
                    _fail(row, Unavailable())
        if self._waiting and 0 < self._running < self._lanes:
            # What is under way may hang.
            self._open_lane(loop)
        if self._waiting or self._flying:
            self._watch = loop.call_later(LOOK_EVERY_S, self._look, loop)


def _end(rest: asyncio.Future[None]) -> None:
    if not rest.done():
        rest.set_result(None)


def _fail(row: Row, error: Exception) -> None:
    if not row.written.done():
        row.written.set_exception(error)

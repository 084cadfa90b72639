"""Work that nobody waits for: queues whose rows are claimed, and turns of a schedule, within this process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from nines_runtime.calls.deadline import Deadline
from nines_runtime.data.database import Database
from nines_runtime.data.statements import TAKE_TURN

Row = Mapping[str, Any]


class GiveUp(Exception):  # noqa: N818 -- It says what is to be done.
    """Raised by a piece of work that was refused for good: it is not tried again."""


class TooEarly(Exception):  # noqa: N818 -- It says what is the case.
    """Raised by a piece of work whose time has not come: it becomes due again, and no attempt is counted as failed."""

    def __init__(self, wait_s: float = 60.0) -> None:
        super().__init__(f"It is due again in {wait_s:g} s.")
        self.wait_s = wait_s


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """A job whose pieces are rows that are due."""

    name: str
    claim: str
    """SQL; its last two arguments are how many rows at most and the lease."""
    claim_arguments: tuple[Any, ...] = ()
    """Those before them."""
    work: Callable[[Row, Deadline], Awaitable[None]]
    """Does one piece and settles it, in a transaction of its own whose last condition names `row["attempts"]`."""
    retry: str = ""
    """SQL: error, wait, [attempts_max,] id, attempt. Empty: a row is due again when its lease ends."""
    retry_marks_dead: bool = False
    """Whether `retry` takes attempts_max and marks the row as dead itself."""
    give_up: Callable[[Row, Deadline], Awaitable[None]] | None = None
    """Settles a piece whose last attempt failed, or that was refused for good."""
    delete: str = ""
    """SQL: ids. What was done is deleted; empty: `work` settles it."""
    attempts_max: int = 20
    concurrency: int = 8
    lease_s: float = 60.0
    poll_s: float = 1.0
    oldest: str = ""
    """SQL: a row whose member `oldest` is an interval, or NULL where nothing is due."""


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A job that runs every so often, in one of all processes."""

    name: str
    every_s: float
    run: Callable[[Deadline], Awaitable[None]]
    limit_s: float = 300.0


class TaskMetrics(Protocol):
    """Where figures go; the names are those of the dossier's telemetry."""

    def delay(self, task: str, outcome: str, seconds: float) -> None: ...
    def oldest(self, task: str, seconds: float) -> None: ...
    def dead(self, task: str, count: int) -> None: ...
    def success(self, task: str, at_s: float) -> None: ...
    def interval(self, task: str, seconds: float) -> None: ...


class Jobs:
    """`take_turn` is the statement of the service's own schedules."""

    def __init__(
        self,
        database: Database,
        *,
        queues: Sequence[Queue] = (),
        schedules: Sequence[Schedule] = (),
        take_turn: str = TAKE_TURN,
        metrics: TaskMetrics | None = None,
        on_error: Callable[[str, BaseException], None] = lambda _name, _error: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._take_turn, self._metrics, self._clock = database, take_turn, metrics, clock
        self._queues, self._schedules, self._on_error = tuple(queues), tuple(schedules), on_error
        self._bells = {each.name: asyncio.Event() for each in self._queues}

    def start(self) -> None:
        """Begins to work in the running event loop."""
        raise NotImplementedError

    async def stop(self, limit_s: float) -> None:
        """Claims nothing more, lets what is under way end, and after the limit cuts it: its lease brings it back."""
        raise NotImplementedError

    def wake(self, name: str) -> None:
        """Tells a queue that something is due, so that it need not wait for its next look."""
        bell = self._bells.get(name)
        if bell is not None:
            bell.set()

"""Work that nobody waits for: queues whose rows are claimed, and turns of a schedule, within this process.

    purging = Schedule(name="purge", every_s=3_600, run=purge)
    jobs = Jobs(database, queues=[relay_queue(outbox, deliver, service="shop")], schedules=[purging])
    jobs.start()
    ...
    await jobs.stop(limit_s=10)

Any number of processes may do so: a row is leased to one of them at a time, and a turn is taken by one."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta

from nines_runtime.calls.deadline import Deadline
from nines_runtime.calls.tracing import begun
from nines_runtime.data.database import Database
from nines_runtime.data.queueing import STATEMENT_S_MAX, OnError, Worker
from nines_runtime.data.statements import TAKE_TURN
from nines_runtime.data.tasks import NoMetrics, Queue, Schedule, TaskMetrics, reason_of
from nines_runtime.data.waits import around

LOOK_EVERY_S_MIN, LOOK_EVERY_S_MAX = 1.0, 60.0
LOOKS_PER_TURN = 4
LAG_EVERY_S = 0.05
LAG_S_MAX = 0.01
"""How late the event loop may be before what nobody waits for gives way to what somebody waits for."""
_logger = logging.getLogger("nines_runtime.jobs")


def _log(name: str, error: BaseException) -> None:
    _logger.warning("a piece of work failed", extra={"task": name, "error": reason_of(error)})


class Jobs:
    """`take_turn` is the statement of the service's own schedules; `on_error` is told every failure."""

    def __init__(
        self,
        database: Database,
        *,
        queues: Sequence[Queue] = (),
        schedules: Sequence[Schedule] = (),
        take_turn: str = TAKE_TURN,
        metrics: TaskMetrics | None = None,
        on_error: OnError = _log,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._database, self._take_turn, self._on_error, self._wall = database, take_turn, on_error, wall
        self._metrics: TaskMetrics = metrics or NoMetrics()
        self._lag_s = 0.0
        self._workers = {
            each.name: Worker(each, database, self._metrics, on_error, is_busy=self._is_late) for each in queues
        }
        self._schedules = tuple(schedules)
        self._running: list[asyncio.Task[None]] = []
        self._turns: set[asyncio.Task[None]] = set()
        self._stopped = asyncio.Event()

    def start(self) -> None:
        """Begins to work in the running event loop."""
        if self._workers:
            self._begin(self._watch(), "lag")
        for worker in self._workers.values():
            self._begin(worker.run(), worker.queue.name)
        for schedule in self._schedules:
            self._metrics.interval(schedule.name, schedule.every_s)
            self._metrics.success(schedule.name, self._wall())
            self._begin(self._keep_time(schedule), schedule.name)

    def _begin(self, work: Coroutine[None, None, None], name: str) -> None:
        def ended(task: asyncio.Task[None]) -> None:
            # Neither ever ends by itself: what ended it must not go unheard.
            if not task.cancelled() and (error := task.exception()) is not None:
                self._on_error(name, error)

        task = asyncio.create_task(work, name=name)
        task.add_done_callback(ended)
        self._running.append(task)

    async def stop(self, limit_s: float) -> None:
        """Claims nothing more, lets what is under way end, and after the limit cuts it: its lease brings it back."""
        deadline = Deadline.after(limit_s)
        self._stopped.set()
        await asyncio.gather(*(worker.stop(deadline.left_s) for worker in self._workers.values()))
        if self._turns:
            await asyncio.wait(self._turns, timeout=deadline.left_s)
        for task in (*self._turns, *self._running):
            task.cancel()
        await asyncio.gather(*self._turns, *self._running, return_exceptions=True)
        self._running.clear()

    def wake(self, name: str) -> None:
        """Tells a queue that something is due, so that it need not wait for its next look."""
        worker = self._workers.get(name)
        if worker is not None:
            worker.bell.set()

    def _is_late(self) -> bool:
        return self._lag_s > LAG_S_MAX

    async def _watch(self) -> None:
        """A sleep that takes longer than it should tells how long everybody waits for the processor."""
        while True:
            begun_s = time.monotonic()
            await asyncio.sleep(LAG_EVERY_S)
            self._lag_s = time.monotonic() - begun_s - LAG_EVERY_S

    async def _keep_time(self, schedule: Schedule) -> None:
        every_s = min(LOOK_EVERY_S_MAX, max(LOOK_EVERY_S_MIN, schedule.every_s / LOOKS_PER_TURN))
        while not self._stopped.is_set():
            turn = asyncio.create_task(self._turn(schedule), name=schedule.name)
            self._turns.add(turn)
            turn.add_done_callback(self._turns.discard)
            await asyncio.wait((turn,))
            try:
                async with asyncio.timeout(around(every_s)):
                    await self._stopped.wait()
            except TimeoutError:
                continue

    async def _turn(self, schedule: Schedule) -> None:
        try:
            taken = await self._database.fetchrow(
                Deadline.after(STATEMENT_S_MAX), self._take_turn, schedule.name, timedelta(seconds=schedule.every_s)
            )
            if taken is None:
                return
            with begun(schedule.name):
                async with asyncio.timeout(schedule.limit_s):
                    await schedule.run(Deadline.after(schedule.limit_s))
        except Exception as error:
            # It is run again at its next turn.
            self._on_error(schedule.name, error)
        else:
            self._metrics.success(schedule.name, self._wall())

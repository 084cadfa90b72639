"""Watches the service's processes: processor, memory, descriptors and database connections at a fixed interval."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

import psutil

from nines.model.history import Sample

INTERVAL_S = 0.5
SAMPLES_MAX = 100_000


class Watch:
    """Collects samples between `open` and `close`; `clock_s` gives the time that they carry."""

    def __init__(
        self,
        tree: Callable[[], list[psutil.Process]],
        clock_s: Callable[[], float],
        connections: Callable[[], int] | None = None,
        interval_s: float = INTERVAL_S,
    ) -> None:
        self._tree = tree
        self._clock_s = clock_s
        self._connections = connections
        self._interval_s = interval_s
        self._known: dict[tuple[int, float], tuple[float, float]] = {}
        self._task: asyncio.Task[None] | None = None
        self.samples: list[Sample] = []

    def open(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        while len(self.samples) < SAMPLES_MAX:
            # Reading /proc of many processes takes milliseconds, which the load generator on this loop would feel.
            sample = await asyncio.to_thread(self.sample)
            if sample is not None:
                self.samples.append(sample)
            await asyncio.sleep(self._interval_s)

    def sample(self) -> Sample | None:
        """One look at all processes; None while the service is down."""
        processes = self._tree()
        if not processes:
            return None
        now_s = time.monotonic()
        busy_share, memory_bytes, descriptors = 0.0, 0, 0
        for process in processes:
            with contextlib.suppress(psutil.Error):
                with process.oneshot():
                    times = process.cpu_times()
                    memory_bytes += process.memory_info().rss
                    descriptors += process.num_fds()
                    identity = (process.pid, process.create_time())
                busy_s = times.user + times.system
                earlier = self._known.get(identity)
                if earlier is not None and now_s > earlier[0]:
                    busy_share += (busy_s - earlier[1]) / (now_s - earlier[0])
                self._known[identity] = (now_s, busy_s)
        return Sample(
            time_s=self._clock_s(),
            cpu_percent=max(0.0, busy_share) * 100.0,
            memory_bytes=memory_bytes,
            descriptors=descriptors,
            connections=self._connections() if self._connections else 0,
        )

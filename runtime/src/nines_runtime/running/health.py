"""Whether a process has started, lives, and is ready for requests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic

CHECK_S_MAX = 1.0
"""How long readiness waits for what it asks."""
KEPT_S = 1.0
"""How long an answer is used again, so that probes are no load."""
Check = Callable[[], Awaitable[object]]


class Health:
    """Liveness asks nobody: a process whose database is away must not be killed for it."""

    def __init__(
        self,
        *,
        check_s_max: float = CHECK_S_MAX,
        kept_s: float = KEPT_S,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.has_started = False
        self.is_draining = False
        self.checks: Mapping[str, Check] = {}
        self.failing: tuple[str, ...] = ()
        """The names of the checks that failed when last asked; for the log, never for callers."""
        self._check_s_max = check_s_max
        self._kept_s = kept_s
        self._clock = clock
        self._asked_at_s = -kept_s
        self._asking: asyncio.Task[tuple[str, ...]] | None = None

    async def is_ready(self) -> bool:
        if not self.has_started or self.is_draining:
            return False
        if self._clock() - self._asked_at_s >= self._kept_s:
            # Those who ask meanwhile wait for the same answer; one of them that hangs up ends nothing.
            if self._asking is None:
                self._asking = asyncio.get_running_loop().create_task(self._ask())
            await asyncio.shield(self._asking)
        return not self.failing and not self.is_draining

    async def _ask(self) -> tuple[str, ...]:
        try:
            names = list(self.checks)
            held = await asyncio.gather(*(self._holds(self.checks[name]) for name in names))
            self.failing = tuple(name for name, holds in zip(names, held, strict=True) if not holds)
            self._asked_at_s = self._clock()
            return self.failing
        finally:
            self._asking = None

    async def _holds(self, check: Check) -> bool:
        try:
            async with asyncio.timeout(self._check_s_max):
                return await check() is not False
        except Exception:
            # Whatever keeps it from answering, it is not ready.
            return False

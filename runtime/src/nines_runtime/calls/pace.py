"""No faster than a provider allows: what would be refused there waits here, or is not begun."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from nines_runtime.calls.deadline import Deadline

WAIT_S = 1.0


class TooFast(Exception):  # noqa: N818 -- a state
    """Nothing was begun."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"the pace is kept; come back in {retry_after_s:.2f} s")
        self.retry_after_s = retry_after_s


class Pace:
    """At most `burst` at once and `rate_hz` after that, for this process: give each process its part of the whole.

    Whoever would have to wait longer than `wait_s`, or than its deadline, is refused; it takes nobody's turn."""

    def __init__(
        self,
        rate_hz: float,
        *,
        burst: int = 1,
        wait_s: float = WAIT_S,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if rate_hz <= 0 or burst < 1 or wait_s < 0:
            raise ValueError("a pace has a rate above 0, lets one begin, and nobody waits for less than no time")
        self._apart_s = 1.0 / rate_hz
        self._ahead_s = (burst - 1) * self._apart_s
        self._wait_s = wait_s
        self._clock = clock
        self._sleep = sleep
        self._next_s = 0.0
        """When the next one would begin, were there no burst."""

    async def turn(self, deadline: Deadline | None = None) -> None:
        """Returns when it is one's turn; raises TooFast."""
        now = self._clock()
        mine_s = max(self._next_s, now)
        wait_s = mine_s - self._ahead_s - now
        if wait_s > (self._wait_s if deadline is None else deadline.within(self._wait_s)):
            raise TooFast(wait_s)
        self._next_s = mine_s + self._apart_s
        if wait_s > 0:
            await self._sleep(wait_s)

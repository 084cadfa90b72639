"""Trying again: on one layer, within a budget, at random moments, never past the deadline."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from nines_runtime.calls.deadline import Deadline

Result = TypeVar("Result")
SHARE = 0.1
SAVED_MAX = 10.0
BASE_S = 0.05
CEILING_S = 2.0


class RetryBudget:
    """Each first attempt saves `share` of a repetition, and few can be saved up: whoever is in trouble is not given
    more to do. Of n calls at most `saved_max` + share * n are repetitions."""

    def __init__(self, *, share: float = SHARE, saved_max: float = SAVED_MAX) -> None:
        if share < 0 or saved_max < 0:
            raise ValueError("neither a share nor what is saved is below 0")
        self._share = share
        self._saved_max = saved_max
        self._saved = saved_max

    def earn(self) -> None:
        """A first attempt is made."""
        self._saved = min(self._saved_max, self._saved + self._share)

    def spend(self) -> bool:
        """Whether one may be repeated now."""
        # Tenths are not exact in binary: without this the tenth call would not have saved a whole one.
        if self._saved < 1.0 - 1e-9:
            return False
        self._saved -= 1.0
        return True


class Retry:
    """How often and when a call is repeated; `max` counts the repetitions after the first attempt."""

    def __init__(
        self,
        *,
        max: int = 2,
        only_idempotent: bool = True,
        base_s: float = BASE_S,
        ceiling_s: float = CEILING_S,
        budget: RetryBudget | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        if max < 0 or base_s < 0 or ceiling_s < 0:
            raise ValueError("a retry is not made less than no times, and does not wait for less than no time")
        self.max = max
        self.only_idempotent = only_idempotent
        self.budget = budget or RetryBudget()
        self._base_s = base_s
        self._ceiling_s = ceiling_s
        self._chance = chance

    def wait_s(self, failures: int, *, retry_after_s: float | None = None) -> float:
        """How long to wait after so many failures: full jitter, beyond what whoever was asked wishes."""
        most = min(self._ceiling_s, self._base_s * 2.0 ** min(failures - 1, 32))
        return (retry_after_s or 0.0) + self._chance() * most

    def next_s(self, failures: int, deadline: Deadline, *, retry_after_s: float | None = None) -> float | None:
        """How long to wait before the next attempt; None: there is none. Takes it from the budget."""
        if failures > self.max:
            return None
        wait = self.wait_s(failures, retry_after_s=retry_after_s)
        if wait >= deadline.left_s or not self.budget.spend():
            return None
        return wait


async def retry(
    call: Callable[[], Awaitable[Result]],
    *,
    deadline: Deadline,
    policy: Retry,
    is_transient: Callable[[Exception], bool],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Result:
    """Makes the call, again while it fails transiently; raises its last exception. Only for calls that can be repeated
    without doing anything twice."""
    policy.budget.earn()
    failures = 0
    while True:
        try:
            return await call()
        except Exception as error:
            failures += 1
            wait = policy.next_s(failures, deadline) if is_transient(error) else None
            if wait is None:
                raise
        await sleep(wait)

"""A circuit breaker: whoever fails too often is not asked for a while, then by one call that tries."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

Result = TypeVar("Result")
WINDOW_S = 60.0
"""What is older says nothing about now."""


class BreakerOpen(Exception):  # noqa: N818 -- a state
    """Nothing was asked."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"the breaker is open; come back in {retry_after_s:.1f} s")
        self.retry_after_s = retry_after_s


class Pass:
    """A call that was let through; say once how it ended."""

    __slots__ = ("_breaker", "_era", "is_probe")

    def __init__(self, breaker: Breaker, era: int, is_probe: bool) -> None:
        self._breaker: Breaker | None = breaker
        self._era = era
        self.is_probe = is_probe

    def succeeded(self) -> None:
        self._end(is_ok=True)

    def failed(self) -> None:
        self._end(is_ok=False)

    def abandoned(self) -> None:
        """It ended without showing anything: cancelled, or never sent. Without effect where its end was told before."""
        self._end(is_ok=None)

    def _end(self, is_ok: bool | None) -> None:
        breaker, self._breaker = self._breaker, None
        if breaker is not None:
            breaker.settle(self._era, self.is_probe, is_ok)


class Breaker:
    """Opens when `error_share` of `of` calls, counted among the last `of` within `window_s`, failed.

    While it is open nothing passes; after `open_s` one call at a time does. If that succeeds the breaker closes and
    has forgotten everything, if it fails it stays open for `open_s` more. The end of a call that passed in an earlier
    state changes nothing."""

    def __init__(
        self,
        *,
        error_share: float = 0.5,
        of: int = 20,
        open_s: float = 15.0,
        window_s: float = WINDOW_S,
        clock: Callable[[], float] = time.monotonic,
        told: Callable[[bool], None] | None = None,
    ) -> None:
        if not 0 < error_share <= 1 or of < 1 or open_s <= 0 or window_s <= 0:
            raise ValueError("a breaker needs 0 < error_share <= 1, of >= 1, open_s > 0 and window_s > 0")
        self.open_s = open_s
        self._failures_max = max(1, math.ceil(error_share * of))
        self._window_s = window_s
        self._clock = clock
        self._told = told
        self._ends: deque[tuple[float, bool]] = deque(maxlen=of)
        self._failures = 0
        self._opened_s: float | None = None
        self._is_probing = False
        self._era = 0

    @property
    def is_open(self) -> bool:
        """Also while one call tries."""
        return self._opened_s is not None

    @property
    def retry_after_s(self) -> float:
        """When a call may try; 0 where one may now."""
        if self._opened_s is None:
            return 0.0
        left = self._opened_s + self.open_s - self._clock()
        # A probe is under way: its end decides, and nobody knows when that is.
        return max(left, 1.0) if self._is_probing else max(0.0, left)

    def tell(self, told: Callable[[bool], None]) -> None:
        """Whom to tell of each change, and of the present state at once."""
        self._told = told
        told(self.is_open)

    def admit(self) -> Pass | None:
        """None: the call may not be made."""
        if self._opened_s is None:
            return Pass(self, self._era, is_probe=False)
        if self._is_probing or self._clock() - self._opened_s < self.open_s:
            return None
        self._is_probing = True
        return Pass(self, self._era, is_probe=True)

    def settle(self, era: int, is_probe: bool, is_ok: bool | None) -> None:
        """Called by a Pass."""
        if era != self._era:
            return
        if is_probe:
            self._is_probing = False
            if is_ok:
                self._change(None)
            elif is_ok is False:
                self._change(self._clock())
        elif is_ok is not None:
            self._count(is_ok)

    async def run(
        self, call: Callable[[], Awaitable[Result]], *, counts: Callable[[Exception], bool] = lambda _: True
    ) -> Result:
        """Makes the call, or raises BreakerOpen; `counts` says which exceptions are failures of whoever is asked."""
        admitted = self.admit()
        if admitted is None:
            raise BreakerOpen(self.retry_after_s)
        try:
            result = await call()
        except Exception as error:
            if counts(error):
                admitted.failed()
            else:
                admitted.succeeded()
            raise
        except BaseException:
            admitted.abandoned()
            raise
        admitted.succeeded()
        return result

    def _count(self, is_ok: bool) -> None:
        now, ends = self._clock(), self._ends
        if len(ends) == ends.maxlen:
            self._failures -= not ends[0][1]
        ends.append((now, is_ok))
        self._failures += not is_ok
        while ends[0][0] <= now - self._window_s:
            self._failures -= not ends.popleft()[1]
        if self._failures >= self._failures_max:
            self._change(now)

    def _change(self, opened_s: float | None) -> None:
        self._opened_s = opened_s
        self._era += 1
        self._ends.clear()
        self._failures = 0
        if self._told is not None:
            self._told(opened_s is not None)

"""A circuit breaker: after too many failures nothing is asked for a while, then one call tries."""

from __future__ import annotations

from collections import deque

CALLS_REMEMBERED = 20
CALLS_MIN = 10


class Breaker:
    """Opens when half of the last calls failed."""

    def __init__(self, *, open_s: float) -> None:
        self._open_s = open_s
        self._outcomes: deque[bool] = deque(maxlen=CALLS_REMEMBERED)
        self._opened_s: float | None = None
        self._probe_s: float | None = None

    @property
    def is_open(self) -> bool:
        return self._opened_s is not None

    def admits(self, now_s: float) -> bool:
        """Whether a call may be made now; while open, one each `open_s` may, to see whether it is over."""
        if self._opened_s is None:
            return True
        if now_s - (self._probe_s or self._opened_s) < self._open_s:
            return False
        self._probe_s = now_s
        return True

    def record(self, is_ok: bool, now_s: float) -> None:
        """What became of a call that was admitted."""
        if self._opened_s is not None:
            if is_ok:
                self._opened_s = self._probe_s = None
                self._outcomes.clear()
            return
        self._outcomes.append(is_ok)
        if len(self._outcomes) >= CALLS_MIN and self._outcomes.count(False) * 2 >= len(self._outcomes):
            self._opened_s = now_s

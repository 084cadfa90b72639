"""How long somebody still waits: the one limit that every wait below a request keeps."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

DEADLINE_HEADER = "x-deadline-ms"
"""Milliseconds that the caller still waits, in and out."""


class Deadline:
    """A moment of the monotonic clock."""

    __slots__ = ("_clock", "at_s")

    def __init__(self, at_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.at_s = at_s
        self._clock = clock

    @classmethod
    def after(cls, limit_s: float, *, clock: Callable[[], float] = time.monotonic) -> Deadline:
        """So many seconds from now."""
        return cls(clock() + limit_s, clock=clock)

    @property
    def left_s(self) -> float:
        """Never below 0."""
        return max(0.0, self.at_s - self._clock())

    @property
    def is_over(self) -> bool:
        return self._clock() >= self.at_s

    def within(self, limit_s: float) -> float:
        """The smaller of the limit and of what is left."""
        return min(limit_s, self.left_s)

    def shortened(self, limit_s: float) -> Deadline:
        """The earlier of this one and of so many seconds from now."""
        return Deadline(min(self.at_s, self._clock() + limit_s), clock=self._clock)

    def earlier(self, by_s: float) -> Deadline:
        """One that leaves time for what comes after; at most a quarter of what is left."""
        return Deadline(self.at_s - min(by_s, self.left_s / 4), clock=self._clock)

    def told(self, most_s: float = math.inf) -> str:
        """What DEADLINE_HEADER carries to whoever is asked; at most `most_s`."""
        return str(int(self.within(min(most_s, 86_400.0)) * 1_000))

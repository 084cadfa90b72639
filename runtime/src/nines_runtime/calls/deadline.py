"""How long somebody still waits: the one limit that every wait below a request keeps."""

from __future__ import annotations

from collections.abc import Callable


class Deadline:
    """A moment of the monotonic clock."""

    def __init__(self, at_s: float, *, clock: Callable[[], float]) -> None:
        self.at_s = at_s
        self._clock = clock

    @property
    def left_s(self) -> float:
        """Never below 0."""
        return max(0.0, self.at_s - self._clock())

    def within(self, limit_s: float) -> float:
        """The smaller of the limit and of what is left."""
        return min(limit_s, self.left_s)

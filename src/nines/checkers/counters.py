"""A number that requests add to: what it must be at least, and what it can be at most."""

from __future__ import annotations

from collections.abc import Iterable

from nines.model.history import Outcome
from nines.model.record import Record


class CounterResult(Record):
    low: float
    high: float
    final: float

    @property
    def holds(self) -> bool:
        return self.low <= self.final <= self.high


def check_counter(start: float, changes: Iterable[tuple[float, Outcome]], final: float) -> CounterResult:
    """Acknowledged changes count for certain, indefinite ones perhaps; amounts may be negative."""
    low = high = start
    for amount, outcome in changes:
        if outcome is Outcome.OK:
            low += amount
            high += amount
        elif outcome is Outcome.INDEFINITE:
            low += min(amount, 0.0)
            high += max(amount, 0.0)
    return CounterResult(low=low, high=high, final=final)

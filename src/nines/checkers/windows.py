"""Failures cluster: what the worst stretch of time looked like."""

from __future__ import annotations

from collections.abc import Iterable

from nines.model.record import Record


class Window(Record):
    start_s: float
    failures: int
    samples: int

    @property
    def share(self) -> float:
        return self.failures / self.samples if self.samples else 0.0


def windows(events: Iterable[tuple[float, bool]], length_s: float) -> tuple[Window, ...]:
    """Consecutive stretches of this length that hold anything; each event is a time and whether it failed."""
    if length_s <= 0:
        raise ValueError("a window has a length")
    counts: dict[int, tuple[int, int]] = {}
    for time_s, failed in events:
        slot = int(time_s // length_s)
        failures, samples = counts.get(slot, (0, 0))
        counts[slot] = (failures + failed, samples + 1)
    return tuple(
        Window(start_s=slot * length_s, failures=failures, samples=samples)
        for slot, (failures, samples) in sorted(counts.items())
    )


def worst(found: Iterable[Window]) -> Window | None:
    """The window with the greatest share of failures, None when none failed."""
    failing = [window for window in found if window.failures]
    return max(failing, key=lambda window: (window.share, window.failures), default=None)

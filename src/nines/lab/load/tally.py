"""Latencies and outcomes as they come in: one histogram for all, one row of counts for each second."""

from __future__ import annotations

import math

from hdrh.histogram import HdrHistogram

from nines.lab.load.ending import Ending
from nines.model.history import Outcome
from nines.model.record import Record

LATENCY_US_MAX = 3_600_000_000
DIGITS = 3
"""Significant digits of a latency in the histogram: an error of at most 0.1 %."""
_FRESH_MAX = 8192


class Window(Record):
    """One second of a load, counted by when its requests should have left."""

    start_s: float
    """From the start of the load."""
    ok: int
    failed: int
    indefinite: int
    latency_ms_mean: float
    latency_ms_max: float


class Tally:
    """Counts endings; `start_s` is the load's start on the clock of the endings."""

    def __init__(self, start_s: float) -> None:
        self.start_s = start_s
        self._histogram = HdrHistogram(1, LATENCY_US_MAX, DIGITS)
        # Most latencies recur to the microsecond; counting them here first spares the histogram most of its work.
        self._fresh: dict[int, int] = {}
        # Per second: ok, failed, indefinite, the sum and the largest of the latencies in seconds.
        self._rows: dict[int, list[float]] = {}

    def add(self, ending: Ending) -> None:
        latency_s = ending.ended_s - ending.intended_s
        latency_us = int(latency_s * 1e6)
        fresh = self._fresh
        fresh[latency_us] = fresh.get(latency_us, 0) + 1
        if len(fresh) > _FRESH_MAX:
            self._settle()
        second = int(ending.intended_s - self.start_s)
        row = self._rows.get(second)
        if row is None:
            row = self._rows[second] = [0, 0, 0, 0.0, 0.0]
        status = ending.status
        if 200 <= status < 400 and not ending.error:
            row[0] += 1
        else:
            row[1 if ending.outcome is Outcome.FAILED else 2] += 1
        row[3] += latency_s
        row[4] = max(row[4], latency_s)

    @property
    def total(self) -> int:
        self._settle()
        return int(self._histogram.total_count)

    def _settle(self) -> None:
        for latency_us, count in self._fresh.items():
            self._histogram.record_value(min(max(latency_us, 1), LATENCY_US_MAX), count)
        self._fresh.clear()

    def percentile_ms(self, percent: float) -> float:
        """The latency, from the intended time, that this many percent of the requests did not exceed; 0 without any."""
        total = self.total
        if not total:
            return 0.0
        # The histogram rounds to the nearest rank, which with few requests falls short; a whole rank it meets.
        rank = math.ceil(total * percent / 100.0 - 1e-9)
        return float(self._histogram.get_value_at_percentile(100.0 * rank / total)) / 1000.0

    def windows(self) -> tuple[Window, ...]:
        """The seconds in which requests were due, in order."""
        return tuple(
            Window(
                start_s=float(second),
                ok=int(row[0]),
                failed=int(row[1]),
                indefinite=int(row[2]),
                latency_ms_mean=1000.0 * row[3] / (row[0] + row[1] + row[2]),
                latency_ms_max=1000.0 * row[4],
            )
            for second, row in sorted(self._rows.items())
        )

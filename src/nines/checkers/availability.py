"""A forecast of a year's availability: measured recovery times, stated fault rates, and nothing hidden.

Minutes of testing cannot measure a year. What can be computed is how long the service would be down if faults struck
as often as stated and each took as long as the worst recovery that was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nines.checkers.binomial import CONFIDENCE
from nines.model.record import Record

YEAR_S = 365.25 * 24 * 3600
COUNT_MAX = 100_000


class FaultRate(Record):
    """How often a kind of fault is assumed to strike."""

    name: str
    """The figure that measures its recovery: "recovery of the service"."""
    words: str
    per_year: float


STATED: tuple[FaultRate, ...] = (
    FaultRate(name="recovery of the service", words="a crash of the service once a week", per_year=52.0),
    FaultRate(name="recovery of the database", words="a crash of the database once a month", per_year=12.0),
    FaultRate(name="recovery after a stall", words="a stalled dependency once a month", per_year=12.0),
    FaultRate(name="recovery after a reset", words="reset connections once a week", per_year=52.0),
)
"""Assumptions, not measurements; a report prints those that it used."""


class Forecast(Record):
    """Availability as a share of the year."""

    expected: float
    bound: float
    """Met with the stated confidence, if the assumptions hold."""
    down_s: float
    down_s_max: float
    assumptions: tuple[str, ...]


def forecast(
    recoveries_s: Sequence[tuple[str, float]], rates: Sequence[FaultRate] = STATED, confidence: float = CONFIDENCE
) -> Forecast | None:
    """From the worst measured recovery for each name; None when none of the rates was measured.

    The number of faults in a year is taken as Poisson; the bound adds up the high counts of all kinds, which errs
    on the safe side."""
    worst: dict[str, float] = {}
    for name, recovery_s in recoveries_s:
        worst[name] = max(recovery_s, worst.get(name, 0.0))
    used = [rate for rate in rates if rate.name in worst]
    if not used:
        return None
    down_s = sum(rate.per_year * worst[rate.name] for rate in used)
    down_s_max = sum(poisson_quantile(rate.per_year, confidence) * worst[rate.name] for rate in used)
    return Forecast(
        expected=max(0.0, 1.0 - down_s / YEAR_S),
        bound=max(0.0, 1.0 - down_s_max / YEAR_S),
        down_s=down_s,
        down_s_max=down_s_max,
        assumptions=tuple(f"{rate.words}, {worst[rate.name]:.1f} s each" for rate in used),
    )


def poisson_quantile(mean: float, confidence: float) -> int:
    """The smallest count that is not exceeded with this confidence."""
    if mean <= 0:
        return 0
    log_term = -mean
    reached = math.exp(log_term)
    for count in range(1, COUNT_MAX):
        if reached >= confidence:
            return count - 1
        log_term += math.log(mean) - math.log(count)
        reached += math.exp(log_term)
    return COUNT_MAX

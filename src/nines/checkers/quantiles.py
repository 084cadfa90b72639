"""Bounds for quantiles from order statistics: exact, and without assuming any distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nines.checkers.binomial import CONFIDENCE, tail_at_most
from nines.model.record import Record


class Quantile(Record):
    """A quantile's estimate with one-sided bounds; a bound is None where the sample is too small for one."""

    value: float
    lower: float | None
    upper: float | None
    samples: int


def quantile(values: Sequence[float], share: float, confidence: float = CONFIDENCE) -> Quantile | None:
    """The quantile of these values, None without any; an upper bound for p95 needs 59, for p99 299."""
    if not values:
        return None
    ordered = sorted(values)
    count = len(ordered)
    estimate = ordered[min(count - 1, max(0, math.ceil(count * share) - 1))]
    above, below = upper_rank(count, share, confidence), lower_rank(count, share, confidence)
    return Quantile(
        value=estimate,
        lower=ordered[below - 1] if below else None,
        upper=ordered[above - 1] if above else None,
        samples=count,
    )


def upper_rank(count: int, share: float, confidence: float = CONFIDENCE) -> int | None:
    """The smallest rank, from 1, whose value lies above the quantile with this confidence."""
    # The value of rank k lies above when at most k - 1 of the values lie below the quantile.
    if tail_at_most(count - 1, count, share) < confidence:
        return None
    low, high = 0, count
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if tail_at_most(middle - 1, count, share) >= confidence else (middle, high)
    return high


def lower_rank(count: int, share: float, confidence: float = CONFIDENCE) -> int | None:
    """The largest rank, from 1, whose value lies below the quantile with this confidence."""
    # The value of rank k lies below when at least k of the values do.
    if tail_at_most(0, count, share) > 1.0 - confidence:
        return None
    low, high = 1, count + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if 1.0 - tail_at_most(middle - 1, count, share) >= confidence else (low, middle)
    return low

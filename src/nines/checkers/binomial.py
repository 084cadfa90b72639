"""Exact one-sided bounds for a share of failures (Clopper and Pearson, 1934)."""

from __future__ import annotations

import math
from collections.abc import Callable

CONFIDENCE = 0.95
_STEPS_MAX = 200
_TINY = 1e-300
_PRECISION = 1e-15


def upper_bound(failures: int, samples: int, confidence: float = CONFIDENCE) -> float:
    """The largest share of failures that is still compatible with having seen so few; 1 where nothing was seen."""
    _check(failures, samples)
    if failures == samples:
        return 1.0
    # P(X <= failures) falls as the share grows; the bound is where it reaches 1 - confidence.
    return _solved(lambda share: 1.0 - incomplete_beta(failures + 1, samples - failures, share), 1.0 - confidence)


def lower_bound(failures: int, samples: int, confidence: float = CONFIDENCE) -> float:
    """The smallest share of failures that is still compatible with having seen so many."""
    _check(failures, samples)
    if samples == 0 or failures == 0:
        return 0.0
    return _solved(lambda share: 1.0 - incomplete_beta(failures, samples - failures + 1, share), confidence)


def samples_needed(failures: int, share: float, confidence: float = CONFIDENCE) -> int:
    """How many samples with this many failures show that the share is below `share`."""
    if not 0.0 < share < 1.0:
        raise ValueError("the share to be shown lies between 0 and 1")
    low, high = failures, failures + 1
    while upper_bound(failures, high, confidence) >= share:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if upper_bound(failures, middle, confidence) < share else (middle, high)
    return high


def tail_at_most(count: int, samples: int, share: float) -> float:
    """P(X <= count) for a binomial X."""
    if count < 0:
        return 0.0
    if count >= samples:
        return 1.0
    return 1.0 - incomplete_beta(count + 1, samples - count, share)


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function, by its continued fraction (DLMF 8.17.22, modified Lentz)."""
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    if x > (a + 1.0) / (a + b + 2.0):
        # The fraction converges fast only on this side of the mean.
        return 1.0 - incomplete_beta(b, a, 1.0 - x)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > _TINY else _TINY)
    fraction = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        change = 1.0
        for term in (even, odd):
            d = 1.0 + term * d
            d = 1.0 / (d if abs(d) > _TINY else _TINY)
            c = 1.0 + term / c
            c = c if abs(c) > _TINY else _TINY
            change = c * d
            fraction *= change
        if abs(change - 1.0) < _PRECISION:
            break
    return min(1.0, math.exp(log_front) * fraction / a)


def _solved(falling: Callable[[float], float], target: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(_STEPS_MAX):
        middle = (low + high) / 2.0
        if middle in (low, high):
            break
        low, high = (middle, high) if falling(middle) > target else (low, middle)
    return high


def _check(failures: int, samples: int) -> None:
    if not 0 <= failures <= samples:
        raise ValueError(f"{failures} failures of {samples} samples cannot be")

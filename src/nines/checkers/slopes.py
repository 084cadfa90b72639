"""The slope of a line through scattered points, untroubled by outliers (Theil, 1950; Sen, 1968)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist, median

from nines.checkers.binomial import CONFIDENCE
from nines.model.record import Record

EXACT_MAX = 40
"""Up to this many points Kendall's distribution is computed exactly, beyond it is close to normal."""
POINTS_MAX = 600


class Slope(Record):
    """The median slope with a two-sided interval; no interval where the points are too few for one."""

    value: float
    lower: float | None
    upper: float | None
    samples: int


def theil_sen(points: Sequence[tuple[float, float]], confidence: float = CONFIDENCE) -> Slope | None:
    """The median of the slopes between all pairs; None when no two points differ in x."""
    used = list(points)
    if len(used) > POINTS_MAX:
        step = math.ceil(len(used) / POINTS_MAX)
        used = used[::step]
    slopes = sorted(
        (used[j][1] - used[i][1]) / (used[j][0] - used[i][0])
        for i in range(len(used))
        for j in range(i + 1, len(used))
        if used[i][0] != used[j][0]
    )
    if not slopes:
        return None
    spread = _critical(used, confidence)
    lower = upper = None
    if spread is not None:
        # Ranks M and N - M + 1 of Hollander and Wolfe's interval, counted from 0.
        index = (len(slopes) - spread) // 2 - 1
        if 0 <= index < len(slopes) - index:
            lower, upper = slopes[index], slopes[len(slopes) - 1 - index]
    return Slope(value=median(slopes), lower=lower, upper=upper, samples=len(used))


def _critical(points: Sequence[tuple[float, float]], confidence: float) -> int | None:
    """The C of Sen's interval: how far Kendall's S strays by chance, None where even its extreme is no surprise."""
    count = len(points)
    if count <= EXACT_MAX:
        return _exact(count, (1.0 - confidence) / 2.0)
    groups: dict[float, int] = {}
    for x, _ in points:
        groups[x] = groups.get(x, 0) + 1
    ties = sum(t * (t - 1) * (2 * t + 5) for t in groups.values())
    variance = (count * (count - 1) * (2 * count + 5) - ties) / 18.0
    return round(NormalDist().inv_cdf(0.5 + confidence / 2.0) * math.sqrt(max(variance, 0.0)))


def _exact(count: int, tail: float) -> int | None:
    """The largest S that is exceeded, or reached, with more than this chance, from the counts of inversions."""
    ways = [1]
    for size in range(2, count + 1):
        wider = [0] * (len(ways) + size - 1)
        for shift in range(size):
            for index, number in enumerate(ways):
                wider[index + shift] += number
        ways = wider
    total = math.factorial(count)
    pairs = count * (count - 1) // 2
    reached = 0
    for inversions, number in enumerate(ways):
        reached += number
        if reached / total > tail:
            # S = pairs - 2 * inversions is too likely; Sen's C is the next smaller surprise.
            return pairs - 2 * inversions if inversions > 0 else None
    return None

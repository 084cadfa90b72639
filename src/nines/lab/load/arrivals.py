"""When requests should leave, in seconds from the start of a load."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

from nines.model.errors import LabError

RATE_HZ_MAX = 20_000.0
DURATION_S_MAX = 4 * 3600.0
REQUESTS_MAX = 5_000_000
"""One load is refused beyond these."""


def constant(rate_hz: float, duration_s: float) -> Iterator[float]:
    """At even distances, the first at 0 and all before `duration_s`."""
    check(rate_hz, duration_s)
    # A product instead of a running sum: a million additions would drift.
    return itertools.takewhile(lambda offset_s: offset_s < duration_s, (index / rate_hz for index in itertools.count()))


def poisson(rate_hz: float, duration_s: float, seed: int) -> Iterator[float]:
    """As independent users arrive: exponential gaps, the same for the same seed."""
    check(rate_hz, duration_s)
    return itertools.takewhile(lambda offset_s: offset_s < duration_s, _exponential(rate_hz, seed))


def _exponential(rate_hz: float, seed: int) -> Iterator[float]:
    chance = random.Random(seed)  # noqa: S311 - arrivals need to be repeatable, not secret.
    return itertools.accumulate(chance.expovariate(rate_hz) for _ in itertools.repeat(None))


def check(rate_hz: float, duration_s: float) -> None:
    """LabError for a rate or a duration out of bounds."""
    if not 0.0 < rate_hz <= RATE_HZ_MAX:
        raise LabError(
            f"a load of {rate_hz} requests a second", hint=f"Choose more than 0 and at most {RATE_HZ_MAX:.0f}."
        )
    if not 0.0 < duration_s <= DURATION_S_MAX:
        raise LabError(f"a load of {duration_s} s", hint=f"Choose more than 0 and at most {DURATION_S_MAX:.0f} s.")
    if rate_hz * duration_s > REQUESTS_MAX:
        raise LabError(
            f"a load of {rate_hz * duration_s:.0f} requests",
            hint=f"Choose a rate and a duration below {REQUESTS_MAX} requests.",
        )

"""How long to wait before the next attempt: twice as long each time, and never at the same moment as all others."""

from __future__ import annotations

import random
from collections.abc import Callable

FIRST_S = 2.0
LONGEST_S = 3_600.0
_DOUBLINGS_MAX = 40


def doubled(
    attempt: int, *, first_s: float = FIRST_S, longest_s: float = LONGEST_S, chance: Callable[[], float] = random.random
) -> float:
    """After the attempt of this number (from 1): the upper half of the doubled wait is left to chance."""
    whole = min(longest_s, first_s * 2.0 ** min(_DOUBLINGS_MAX, max(0, attempt - 1)))
    return whole * (0.5 + 0.5 * chance())


def around(seconds: float, *, chance: Callable[[], float] = random.random) -> float:
    """A tenth more or less, so that processes that began together drift apart."""
    return seconds * (0.9 + 0.2 * chance())

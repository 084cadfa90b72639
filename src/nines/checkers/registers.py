"""One value that is written again and again: whether what is read at last is one that may stand there."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from nines.model.history import Exchange, Outcome


def is_lost(writes: Sequence[Exchange], read: Collection[str]) -> bool:
    """Whether none of the markers that were read may be the last value.

    A write may be the last one unless an acknowledged write began after it had ended; one that was left open may have
    happened at any time. Where nothing was acknowledged, nothing can be lost."""
    acknowledged = [write for write in writes if write.outcome is Outcome.OK]
    if not acknowledged:
        return False
    latest_s = max(write.sent_s for write in acknowledged)
    possible = {write.marker for write in writes if write.outcome is not Outcome.FAILED and _end_s(write) >= latest_s}
    return not possible & set(read)


def _end_s(write: Exchange) -> float:
    return math.inf if write.outcome is Outcome.INDEFINITE else write.ended_s

"""A value that requests write and read: reads that came from nowhere, from the past, or found nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from nines.model.history import Outcome
from nines.model.record import Record


class Access(Record):
    """A write of, or a read that returned, `value`; every write's value is unique, None is "nothing there"."""

    value: str | None
    began_s: float
    ended_s: float
    outcome: Outcome = Outcome.OK


class Anomaly(StrEnum):
    PHANTOM = "phantom"
    """Nobody had begun to write it."""
    STALE = "stale"
    """It had been overwritten before the read began."""
    VANISHED = "vanished"
    """Nothing was there, although a write had been acknowledged before."""


def check_register(writes: Iterable[Access], reads: Sequence[Access]) -> tuple[tuple[int, Anomaly], ...]:
    """The reads, by index, that no order of the writes explains; linear but for sorting.

    A failed write never happened; an indefinite one may take effect at any time after it began."""
    by_value = {write.value: write for write in writes if write.outcome is not Outcome.FAILED}
    acknowledged = sorted((w for w in by_value.values() if w.outcome is Outcome.OK), key=lambda w: w.ended_s)
    found: list[tuple[int, Anomaly]] = []
    newest_began_s = float("-inf")
    position = 0
    for index in sorted(range(len(reads)), key=lambda i: reads[i].began_s):
        read = reads[index]
        while position < len(acknowledged) and acknowledged[position].ended_s < read.began_s:
            newest_began_s = max(newest_began_s, acknowledged[position].began_s)
            position += 1
        anomaly = _anomaly(read, by_value, newest_began_s)
        if anomaly is not None:
            found.append((index, anomaly))
    return tuple(sorted(found))


def _anomaly(read: Access, by_value: dict[str | None, Access], newest_began_s: float) -> Anomaly | None:
    if read.outcome is not Outcome.OK:
        return None
    if read.value is None:
        return Anomaly.VANISHED if newest_began_s > float("-inf") else None
    write = by_value.get(read.value)
    if write is None or write.began_s > read.ended_s:
        return Anomaly.PHANTOM
    # Acknowledged before another write began that was itself acknowledged before the read: overwritten for certain.
    if write.outcome is Outcome.OK and write.ended_s < newest_began_s:
        return Anomaly.STALE
    return None

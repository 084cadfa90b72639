"""What was added, what is there: lost, phantom and duplicated elements, with the indefinite left open."""

from __future__ import annotations

from collections.abc import Iterable

from nines.model.history import Exchange, Outcome, Seen
from nines.model.record import Record


class SetResult(Record):
    """Markers, each in the order of its request."""

    lost: tuple[str, ...] = ()
    """Acknowledged, and not there."""
    phantom: tuple[str, ...] = ()
    """There, though it was refused or never sent."""
    duplicated: tuple[str, ...] = ()
    """There more than once."""
    recovered: tuple[str, ...] = ()
    """Indefinite, and there: allowed."""
    acknowledged: int = 0
    indefinite: int = 0

    @property
    def holds(self) -> bool:
        return not (self.lost or self.phantom or self.duplicated)


def check_set(exchanges: Iterable[Exchange], seen: Iterable[Seen]) -> SetResult:
    """Compares the markers of the exchanges with those that were seen; in linear time."""
    counts = {each.marker: each.count for each in seen}
    outcomes: dict[str, Outcome] = {}
    for exchange in exchanges:
        if exchange.marker:
            outcomes[exchange.marker] = _stronger(outcomes.get(exchange.marker), exchange.outcome)
    acknowledged = [marker for marker, outcome in outcomes.items() if outcome is Outcome.OK]
    open_ended = [marker for marker, outcome in outcomes.items() if outcome is Outcome.INDEFINITE]
    allowed = {*acknowledged, *open_ended}
    return SetResult(
        lost=tuple(marker for marker in acknowledged if counts.get(marker, 0) == 0),
        phantom=tuple(marker for marker, count in counts.items() if count > 0 and marker not in allowed),
        duplicated=tuple(marker for marker, count in counts.items() if count > 1 and marker in allowed),
        recovered=tuple(marker for marker in open_ended if counts.get(marker, 0) > 0),
        acknowledged=len(acknowledged),
        indefinite=len(open_ended),
    )


def _stronger(first: Outcome | None, second: Outcome) -> Outcome:
    """What is known of a marker that was sent twice: acknowledged once is acknowledged."""
    order = (Outcome.OK, Outcome.INDEFINITE, Outcome.FAILED)
    return second if first is None else min(first, second, key=order.index)

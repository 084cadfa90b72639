"""Of several identical creates at most one may succeed, and the others are told so politely."""

from __future__ import annotations

from collections.abc import Iterable

from nines.model.history import Exchange, Outcome
from nines.model.record import Record


class Round(Record):
    """One race: indexes of its exchanges by how they ended."""

    group: int
    winners: tuple[int, ...] = ()
    """One index for each distinct success: equal answers show one and the same object."""
    errors: tuple[int, ...] = ()
    """Answered with a 5xx."""
    open_ended: tuple[int, ...] = ()
    """No answer."""
    size: int = 0

    @property
    def is_decided(self) -> bool:
        """Whether it says anything: a race without a winner was no race."""
        return bool(self.winners)

    @property
    def holds(self) -> bool:
        return len(self.winners) <= 1 and not self.errors


def rounds(exchanges: Iterable[tuple[int, Exchange]]) -> tuple[Round, ...]:
    """The races among these indexed exchanges, by their groups; in linear time."""
    groups: dict[int, list[tuple[int, Exchange]]] = {}
    for index, exchange in exchanges:
        if exchange.group > 0:
            groups.setdefault(exchange.group, []).append((index, exchange))
    return tuple(_round(group, members) for group, members in sorted(groups.items()))


def _round(group: int, members: list[tuple[int, Exchange]]) -> Round:
    distinct: dict[str, int] = {}
    for index, exchange in members:
        if exchange.outcome is Outcome.OK:
            # Without a body nothing shows that two successes are one object.
            distinct.setdefault(exchange.body or f"#{index}", index)
    return Round(
        group=group,
        winners=tuple(distinct.values()),
        errors=tuple(index for index, exchange in members if exchange.is_server_error),
        open_ended=tuple(index for index, exchange in members if exchange.status is None),
        size=len(members),
    )

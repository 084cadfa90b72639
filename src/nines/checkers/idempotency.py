"""One key, one effect: repeated requests get the first answer and add nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nines.model.history import Exchange, Outcome
from nines.model.record import Record


class IdempotencyResult(Record):
    """Keys that broke the promise, in order of their first use."""

    answered_differently: tuple[str, ...] = ()
    """The same key and body, acknowledged twice with different answers."""
    repeated: tuple[str, ...] = ()
    """More than one effect."""
    body_ignored: tuple[str, ...] = ()
    """Another body under a used key was acknowledged."""
    keys: int = 0

    @property
    def holds(self) -> bool:
        return not (self.answered_differently or self.repeated or self.body_ignored)


def check_idempotency(exchanges: Iterable[Exchange], effects: Mapping[str, int]) -> IdempotencyResult:
    """`effects` counts what each key brought about, as far as that was read back; in linear time."""
    by_key: dict[str, list[Exchange]] = {}
    for exchange in exchanges:
        if exchange.key:
            by_key.setdefault(exchange.key, []).append(exchange)
    different: list[str] = []
    ignored: list[str] = []
    for key, members in by_key.items():
        first = members[0].request_body
        succeeded = [each for each in members if each.outcome is Outcome.OK]
        if len({each.body for each in succeeded if each.request_body == first}) > 1:
            different.append(key)
        if any(each.request_body != first for each in succeeded):
            ignored.append(key)
    return IdempotencyResult(
        answered_differently=tuple(different),
        repeated=tuple(key for key in by_key if effects.get(key, 0) > 1),
        body_ignored=tuple(ignored),
        keys=len(by_key),
    )

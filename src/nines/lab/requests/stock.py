"""Objects that were created so that requests can refer to them, a few for each maker and identity."""

from __future__ import annotations

from nines.model.history import Exchange

OBJECTS_MAX = 24
"""How many objects of one kind an identity gets before they are used in turn.

Several, because rows that all refer to one parent hide a query for each row."""
FAILURES_MAX = 2
"""How often a maker may fail for an identity before it is not asked again."""


class Stock:
    def __init__(self) -> None:
        self._made: dict[tuple[str, str], list[Exchange]] = {}
        self._turn: dict[tuple[str, str], int] = {}
        self._failures: dict[tuple[str, str], int] = {}

    def put(self, maker: str, identity: str, made: Exchange) -> None:
        self._made.setdefault((maker, identity), []).append(made)

    def next(self, maker: str, identity: str) -> Exchange | None:
        """The next in turn, None where there is nothing."""
        found = self._made.get((maker, identity))
        if not found:
            return None
        turn = self._turn.get((maker, identity), 0)
        self._turn[(maker, identity)] = turn + 1
        return found[turn % len(found)]

    def is_full(self, maker: str, identity: str) -> bool:
        return len(self._made.get((maker, identity), ())) >= OBJECTS_MAX

    def failed(self, maker: str, identity: str) -> None:
        self._failures[(maker, identity)] = self._failures.get((maker, identity), 0) + 1

    def has_failed(self, maker: str, identity: str) -> bool:
        return self._failures.get((maker, identity), 0) >= FAILURES_MAX

"""Where a statement is to be mended: not in a repository's general method, but where it is called for this table."""

from __future__ import annotations

from collections import defaultdict

from nines.model.effect import Effect
from nines.model.place import Place, Step
from nines.model.service import Endpoint, Service

TABLES_MAX = 2
"""A line that serves more tables than this is a general method."""


_latest: list[tuple[Service, frozenset[tuple[str, int]]]] = []
"""Of the service that was asked for last: several rules ask for it one after the other."""


def _general(service: Service) -> frozenset[tuple[str, int]]:
    """The lines that serve many tables."""
    if _latest and _latest[0][0] is service:
        return _latest[0][1]
    tables: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
    for _, trace in service.judged():
        for effect in trace.effects:
            if effect.is_database and effect.place is not None:
                for place in (effect.place, *(step.place for step in effect.path)):
                    tables[(place.file, place.line)].add(effect.target)
    found = frozenset(key for key, names in tables.items() if len(names) > TABLES_MAX)
    _latest[:] = [(service, found)]
    return found


class Sites:
    """The lines of one service through which statements on many tables go."""

    def __init__(self, service: Service) -> None:
        self._general = _general(service)

    def of(self, endpoint: Endpoint, effect: Effect) -> tuple[str, Place | None, tuple[Step, ...]]:
        """The function, the place and the path of the innermost line that is there for this table."""
        own = effect.path[-1].function if effect.path else endpoint.function
        if effect.place is None or not self._is_general(effect.place):
            return own, effect.place, effect.path
        for index in range(len(effect.path) - 1, -1, -1):
            place = effect.path[index].place
            if not self._is_general(place):
                holder = effect.path[index - 1].function if index else endpoint.function
                return holder, place, effect.path[:index]
        return own, effect.place, effect.path

    def _is_general(self, place: Place) -> bool:
        return (place.file, place.line) in self._general

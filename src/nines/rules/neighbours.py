"""Whether an open endpoint stands out among those around it, or is one of several that are open on purpose."""

from __future__ import annotations

from collections import Counter, defaultdict

from nines.model.effect import EffectKind
from nines.model.service import Endpoint, EndpointKind, Service
from nines.rules.ownership import Owners, Ownership

GUARDED_MIN = 2
"""Guarded endpoints that must show a table before the one that is open stands out."""


class Neighbours:
    """Counts, for the endpoints of one service, who is guarded in the same file and who writes the same tables.

    A file of which nothing is guarded is a door for the public, or for a network that lets no stranger in."""

    def __init__(self, service: Service) -> None:
        self._files: Counter[tuple[str, bool]] = Counter()
        self._writers: Counter[tuple[str, bool]] = Counter()
        self._tables: dict[str, set[str]] = {}
        for endpoint, trace in service.judged():
            if endpoint.kind is EndpointKind.HTTP:
                written = {e.target for e in trace.effects if e.kind is EffectKind.DATABASE_WRITE and e.target}
                self._tables[endpoint.id] = written
                self._writers.update((table, endpoint.is_guarded) for table in written)
        for endpoint in service.endpoints:
            if endpoint.kind is EndpointKind.HTTP:
                self._files[endpoint.place.file, endpoint.is_guarded] += 1

    def are_guarded(self, endpoint: Endpoint) -> bool:
        """Whether most others beside it, or most others that write what it writes, ask who is calling."""
        file = endpoint.place.file
        if self._files[file, True] > self._files[file, False]:
            return True
        tables = self._tables.get(endpoint.id, set())
        return any(self._writers[table, True] > self._writers[table, False] for table in tables)


def read_by_one(service: Service) -> set[str]:
    """Endpoints that alone show somebody's rows to strangers, where every other that shows them is guarded."""
    owners = Owners(service.tables)
    shown: defaultdict[str, set[str]] = defaultdict(set)
    for endpoint, trace in service.judged():
        for _, effect in trace.reads():
            if effect.reaches_response and endpoint.is_safe and owners.of(effect.target) >= Ownership.OWNED:
                shown[effect.target].add(endpoint.id)
    free = {endpoint.id for endpoint in service.endpoints if not endpoint.is_guarded}
    return {id for ids in shown.values() if len(ids) > GUARDED_MIN and len(ids & free) == 1 for id in ids & free}

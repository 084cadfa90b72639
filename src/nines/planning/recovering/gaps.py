"""What reading the code could not tell, and what hangs on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from nines.model.blueprint import DependencyKind
from nines.model.design import Design, Gap
from nines.model.effect import EffectKind, Known
from nines.model.service import EndpointKind, Service
from nines.planning.recovering.participants import ANY_CACHE, TASK_QUEUE, UNKNOWN_HTTP, name_of

_PLACES_MAX = 5
"""Places named in one gap; a longer list is not read."""
_REASONS_MAX = 8


def with_gaps(design: Design, service: Service) -> Design:
    return msgspec.structs.replace(design, gaps=tuple(_gaps(design, service)))


def _gaps(design: Design, service: Service) -> Iterator[Gap]:
    yield Gap(
        question="How many requests a second arrive, on a usual day and in the busiest minute?",
        matters="capacity, pools, limits, the cost of every missing index",
    )
    yield Gap(
        question="Which budgets were promised?",
        assumed="those of the configuration, else the defaults: 99.9 % available, less than 0.1 % errors, "
        "p95 below 200 ms, recovery within 5 minutes",
        matters="objectives, alerts, and whether the forecast is good enough",
    )
    yield from _about_access(design)
    yield from _about_dependencies(design, service)
    yield from _about_tables(design)
    yield from _not_understood(service)


def _about_access(design: Design) -> Iterator[Gap]:
    unclear = [endpoint for endpoint in design.endpoints if not endpoint.guards_known]
    if unclear:
        yield Gap(
            question=f"Who may call {len(unclear)} of {len(design.endpoints)} endpoints? "
            "Something that may turn callers away was not understood there.",
            matters="the matrix of authorization, and threats of spoofing and elevation",
            where=_places([str(endpoint.place) for endpoint in unclear]),
            kind="reading",
        )
    if design.endpoints and not design.roles:
        yield Gap(
            question="Which roles are there, and which operations are theirs?",
            matters="the matrix of authorization tells only whether somebody is asked at all",
        )
    if design.endpoints and design.auth is None:
        yield Gap(question="How does a caller show who it is?", matters="threats of spoofing; rotation of keys")


def _about_dependencies(design: Design, service: Service) -> Iterator[Gap]:
    names = {dependency.name for dependency in design.dependencies}
    effects = [effect for trace in service.traces for effect in trace.effects]
    unsaid = [dependency.name for dependency in design.dependencies if dependency.timeout_s is None]
    if unsaid:
        yield Gap(
            question=f"How long may a call of {', '.join(unsaid)} take? No deadline for every call was read.",
            matters="how long one slow dependency holds up everything else",
        )
    if UNKNOWN_HTTP in names:
        places = _places([str(e.place) for e in effects if name_of(e) == UNKNOWN_HTTP and e.place])
        yield Gap(
            question="Which services are called at addresses that only the configuration knows?",
            matters="dependencies, their availability, the allow-list for egress",
            where=places,
            kind="reading",
        )
    if ANY_CACHE in names:
        yield Gap(
            question="Where is the cache kept?",
            assumed="in Redis; in the process or in the database it would fail in another way",
            matters="what happens when it is gone, and whether replicas share it",
        )
    if TASK_QUEUE in names:
        yield Gap(
            question="Which broker carries the tasks?", matters="whether a task can be lost, and how long it waits"
        )
    missing = [e for e in effects if e.kind is EffectKind.REMOTE_CALL and e.deadline.known is Known.MISSING]
    if missing:
        yield Gap(
            question=f"What ends {len({e.place for e in missing})} calls of other services that have no deadline?",
            matters="a dependency that stalls stalls this service too",
            where=_places([str(e.place) for e in missing if e.place]),
            kind="reading",
        )


def _about_tables(design: Design) -> Iterator[Gap]:
    if not design.tables and any(dependency.kind is DependencyKind.POSTGRES for dependency in design.dependencies):
        yield Gap(
            question="Which tables are there? Statements name some, and no declaration of a table was read.",
            matters="keys, constraints, indexes, growth",
            kind="reading",
        )
    partial = [table.name for table in design.tables if not table.is_complete]
    if partial:
        yield Gap(
            question=f"What else do {', '.join(partial[:_PLACES_MAX])}"
            f"{_more(len(partial))} hold? Their declaration was not understood as a whole.",
            matters="keys, constraints and indexes that are missing here may be there",
            kind="reading",
        )
    if design.tables:
        yield Gap(
            question="How many rows do the tables have, and which hold data about people?",
            matters="growth, partitions, retention, erasure",
        )


def _not_understood(service: Service) -> Iterator[Gap]:
    blind = (*service.blind, *(b for trace in service.traces for b in trace.blind))
    counted = Counter(each.reason for each in blind)
    for reason, count in sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:_REASONS_MAX]:
        places = [str(each.place) for each in blind if each.reason == reason and each.place]
        yield Gap(
            question=f"Not understood: {reason} ({count}).",
            matters="effects behind it are missing from the flows",
            where=_places(places),
            kind="reading",
        )
    if not any(endpoint.kind is EndpointKind.HTTP for endpoint in service.endpoints):
        yield Gap(question="Which endpoints are there? None was found.", matters="everything", kind="reading")


def _places(places: list[str]) -> str:
    found = list(dict.fromkeys(places))
    return ", ".join(found[:_PLACES_MAX]) + _more(len(found))


def _more(count: int) -> str:
    return f" and {count - _PLACES_MAX} more" if count > _PLACES_MAX else ""

"""More is written at the peak than one database server takes."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint, DependencyKind
from nines.model.design import Objection
from nines.model.words import rate
from nines.planning.capacity.figures import GROUPED_HZ, SINGLE_HZ
from nines.planning.objecting import is_writing, objection, option

_GROUPED = option(
    "write in groups",
    f"up to about {rate(GROUPED_HZ)} on one server",
    "a few milliseconds more for each, and hooks that see many rows at once",
    "the rows are small and alike",
)


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    servers = sum(each.kind is DependencyKind.POSTGRES for each in blueprint.dependencies)
    writes_hz = sum(blueprint.rate_hz(each, at_peak=True) for each in blueprint.operations if is_writing(each))
    if not servers or writes_hz <= SINGLE_HZ * servers:
        return
    is_fatal = writes_hz > GROUPED_HZ * servers
    limit_hz = GROUPED_HZ if is_fatal else SINGLE_HZ
    kind = "in group commits" if is_fatal else "one by one"
    yield objection(
        __name__,
        blueprint,
        "load.peak",
        f"{rate(writes_hz)} are written at the peak, and a PostgreSQL primary takes about {rate(limit_hz)} {kind}"
        + (f"; {servers} of them {rate(limit_hz * servers)}" if servers > 1 else ""),
        (
            *(() if is_fatal else (_GROUPED,)),
            option(
                "divide by tenant over several servers",
                "grows with the servers",
                "no transaction and no unique key spans two of them",
                "a tenant key separates all the data",
            ),
            option(
                "accept into a log (Kafka), and write from there",
                "a log takes a hundred times as much",
                "an answer before the row exists: reads may not see it yet, and rules are checked later",
                "nobody reads their own write at once",
            ),
        ),
        is_fatal=is_fatal,
    )

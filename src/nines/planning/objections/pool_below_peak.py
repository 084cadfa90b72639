"""The pool is too small for the peak."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nines.model.blueprint import Blueprint, DependencyKind
from nines.model.design import Objection
from nines.model.words import duration, rate
from nines.planning.capacity.figures import READ_HELD_S, SAFE_POOL, WRITE_HELD_S
from nines.planning.objecting import is_writing, objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    database = blueprint.database
    if database is None or database.kind is not DependencyKind.POSTGRES or not database.pool:
        return
    reads_hz = sum(blueprint.rate_hz(each, at_peak=True) for each in blueprint.operations if not is_writing(each))
    writes_hz = sum(blueprint.rate_hz(each, at_peak=True) for each in blueprint.operations if is_writing(each))
    busy = reads_hz * READ_HELD_S + writes_hz * WRITE_HELD_S
    held = database.pool * blueprint.deploy.replicas_max
    if busy <= held * SAFE_POOL:
        return
    yield objection(
        __name__,
        blueprint,
        f"dependencies.{database.name}.pool",
        f"{rate(reads_hz)} × {duration(READ_HELD_S)} + {rate(writes_hz)} × {duration(WRITE_HELD_S)} = {busy:.0f} "
        f"connections are busy at the peak (Little's law), and {database.pool} × {blueprint.deploy.replicas_max} "
        f"processes = {held} are there, of which {SAFE_POOL:.0%} can be used before waiting takes over",
        (
            option(
                f"pool: {math.ceil(busy / SAFE_POOL / blueprint.deploy.replicas_max)}",
                "requests do not wait for a connection",
                "more sessions on the server",
            ),
            option(
                "write in groups (one transaction for what arrives within a few milliseconds)",
                "a connection carries tens of requests at once",
                "a row that breaks a constraint must be told apart from the others of its group",
                "the writes are small and alike",
            ),
            option("fewer requests: cache reads, or page more", "the database is left alone", "answers are older"),
        ),
    )

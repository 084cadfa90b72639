"""The pool is too small for the peak."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nines.model.blueprint import Blueprint, DependencyKind
from nines.model.design import Objection
from nines.model.words import duration, rate
from nines.planning.objecting import is_writing, objection, option

_READ_S = 0.002
_WRITE_S = 0.006
"""How long a connection is held: a few statements by primary key, and a commit that is flushed and copied."""
_SAFE = 0.8
"""Above this share of a pool in use, waiting for it grows faster than the load."""


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    database = blueprint.database
    if database is None or database.kind is not DependencyKind.POSTGRES or not database.pool:
        return
    reads_hz = sum(blueprint.rate_hz(each, at_peak=True) for each in blueprint.operations if not is_writing(each))
    writes_hz = sum(blueprint.rate_hz(each, at_peak=True) for each in blueprint.operations if is_writing(each))
    busy = reads_hz * _READ_S + writes_hz * _WRITE_S
    held = database.pool * blueprint.deploy.replicas_max
    if busy <= held * _SAFE:
        return
    yield objection(
        __name__,
        blueprint,
        f"dependencies.{database.name}.pool",
        f"{rate(reads_hz)} × {duration(_READ_S)} + {rate(writes_hz)} × {duration(_WRITE_S)} = {busy:.0f} connections "
        f"are busy at the peak (Little's law), and {database.pool} × {blueprint.deploy.replicas_max} processes = "
        f"{held} are there, of which {_SAFE:.0%} can be used before waiting takes over",
        (
            option(
                f"pool: {math.ceil(busy / _SAFE / blueprint.deploy.replicas_max)}",
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

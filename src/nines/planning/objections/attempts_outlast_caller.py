"""Repetitions take longer than any caller waits."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.model.words import duration
from nines.planning.objecting import objection, option, waited_for

_PATIENCE_S = 30.0
"""Clients and balancers give up after 30 to 60 s."""


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for operation in blueprint.operations:
        worst_s = 0.0
        parts = []
        for each in waited_for(blueprint, operation):
            attempts = 1 + (each.retry.max if each.retry else 0)
            worst_s += (each.timeout_s or 0.0) * attempts
            parts.append(f"{each.name} {attempts} × {duration(each.timeout_s or 0.0)}")
        if worst_s <= _PATIENCE_S:
            continue
        yield objection(
            __name__,
            blueprint,
            f"operations.{operation.name}.calls",
            f"when all goes badly, {operation.name} takes {' + '.join(parts)} = {duration(worst_s)}, and callers give "
            f"up after {duration(_PATIENCE_S)}: the work goes on for nobody, and they ask again",
            (
                option(
                    "lower timeout or retry.max", "the answer comes while somebody waits", "more calls are given up"
                ),
                option("async: true", "a job has the time", "callers learn the outcome later"),
            ),
        )

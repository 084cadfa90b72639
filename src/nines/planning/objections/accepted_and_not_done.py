"""Work is accepted, and nothing does it."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.planning.objecting import jobs_of, objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for operation in blueprint.operations:
        does_itself = operation.calls or operation.saga or operation.hook
        if not operation.is_asynchronous or does_itself or jobs_of(blueprint, operation):
            continue
        yield objection(
            __name__,
            blueprint,
            f"operations.{operation.name}.async",
            f"{operation.name} answers 202, and no job takes up {operation.on or 'what it left'}",
            (
                option(f"a job with on: {operation.on or '...'}", "does the work, and repeats it", "has to be watched"),
                option("async: false", "done when the answer comes", "callers wait"),
            ),
        )

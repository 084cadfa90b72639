"""A call is repeated that may have happened already."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.planning.objecting import called, is_writing, listed, objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for dependency in blueprint.dependencies:
        if dependency.retry is None or dependency.retry.only_idempotent or not dependency.retry.max:
            continue
        writers = [
            operation.name
            for operation in blueprint.operations
            if is_writing(operation) and dependency in called(blueprint, operation.calls)
        ]
        writers += [job.name for job in blueprint.jobs if dependency in called(blueprint, job.calls)]
        if not writers:
            continue
        yield objection(
            __name__,
            blueprint,
            f"dependencies.{dependency.name}.retry",
            f"every call of {dependency.name} that got no answer is made again, also one that was carried out: what "
            f"{listed(writers)} asked for then happens twice",
            (
                option(
                    "only: idempotent, with a key that stays the same for each attempt",
                    "the provider knows the repetition",
                    "it must support keys",
                ),
                option("retry: {max: 0}, and ask what became of it", "never twice", "a job that reconciles"),
            ),
        )

"""A step of a saga is said to be carried out where its data is not."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.planning.objecting import objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for operation in blueprint.operations:
        for position, step in enumerate(operation.saga):
            done = blueprint.operation(step.do)
            owner = blueprint.module_of(done.on) if done else None
            if done is None or owner is None or step.module in ("", owner.name):
                continue
            yield objection(
                __name__,
                blueprint,
                f"operations.{operation.name}.saga.{position}.module",
                f"{operation.name} has {step.do} done by {step.module}, and {step.do} works on {done.on}, which only "
                f"{owner.name} writes",
                (
                    option(f"module: {owner.name}", "the step is one transaction where its data is", "one call more"),
                    option(
                        f"{done.on} as a resource of {step.module}",
                        "the step stays where it is",
                        f"{owner.name} has to ask for it from then on",
                    ),
                ),
            )

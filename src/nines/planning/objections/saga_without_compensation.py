"""A step of an operation over several services cannot be undone."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.planning.objecting import listed, objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for operation in blueprint.operations:
        for position, step in enumerate(operation.saga[:-1]):
            if step.undo:
                continue
            later = listed(each.do for each in operation.saga[position + 1 :])
            yield objection(
                __name__,
                blueprint,
                f"operations.{operation.name}.saga",
                f"{operation.name} does {step.do}, and when {later} fails afterwards, nothing undoes it",
                (
                    option(
                        f"undo: an operation that takes {step.do} back",
                        "what was begun is ended, one way or the other",
                        "an operation that must not fail for good",
                    ),
                    option(
                        f"{step.do} as the last step",
                        "nothing comes after it that could fail",
                        "the steps before must be undoable",
                        "it cannot be taken back (a mail, a parcel)",
                    ),
                ),
            )

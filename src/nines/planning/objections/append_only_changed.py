"""What is only ever appended to is changed or deleted."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Action, Blueprint, ResourceKind
from nines.model.design import Objection
from nines.planning.objecting import is_changing, objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for operation in blueprint.operations:
        resource = blueprint.resource(operation.on)
        if resource is None or not resource.is_append_only:
            continue
        # A new row that waits for what others say is written again when they have said it.
        is_held = operation.do is Action.CREATE and bool(operation.calls)
        if not is_changing(operation) and not is_held:
            continue
        yield objection(
            __name__,
            blueprint,
            f"operations.{operation.name}",
            f"{operation.name} changes {resource.name}, which is only ever appended to",
            (
                option(
                    "an operation that appends a correction", "what was is still seen", "readers add up two entries"
                ),
                *(
                    ()
                    if resource.kind is ResourceKind.LEDGER
                    else (option("append_only: false", "can be changed", "what was is lost without an audit trail"),)
                ),
                option("leave the operation out", "entries can be trusted", "a mistake needs a second entry"),
            ),
        )
    for resource in blueprint.resources:
        if resource.is_append_only and resource.states:
            yield objection(
                __name__,
                blueprint,
                f"resources.{resource.name}.states",
                f"{resource.name} is only ever appended to and has states, which change",
                (
                    option("no states: an entry for each step", "the history is the data", "readers look for the last"),
                    option("append_only: false", "states can change", "an audit trail has to show how"),
                ),
            )

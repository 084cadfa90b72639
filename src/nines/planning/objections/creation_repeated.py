"""A request that is repeated makes a second one."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Action, Blueprint
from nines.model.design import Objection
from nines.planning.objecting import objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for operation in blueprint.operations:
        resource = blueprint.resource(operation.on)
        if operation.do is not Action.CREATE or operation.idempotency is not None or resource is None:
            continue
        if resource.unique or operation.calls or operation.posts or not operation.is_critical:
            # A second one is refused by its key; one that calls or posts is refused already.
            continue
        yield objection(
            __name__,
            blueprint,
            f"operations.{operation.name}",
            f"a caller of {operation.name} whose answer was lost asks again, and there are two of {resource.name}: no "
            "key tells the repetition, and nothing about it is unique",
            (
                option("idempotency: required", "the first answer comes again", "callers keep a key for each request"),
                option(
                    "unique: a field that callers choose", "409 for the second one", "they have to have such a number"
                ),
                option("critical: false", "two of them do no harm, and it says so", "somebody tidies up"),
            ),
            is_fatal=False,
        )

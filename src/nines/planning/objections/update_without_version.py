"""Two who change the same thing overwrite one another."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Action, Blueprint
from nines.model.design import Objection
from nines.planning.objecting import objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for operation in blueprint.operations:
        if operation.do is not Action.UPDATE or operation.needs_if_match:
            continue
        yield objection(
            __name__,
            blueprint,
            f"operations.{operation.name}",
            f"{operation.name} does not ask which version is changed: of two who read and write at once, the first "
            "one's change is lost",
            (
                option("if_match: required", "the second gets 412 and looks again", "callers keep the ETag"),
                option("only fields that nobody else changes", "nothing to overwrite", "has to stay so"),
            ),
            is_fatal=False,
        )

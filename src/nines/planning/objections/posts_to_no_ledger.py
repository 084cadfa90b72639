"""An operation posts to what is no ledger."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint, ResourceKind
from nines.model.design import Objection
from nines.planning.objecting import objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for operation in blueprint.operations:
        target = blueprint.resource(operation.posts)
        if target is None or target.kind is ResourceKind.LEDGER:
            continue
        yield objection(
            __name__,
            blueprint,
            f"operations.{operation.name}.posts",
            f"{operation.name} posts to {target.name}, which is no ledger: its rows can be changed afterwards",
            (
                option(f"{target.name}: {{kind: ledger}}", "entries stay as they were", "no states, no updates"),
                option("a ledger of its own", f"{target.name} stays as it is", "one more table"),
            ),
        )

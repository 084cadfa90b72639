"""Something is to be kept, and there is no database."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint, DependencyKind
from nines.model.design import Objection
from nines.planning.objecting import objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    if any(each.kind is DependencyKind.POSTGRES for each in blueprint.dependencies):
        return
    kept = [each.name for each in blueprint.resources]
    keyed = [each.name for each in blueprint.operations if each.idempotency is not None]
    if not kept and not keyed:
        return
    what = f"rows of {', '.join(kept)}" if kept else f"the keys of {', '.join(keyed)}"
    yield objection(
        __name__,
        blueprint,
        f"resources.{kept[0]}" if kept else f"operations.{keyed[0]}.idempotency",
        f"{what} are to be kept, and no dependency is a relational database",
        (
            option(
                "dependencies: {db: {type: postgres, replication: synchronous}}",
                "rows, keys and events are written in one transaction",
                "a database to run; a laptop gets one of its own",
            ),
            option(
                "without resources: operations of your own (do: custom) that ask others",
                "nothing to run",
                "nothing is kept, no answer can be given twice",
                "this service only stands before others",
            ),
        ),
    )

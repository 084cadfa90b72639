"""A dependency that fails takes the whole service with it."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.planning.objecting import REMOTE, listed, objection, option, waited_for


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for dependency in blueprint.dependencies:
        if dependency.kind not in REMOTE or (dependency.breaker and dependency.bulkhead):
            continue
        waiting = [each.name for each in blueprint.operations if dependency in waited_for(blueprint, each)]
        others = [each.name for each in blueprint.operations if each.name not in waiting]
        if not waiting or not others:
            continue
        missing = [
            word for word, value in (("breaker", dependency.breaker), ("bulkhead", dependency.bulkhead)) if not value
        ]
        yield objection(
            __name__,
            blueprint,
            f"dependencies.{dependency.name}",
            f"{dependency.name} has no {listed(missing)}: while it hangs, callers of {listed(waiting)} fill every "
            f"slot, and those of the {len(others)} operations that do not need it get none",
            (
                option("bulkhead: 32", "at most 32 slots of a process wait for it", "the 33rd caller gets 503"),
                option(
                    "breaker: {errors: 50%, of: 20, open: 15s}",
                    "after ten failures of twenty nobody waits for it",
                    "for 15 s those calls fail that would have worked again",
                ),
            ),
            is_fatal=False,
        )

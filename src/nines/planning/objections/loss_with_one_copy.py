"""No acknowledged write may be lost, and the data is copied late or not at all."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint, DependencyKind
from nines.model.design import Objection
from nines.model.words import duration
from nines.planning.objecting import objection, option

_BEHIND_S = 1.0
"""An asynchronous copy is this far behind on a good day; minutes on a bad one."""


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    loss_s = blueprint.budgets.loss_s
    for each in blueprint.dependencies:
        if each.kind is not DependencyKind.POSTGRES or loss_s > _BEHIND_S:
            continue
        if each.replication not in ("asynchronous", "none") or not blueprint.resources:
            continue
        lost = (
            "what was acknowledged and not copied yet is gone when the primary is: about a second of writes, more "
            "under load"
            if each.replication == "asynchronous"
            else "everything since the last archived segment is gone with its disk"
        )
        yield objection(
            __name__,
            blueprint,
            f"dependencies.{each.name}.replication",
            f"rpo is {duration(loss_s)}, and {each.name} has replication: {each.replication}: {lost}",
            (
                option(
                    "replication: synchronous, with two copies of which one must answer",
                    "what was acknowledged is on two machines",
                    "a millisecond or two for each commit; writes stop when both copies are away",
                ),
                option(
                    "rpo: 1m" if each.replication == "asynchronous" else "rpo: 5m, with the log archived every minute",
                    "commits wait for nobody",
                    "a disaster takes acknowledged writes, and somebody has to find out which",
                    "writes can be repeated by those who sent them",
                ),
            ),
        )

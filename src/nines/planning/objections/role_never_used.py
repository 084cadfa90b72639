"""A role that makes no difference."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.planning.objecting import objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    used = {role for each in blueprint.operations for role in each.roles}
    for resource in blueprint.resources:
        access = resource.access
        used |= {grant.role for grant in (*access.read, *access.list, *access.write)}
    for role in blueprint.roles:
        if role.name in used:
            continue
        yield objection(
            __name__,
            blueprint,
            f"roles.{role.name}",
            f"no operation and no access names {role.name}: whoever has it may do what everybody may who signed in",
            (
                option(
                    f"roles: [{role.name}] in its operations",
                    "may do what it is for",
                    "each is one thing more that it may do",
                ),
                option("leave it out", "fewer roles to hand out", "comes back when it is needed"),
            ),
            is_fatal=False,
        )

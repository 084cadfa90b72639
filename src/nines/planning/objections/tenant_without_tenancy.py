"""A rule speaks of tenants, and there are none."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint, GrantKind
from nines.model.design import Objection
from nines.planning.objecting import objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    if blueprint.tenancy is not None:
        return
    for resource in blueprint.resources:
        access = resource.access
        for verb, grants in (("read", access.read), ("list", access.list), ("write", access.write)):
            if not any(grant.kind is GrantKind.TENANT for grant in grants):
                continue
            yield objection(
                __name__,
                blueprint,
                f"resources.{resource.name}.access.{verb}",
                f"{resource.name}.access.{verb} lets in those of the same tenant, and there is no `tenancy`: nothing "
                "says who that is",
                (
                    option(
                        "tenancy: {key: customer_id}",
                        "every row and every caller has a tenant",
                        "every key and index begins with it",
                    ),
                    option(f"{verb}: owner, or a role", "says who may without tenants", "each of them by itself"),
                ),
            )

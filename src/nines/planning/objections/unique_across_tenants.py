"""A key is unique over all tenants, so that one can see what another has."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint, FieldKind
from nines.model.design import Objection
from nines.planning.objecting import listed, objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    if blueprint.tenancy is None or blueprint.tenancy.isolation != "row":
        return
    key = blueprint.tenancy.key
    for resource in blueprint.resources:
        references = {field.name for field in resource.fields if field.kind is FieldKind.REFERENCE}
        for columns in resource.unique:
            # What a key refers to belongs to one tenant already.
            if key in columns or "id" in columns or references & set(columns):
                continue
            yield objection(
                __name__,
                blueprint,
                f"resources.{resource.name}.unique",
                f"{listed(columns)} of {resource.name} is unique over all tenants: 409 tells one of them that another "
                "has it, and takes it from them",
                (
                    option(f"[{', '.join((key, *columns))}]", "each tenant for itself", "two may have the same"),
                    option("as it is", "one for all", "say so to callers", "it is meant to be one for all"),
                ),
                is_fatal=False,
            )

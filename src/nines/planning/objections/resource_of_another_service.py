"""A reference leads to a resource that this blueprint does not have."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint, FieldKind
from nines.model.design import Objection
from nines.planning.objecting import objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for resource in blueprint.resources:
        for field in resource.fields:
            if field.kind is not FieldKind.REFERENCE or blueprint.resource(field.of):
                continue
            yield objection(
                __name__,
                blueprint,
                f"resources.{resource.name}.fields.{field.name}",
                f"{resource.name}.{field.name} refers to {field.of}, which is declared nowhere here: it is taken for "
                "one of another service, kept as its identifier, without a foreign key",
                (
                    option(f"declare {field.of} here", "the database keeps the reference whole", "it is kept here"),
                    option("type: uuid", "says plainly that it is another service's", "nothing checks that it exists"),
                ),
                is_fatal=False,
            )

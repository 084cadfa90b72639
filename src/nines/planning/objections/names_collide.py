"""Two names of the blueprint become one name in the database."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint, Resource
from nines.model.design import Choice, Objection
from nines.planning.data.columns import column_names
from nines.planning.data.names import table_name
from nines.planning.objecting import objection, option

_OWN = ("id", "created_at", "updated_at", "version")


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    tables: dict[str, str] = {}
    for resource in blueprint.resources:
        table = table_name(resource.name)
        other = tables.setdefault(table, resource.name)
        if other != resource.name:
            says = f"{other} and {resource.name} would both be kept in the table {table}, below the same path"
            yield objection(__name__, blueprint, f"resources.{resource.name}", says, _options(resource.name, other))
        yield from _columns(blueprint, resource)


def _columns(blueprint: Blueprint, resource: Resource) -> Iterator[Objection]:
    columns = dict.fromkeys(_OWN, "what every resource has")
    if resource.states:
        columns["status"] = "its state"
    if blueprint.tenancy is not None:
        columns[blueprint.tenancy.key] = "the tenancy's key"
    for field in resource.fields:
        for column in dict.fromkeys(column_names(blueprint, resource, field.name)):
            other = columns.setdefault(column, field.name)
            if other == field.name:
                continue
            yield objection(
                __name__,
                blueprint,
                f"resources.{resource.name}.fields.{field.name}",
                f"{field.name} of {resource.name} becomes the column {column}, which is taken by {other}",
                _options(field.name, other),
            )


def _options(name: str, other: str) -> tuple[Choice, ...]:
    return (
        option(f"another name for {name}", "both are kept", "callers meet the new name"),
        option(f"another name for {other}", "both are kept", "callers meet the new name"),
        option("one instead of both, if they mean the same", "is kept once", "has to serve both uses"),
    )

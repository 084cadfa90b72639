"""Two names of the blueprint become one name in the database."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Action, Blueprint, Operation, Resource
from nines.model.design import Choice, Objection
from nines.planning.data.columns import column_names
from nines.planning.data.names import table_name
from nines.planning.interface.parameters import asked_by, of_pages
from nines.planning.objecting import objection, option

_OWN = ("id", "created_at", "updated_at", "version")
_ALWAYS = "what every resource has"
_STATE = "its state"
_TENANT = "the tenancy's key"


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    tables: dict[str, str] = {}
    for resource in blueprint.resources:
        table = table_name(resource.name)
        other = tables.setdefault(table, resource.name)
        if other != resource.name:
            says = f"{other} and {resource.name} would both be kept in the table {table}, below the same path"
            yield objection(__name__, blueprint, f"resources.{resource.name}", says, _options(resource.name, other))
        yield from _columns(blueprint, resource)
    for operation in blueprint.operations:
        if operation.do is Action.LIST:
            yield from _filters(blueprint, operation)


def _columns(blueprint: Blueprint, resource: Resource) -> Iterator[Objection]:
    columns = dict.fromkeys(_OWN, _ALWAYS)
    if resource.states:
        columns["status"] = _STATE
    if blueprint.tenancy is not None:
        columns[blueprint.tenancy.key] = _TENANT
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
                _without(field.name) if other in (_ALWAYS, _STATE, _TENANT) else _options(field.name, other),
            )


def _filters(blueprint: Blueprint, operation: Operation) -> Iterator[Objection]:
    """Two filters, or a filter and what pages are asked for by, under one name."""
    resource = blueprint.resource(operation.on)
    taken = dict.fromkeys(of_pages(), "what a page is asked for by")
    for name in operation.filters if resource else ():
        for asked in asked_by(name, resource) if resource else ():
            other = taken.setdefault(asked, name)
            if other == name:
                continue
            yield objection(
                __name__,
                blueprint,
                f"operations.{operation.name}.filter",
                f"callers of {operation.name} would narrow it by {asked}, which is {other} already",
                (
                    option(f"another name for {name}", "callers may ask by it", "callers meet the new name"),
                    option(f"leave {name} out of the filter", "nothing is called anew", "nobody may ask by it"),
                ),
            )


def _without(name: str) -> tuple[Choice, ...]:
    return (
        option(f"leave {name} out", "it is there without being said", "means what the service makes of it"),
        option(f"another name for {name}", "both are kept", "callers meet the new name"),
    )


def _options(name: str, other: str) -> tuple[Choice, ...]:
    return (
        option(f"another name for {name}", "both are kept", "callers meet the new name"),
        option(f"another name for {other}", "both are kept", "callers meet the new name"),
        option("one instead of both, if they mean the same", "is kept once", "has to serve both uses"),
    )

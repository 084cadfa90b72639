"""The tables of lists: members that are composites, or that are resources of their own."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from nines.model.blueprint import Blueprint, Field, FieldKind, OnDelete, Resource
from nines.model.design import PlannedColumn, PlannedIndex, PlannedTable
from nines.model.design.ddl import identifier
from nines.planning.data import facts
from nines.planning.data.columns import Stored, is_child, named_checks, stored
from nines.planning.data.entities import id_column, without_strangers
from nines.planning.data.names import snake, table_name

POSITION = "position"


def list_tables(blueprint: Blueprint, resource: Resource, parent: PlannedTable) -> Iterator[PlannedTable]:
    """One table for each list that an array cannot hold in good form."""
    for field in resource.fields:
        if is_child(field):
            yield _table(blueprint, resource, parent, field)


def list_name(blueprint: Blueprint, resource: Resource, field: Field) -> str:
    """ "order_lines" for the lines of an order, unless a resource has that name."""
    name = identifier(facts.singular(resource), snake(field.name))
    is_taken = any(table_name(each.name) == name for each in blueprint.resources)
    return identifier(name, "list") if is_taken else name


def _table(blueprint: Blueprint, resource: Resource, parent: PlannedTable, field: Field) -> PlannedTable:
    name = list_name(blueprint, resource, field)
    holder = replace(
        id_column(resource),
        name=f"{facts.singular(resource)}_id",
        references=f"{parent.name}.id",
        on_delete="CASCADE",
        says="",
    )
    place = PlannedColumn(name=POSITION, type="integer", width_bytes=4, says="its place, from 1")
    if field.kind is FieldKind.REFERENCE:
        inner = stored(blueprint, _one_of(resource, field))
        columns, second = (holder, *inner.columns), inner.columns[0].name
    else:
        inner = _composite(blueprint, field, frozenset({holder.name, POSITION}))
        columns, second = (holder, place, *inner.columns), POSITION
    words = snake(field.name).replace("_", " ")
    return PlannedTable(
        name=name,
        says=f"The {words} of one {facts.singular(resource).replace('_', ' ')} each.",
        module=parent.module,
        columns=without_strangers(blueprint, resource, columns),
        indexes=(
            PlannedIndex(name=identifier(name, "pkey"), columns=(holder.name, second), is_unique=True, is_primary=True),
        ),
        checks=named_checks(name, inner.checks),
        is_append_only=resource.is_append_only,
        retention_s=resource.retention_s,
        place=field.place,
    )


def _one_of(resource: Resource, field: Field) -> Field:
    """A list is named in the plural, its column after what one member is; among their own kind they are others."""
    name = f"other_{snake(field.of)}" if field.of == resource.name else snake(field.of)
    on_delete = OnDelete.RESTRICT if field.on_delete is OnDelete.SET_NULL else field.on_delete
    return replace(field, name=name, is_list=False, is_optional=False, on_delete=on_delete)


def _composite(blueprint: Blueprint, field: Field, taken: frozenset[str]) -> Stored:
    """The parts of one member; one that has the name of a column of ours is told apart by its type's name."""
    value = blueprint.value_type(field.of)
    parts = [
        replace(part, name=f"{snake(field.of)}_{part.name}") if {part.name, f"{part.name}_id"} & taken else part
        for part in (value.fields if value else ())
    ]
    found = [stored(blueprint, part) for part in parts]
    return Stored(
        columns=tuple(column for each in found for column in each.columns),
        checks=tuple(check for each in found for check in each.checks),
    )

"""The tables as a diagram, one for each database."""

from __future__ import annotations

from collections.abc import Iterator

from nines.dossier.diagrams import Attribute, Entities, Entity, Relation
from nines.model.design import Design, PlannedColumn, PlannedTable

ATTRIBUTES_MAX = 12
"""Of one table in the diagram; keys are always shown, and all columns stand in tables.md."""


def databases(design: Design) -> tuple[tuple[str, tuple[PlannedTable, ...]], ...]:
    """The tables by database: a module that is deployed by itself has its own, and "" is everybody else's."""
    separate = [module.name for module in design.modules if module.is_separate]
    found = []
    for name in ("", *separate):
        mine = tuple(each for each in design.tables if (each.module if each.module in separate else "") == name)
        if mine:
            found.append((name, mine))
    return tuple(found)


def diagrams_of(design: Design) -> tuple[Entities, ...]:
    """What has relations, or is a resource; the service's own bookkeeping stands alone and is left to the table."""
    found = []
    for name, tables in databases(design):
        referred = {parent for table in tables for parent in table.parents}
        shown = [t for t in tables if t.resource or t.parents or t.name in referred or design.is_recovered]
        if shown:
            found.append(
                Entities(
                    title=f"Tables of {name or design.name}",
                    says="What is kept, and what refers to what.",
                    entities=tuple(map(_entity, shown)),
                    relations=tuple(_relations(shown)),
                )
            )
    return tuple(found)


def _entity(table: PlannedTable) -> Entity:
    marks = {column.name: _marks(table, column) for column in table.columns}
    keys = [column for column in table.columns if marks[column.name]]
    others = [column for column in table.columns if not marks[column.name]]
    room = max(0, ATTRIBUTES_MAX - len(keys))
    chosen = {column.name for column in (*keys, *others[:room])}
    return Entity(
        name=table.name,
        attributes=tuple(
            Attribute(name=column.name, type=column.type or "unknown", marks=marks[column.name])
            for column in table.columns
            if column.name in chosen
        ),
        left_out=len(table.columns) - len(chosen),
    )


def _marks(table: PlannedTable, column: PlannedColumn) -> tuple[str, ...]:
    alone = any(index.is_unique and not index.is_primary and index.names == (column.name,) for index in table.indexes)
    told = (
        ("PK", column.name in table.primary_key),
        ("FK", bool(column.references)),
        ("UK", alone),
    )
    return tuple(mark for mark, holds in told if holds)


def _relations(tables: list[PlannedTable]) -> Iterator[Relation]:
    names = {table.name for table in tables}
    for table in tables:
        for column in table.columns:
            parent = column.references.partition(".")[0]
            if parent in names:
                yield Relation(
                    child=table.name,
                    parent=parent,
                    says=column.name,
                    is_optional=column.is_nullable,
                    is_unique=any(index.is_unique and index.names == (column.name,) for index in table.indexes),
                )

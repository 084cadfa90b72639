"""The tables that the code declares, parents before their children."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

from nines.model.design import PlannedColumn, PlannedIndex, PlannedTable
from nines.model.schema import Column, Table
from nines.model.service import Service

_WIDTHS = (("text", 40), ("char", 40), ("json", 200), ("uuid", 16), ("int", 8), ("bool", 1), ("byte", 200))
_WIDTH_USUAL = 8


def tables(service: Service) -> tuple[PlannedTable, ...]:
    planned = {table.name: _table(table) for table in service.tables if table.columns or table.model}
    return tuple(planned[name] for name in _order(planned))


def _order(planned: dict[str, PlannedTable]) -> tuple[str, ...]:
    """Parents first; tables that refer to one another in a circle stay in the order of their names."""
    graph = {name: [p for p in planned[name].parents if p in planned] for name in sorted(planned)}
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError:
        return tuple(graph)


def _table(table: Table) -> PlannedTable:
    return PlannedTable(
        name=table.name,
        says=f"`{table.model}`" if table.model else "",
        resource=table.name,
        columns=tuple(_column(column) for column in table.columns),
        indexes=_indexes(table),
        is_complete=table.is_complete,
        place=table.place,
    )


def _column(column: Column) -> PlannedColumn:
    kind = column.type.lower()
    return PlannedColumn(
        name=column.name,
        type=kind,
        is_nullable=bool(column.is_nullable),
        references=column.references,
        width_bytes=next((width for word, width in _WIDTHS if word in kind), _WIDTH_USUAL),
        place=column.place,
    )


def _indexes(table: Table) -> tuple[PlannedIndex, ...]:
    """The primary key, the unique keys and the other indexes, each over its columns once."""
    primary = tuple(column.name for column in table.columns if column.is_primary)
    unique = [key for key in (*table.unique, *((c.name,) for c in table.columns if c.is_unique)) if key != primary]
    plain = (*table.indexes, *((c.name,) for c in table.columns if c.is_indexed))
    seen = {primary}
    found = (
        [PlannedIndex(name=f"{table.name}_pkey", columns=primary, is_unique=True, is_primary=True)] if primary else []
    )
    for key, is_unique in (*((key, True) for key in unique), *((key, False) for key in plain)):
        if key and key not in seen:
            seen.add(key)
            ending = "key" if is_unique else "idx"
            found.append(PlannedIndex(name=f"{table.name}_{'_'.join(key)}_{ending}", columns=key, is_unique=is_unique))
    return tuple(found)

"""Every table of a design, parents before their children, each foreign key with an index that serves it."""

from __future__ import annotations

import math

from msgspec.structs import replace

from nines.model.blueprint import Blueprint, ResourceKind
from nines.model.design import Design, PlannedIndex, PlannedTable
from nines.model.design.ddl import identifier, quoted
from nines.planning.data.accounts import account_tables
from nines.planning.data.callers import caller_tables
from nines.planning.data.entities import entity
from nines.planning.data.ledgers import ledger_tables
from nines.planning.data.lists import list_tables
from nines.planning.data.own import own_tables, schedules
from nines.planning.data.partitioning import partitioned


def tables(design: Design) -> Design:
    """The design with its tables, their keys, checks and the indexes of their foreign keys."""
    if design.blueprint is None:
        return design
    found = _all(design.blueprint)
    cut = partitioned(design.blueprint, found)
    return replace(design, tables=_in_order(tuple(_with_foreign_key_indexes(table) for table in cut)))


def _all(blueprint: Blueprint) -> list[PlannedTable]:
    found: list[PlannedTable] = []
    for resource in blueprint.resources:
        table = entity(blueprint, resource)
        found += ledger_tables(blueprint, resource) if resource.kind is ResourceKind.LEDGER else (table,)
        found += list_tables(blueprint, resource, table)
        if resource.kind is ResourceKind.ACCOUNT:
            found += account_tables(blueprint, resource)
    found += caller_tables(blueprint)
    found += own_tables(blueprint)
    if any(job.every_s for job in blueprint.jobs) or any(is_purged(table) for table in found):
        found.append(schedules(blueprint))
    return list({table.name: table for table in found}.values())


def is_purged(table: PlannedTable) -> bool:
    """Whether its rows end one day."""
    return table.retention_s is not None and not math.isinf(table.retention_s)


def _with_foreign_key_indexes(table: PlannedTable) -> PlannedTable:
    """PostgreSQL makes none by itself, and without one each deletion of a parent reads the whole table."""
    indexes = list(table.indexes)
    for column in table.columns:
        if not column.references or any(index.names[0] == column.name for index in indexes):
            continue
        where = f"{quoted(column.name)} IS NOT NULL" if column.is_nullable else ""
        indexes.append(
            PlannedIndex(
                name=identifier(table.name, column.name, "idx"),
                columns=(column.name,),
                where=where,
                says=f"the foreign key to `{column.references.partition('.')[0]}`",
            )
        )
    return replace(table, indexes=tuple(indexes))


def _in_order(found: tuple[PlannedTable, ...]) -> tuple[PlannedTable, ...]:
    """Parents first, otherwise as the blueprint tells them; within a ring the first told comes first."""
    by_name = {table.name: table for table in found}
    done: dict[str, PlannedTable] = {}
    waiting: set[str] = set()

    def visit(table: PlannedTable) -> None:
        if table.name in done or table.name in waiting:
            return
        waiting.add(table.name)
        for parent in table.parents:
            if parent in by_name:
                visit(by_name[parent])
        waiting.discard(table.name)
        done[table.name] = table

    for table in found:
        visit(table)
    return tuple(done.values())

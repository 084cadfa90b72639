"""Which tables are cut by time from the first day, because cutting a large one later means copying it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec.structs import replace

from nines.model.blueprint import Action, Blueprint
from nines.model.design import PlannedTable
from nines.model.design.ddl import identifier
from nines.model.errors import NinesError
from nines.planning.data import facts, looking, own
from nines.planning.data.growth import DAY_S, PARTITION_ROWS_MAX, reached

BY = "RANGE (id)"
"""A version 7 identifier begins with the time, so that rows are cut by time and still found by their key alone."""
_READS = (Action.READ, Action.LIST)
_BIRTHS = (Action.CREATE, Action.REGISTER)


def partitioned(blueprint: Blueprint, tables: Sequence[PlannedTable]) -> tuple[PlannedTable, ...]:
    """The tables, those cut that will hold too many rows, and that nothing stands in the way of."""
    referred = {parent for table in tables for parent in table.parents}
    return tuple(_cut(blueprint, table, is_referred=table.name in referred) for table in tables)


def _cut(blueprint: Blueprint, table: PlannedTable, *, is_referred: bool) -> PlannedTable:
    identity = table.column("id")
    is_ended = table.retention_s is not None and not math.isinf(table.retention_s)
    if is_referred or not is_ended or identity is None or identity.type != "uuid" or table.primary_key != ("id",):
        return table
    is_audit = table.name == facts.own_name(blueprint, own.AUDIT)
    if not is_audit and any(index.is_unique and not index.is_primary for index in table.indexes):
        return table
    rate_hz = _audited(blueprint) if is_audit else _born(blueprint, table)
    per_day, factor = rate_hz * DAY_S, blueprint.load.growth_per_year
    if reached(per_day, factor, table.retention_s, PARTITION_ROWS_MAX) is None:
        return table
    return replace(_without_unique(table), partition_by=BY)


def as_before(old: PlannedTable, new: PlannedTable) -> PlannedTable:
    """The new table in the cut of the old: only a copy of all rows would change that, or what it is cut by. What the
    service's own tables remember of operations and events that are gone stays: they are still told and finished."""
    was, now = old.column("id"), new.column("id")
    if old.partition_by and was and now and was.type != now.type:
        raise NinesError(
            f"the identifier of {new.name} cannot become {now.type}: the table is cut by it",
            where=f"resources.{new.resource}.id",
            hint="Make a resource of another name with the new identifier, and copy the rows.",
        )
    new = looking.remembering(old, new)
    if old.partition_by == new.partition_by:
        return new
    return replace(_without_unique(new) if old.partition_by else new, partition_by=old.partition_by)


def _without_unique(table: PlannedTable) -> PlannedTable:
    """No key without the identifier can hold over all partitions; the chain's hashes show what the key would forbid."""
    indexes = tuple(
        index
        if index.is_primary or not index.is_unique
        else replace(index, is_unique=False, name=identifier(table.name, *index.names, "idx"))
        for index in table.indexes
    )
    return replace(table, indexes=indexes)


def _born(blueprint: Blueprint, table: PlannedTable) -> float:
    makers = [each for each in blueprint.operations if each.on == table.resource and each.do in _BIRTHS]
    makers += [each for each in blueprint.operations if table.resource and each.posts == table.resource]
    return sum(blueprint.rate_hz(each) for each in makers)


def _audited(blueprint: Blueprint) -> float:
    kinds = {each.name: each.audit for each in blueprint.resources}
    written = [
        each
        for each in blueprint.operations
        if kinds.get(each.on) == "all" or (kinds.get(each.on) == "writes" and each.do not in _READS)
    ]
    return sum(blueprint.rate_hz(each) for each in written)

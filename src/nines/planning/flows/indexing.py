"""Which index serves which statement: a unique one first, then one that is there, then a new one."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from nines.model.design import PlannedIndex, PlannedTable
from nines.planning.data.names import index_name
from nines.planning.flows.statement import Wish


def served(tables: tuple[PlannedTable, ...], wishes: Iterable[Wish]) -> tuple[PlannedTable, ...]:
    """The tables with an index for every wish."""
    by_name = {table.name: table for table in tables}
    for wish in wishes:
        table = by_name[wish.table]
        if choose(table, wish) is None:
            by_name[table.name] = replace(table, indexes=(*table.indexes, _made(table, wish)))
    return tuple(by_name[table.name] for table in tables)


def choose(table: PlannedTable, wish: Wish) -> PlannedIndex | None:
    """The index that serves best among those that are there."""
    unique = [index for index in table.indexes if index.is_unique and _is_within(index, wish)]
    if unique:
        return min(unique, key=lambda index: (not index.is_primary, len(index.columns)))
    fitting = [index for index in table.indexes if fits(index, wish)]
    return min(fitting, key=lambda index: (index.where != wish.where, len(index.columns)), default=None)


def fits(index: PlannedIndex, wish: Wish) -> bool:
    """Whether the index finds the equal columns at its front and gives the rows in the wished order."""
    if index.where and index.where != wish.where and not _is_implied(index.where, wish):
        return False
    count = len(wish.equal)
    if set(index.names[:count]) != set(wish.equal):
        return False
    rest = tuple(_direction(column) for column in index.columns[count : count + len(wish.order)])
    wanted = tuple(_direction(column) for column in wish.order)
    if len(rest) < len(wanted):
        return False
    return rest == wanted or rest == tuple((name, not down) for name, down in wanted)


def _is_within(index: PlannedIndex, wish: Wish) -> bool:
    return set(index.names) <= set(wish.equal) and (not index.where or _is_implied(index.where, wish))


def _is_implied(where: str, wish: Wish) -> bool:
    """An equality implies that its column is not null."""
    return any(where in (f"{column} IS NOT NULL", f'"{column}" IS NOT NULL') for column in wish.equal)


def _direction(column: str) -> tuple[str, bool]:
    name, _, direction = column.partition(" ")
    return name, direction.upper().startswith("DESC")


def _made(table: PlannedTable, wish: Wish) -> PlannedIndex:
    columns = (*wish.equal, *wish.order)
    return PlannedIndex(name=index_name(table.name, columns, table.indexes), columns=columns, where=wish.where)

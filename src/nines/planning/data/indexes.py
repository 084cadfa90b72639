"""Which index serves what: none that serves nothing, and none that is the beginning of another."""

from __future__ import annotations

from msgspec.structs import replace

from nines.model.blueprint import Blueprint, IndexPart, Resource, WantedIndex
from nines.model.design import Design, Gap, PlannedIndex, PlannedQuery, PlannedTable
from nines.planning.data.columns import column_names
from nines.planning.data.names import index_name

WANTED = "asked for in the blueprint"


def wanted(blueprint: Blueprint, resource: Resource, table: str, present: frozenset[str]) -> tuple[PlannedIndex, ...]:
    """The blueprint's own indexes, so that queries use them before others are made."""
    found: dict[tuple[str, ...], PlannedIndex] = {}
    for each in resource.indexes:
        columns = _columns(blueprint, resource, each, present)
        if columns:
            name = index_name(table, columns, found.values())
            found.setdefault(columns, PlannedIndex(name=name, columns=columns, says=WANTED))
    return tuple(found.values())


def indexes(design: Design) -> Design:
    """The design without indexes that nothing needs; each that is left knows its queries."""
    if design.blueprint is None:
        return design
    merged: dict[str, str] = {}
    kept: list[PlannedTable] = []
    gaps: list[Gap] = []
    for table in design.tables:
        shorter, names = _merged(table)
        merged |= names
        kept.append(shorter)
    queries = tuple(replace(each, index=merged.get(each.index, each.index)) for each in design.queries)
    final = []
    for table in kept:
        served, dropped = _served(table, queries)
        final.append(served)
        gaps += [_unused(design, table, index) for index in dropped]
    return replace(design, tables=tuple(final), queries=queries, gaps=(*design.gaps, *gaps))


def _columns(blueprint: Blueprint, resource: Resource, wish: WantedIndex, present: frozenset[str]) -> tuple[str, ...]:
    parts: list[IndexPart] = []
    for part in wish.parts:
        names = (name for name in column_names(blueprint, resource, part.column) if name in present)
        parts += [IndexPart(column=name, is_descending=part.is_descending) for name in names]
    if len(parts) > 1 and parts[-1].column == "id":
        # The tie-breaker follows the order before it, so that one comparison of rows finds the next page.
        parts[-1] = IndexPart(column="id", is_descending=parts[-2].is_descending)
    return tuple(f"{part.column} DESC" if part.is_descending else part.column for part in parts)


def _merged(table: PlannedTable) -> tuple[PlannedTable, dict[str, str]]:
    """Without the indexes that are the beginning of another; queries go to the longer one."""
    names: dict[str, str] = {}
    kept = list(table.indexes)
    for index in table.indexes:
        if index.is_unique:
            continue
        longer = next((other for other in kept if other is not index and _covers(other, index)), None)
        if longer is None:
            continue
        kept.remove(index)
        names[index.name] = longer.name
        says = "; ".join(dict.fromkeys(text for text in (longer.says, index.says) if text))
        kept[kept.index(longer)] = replace(longer, says=says)
    return replace(table, indexes=tuple(kept)), _resolved(names)


def _resolved(names: dict[str, str]) -> dict[str, str]:
    def last(name: str) -> str:
        while name in names:
            name = names[name]
        return name

    return {name: last(name) for name in names}


def _covers(longer: PlannedIndex, index: PlannedIndex) -> bool:
    same_rows = longer.where in ("", index.where)
    if longer.columns == index.columns and longer.where == index.where:
        return longer.is_unique or longer.name < index.name
    return same_rows and longer.columns[: len(index.columns)] == index.columns


def _served(table: PlannedTable, queries: tuple[PlannedQuery, ...]) -> tuple[PlannedTable, tuple[PlannedIndex, ...]]:
    indexes = [
        replace(
            index, serves=tuple(each.id for each in queries if index.name == each.index or each.base in index.serves)
        )
        for index in table.indexes
    ]
    dropped = tuple(index for index in indexes if not index.is_unique and not index.serves and index.says == WANTED)
    kept = [index for index in indexes if index not in dropped]
    kept.sort(key=lambda index: (not index.is_primary, not index.is_unique))
    return replace(table, indexes=tuple(kept)), dropped


def _unused(design: Design, table: PlannedTable, index: PlannedIndex) -> Gap:
    columns = ", ".join(index.columns)
    return Gap(
        question=f"Which query shall the index on {table.name} ({columns}) serve?",
        assumed="none; no operation reads in this order, so it was left out",
        matters="An index costs time with every write and space for every row.",
        where=f"resources.{table.resource}.indexes" if design.blueprint else "",
    )

"""Which index is there for what; of a service that was read, what its declarations themselves show."""

from __future__ import annotations

from collections.abc import Iterator

from nines.dossier.markdown import bullets, code, table
from nines.model.design import Design, PlannedIndex, PlannedTable

_COLUMNS = ("table", "index", "kind", "what for")


def blocks(design: Design) -> list[str]:
    if design.is_recovered:
        return _found(design)
    rows = [(*_named(each, index), _purpose(index)) for each in design.tables for index in each.indexes]
    lead = (
        "Each query was given a unique index where one fits, else the shortest that finds its rows in its order; an "
        "index that is the beginning of another was left out."
    )
    return [lead, table(_COLUMNS, rows)]


def _found(design: Design) -> list[str]:
    """Only what holds whatever the queries are."""
    rows = [(*_named(each, index), _reference(each, index)) for each in design.tables for index in each.indexes]
    bare, doubled = list(_bare(design)), list(_doubled(design))
    return [
        table(_COLUMNS, rows) or "The code declares none.",
        "References for which the code declares no index; deleting what they refer to reads the whole table:"
        if bare
        else "",
        bullets(bare),
        "Indexes that are the beginning of another; each costs time with every write, and the longer one does as well:"
        if doubled
        else "",
        bullets(doubled),
    ]


def _named(each: PlannedTable, index: PlannedIndex) -> tuple[str, str, str]:
    kind = "primary key" if index.is_primary else "unique" if index.is_unique else ""
    where = f" where {code(index.where)}" if index.where else ""
    return code(each.name), f"{code(', '.join(index.columns))}{where}", kind


def _purpose(index: PlannedIndex) -> str:
    served = ", ".join(code(id) for id in index.serves)
    said = index.says if index.says != "asked for in the blueprint" else ""
    return "; ".join(part for part in (served, said) if part) or ("constraint" if index.is_unique else "")


def _reference(each: PlannedTable, index: PlannedIndex) -> str:
    first = each.column(index.names[0]) if index.names else None
    if first is not None and first.references:
        return f"the reference to {code(first.references)}"
    return "constraint" if index.is_unique else "?"


def _bare(design: Design) -> Iterator[str]:
    for each in design.tables:
        leading = {index.names[0] for index in each.indexes if index.names}
        for column in each.columns if each.is_complete else ():
            if column.references and column.name not in leading:
                yield f"{code(each.name)}.{code(column.name)} refers to {code(column.references)}"


def _doubled(design: Design) -> Iterator[str]:
    for each in design.tables:
        for index in each.indexes:
            longer = next((other for other in each.indexes if _begins(index, other)), None)
            if longer is not None:
                yield f"{code(each.name)} ({', '.join(index.columns)}) begins ({', '.join(longer.columns)})"


def _begins(index: PlannedIndex, other: PlannedIndex) -> bool:
    is_plain = not (index.is_unique or index.where or other.where)
    return is_plain and len(other.columns) > len(index.columns) and other.columns[: len(index.columns)] == index.columns

"""What rows that exist may stand in the way of: looked at before anything is changed."""

# ruff: noqa: S608 -- Names are quoted and values are constants of the design; nothing of a caller is part of a text.

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from nines.model.design import PlannedCheck, PlannedIndex, PlannedTable
from nines.model.design.ddl import literal, part, quoted
from nines.planning.data.change import Change

_VALUES = re.compile(r"(?P<column>\w+|\"[^\"]+\") IN \((?P<values>'(?:[^']|'')*'(?:, '(?:[^']|'')*')*)\)")
_VALUE = re.compile(r"'((?:[^']|'')*)'")
PENDING = "pending_operation"
_GRANTED = "_roles"
"""What somebody may do is not remembered but decided."""
_NAME = re.compile(r"'(?:[^']|'')*'|\"([^\"]+)\"|\b([a-z_][a-z0-9_]*)\b(?!\()")


def look(change: Change, name: str, rows: str, says: str) -> None:
    """Stops the first phase, and the last once more, where `rows`, a query of one column, finds any.

    Old code may still write such rows between the two."""
    told = literal(f"% {says.replace('%', '%%')}: mend them, then run it again")
    sql = (
        "DO $look$\nDECLARE\n    found bigint;\nBEGIN\n"
        f"    SELECT count(*) INTO found FROM (\n        {rows}\n    ) AS those;\n"
        f"    IF found > 0 THEN\n        RAISE EXCEPTION {told}, found\n"
        f"            USING HINT = {literal(rows)};\n    END IF;\nEND\n$look$;"
    )
    said = f"Reads {change.new.name} once, and stops here where rows stand in the way of what is to come."
    change.stages.look(f"look-{name}", sql, said)
    change.stages.contract(f"look-again-{name}", sql, said)


def look_for_breaches(change: Change, check: PlannedCheck) -> None:
    """Rows that a check would refuse; only where they had all of its columns before."""
    kept = {was.name: was.type == column.type for was, column in change.kept}
    named = _columns(change.new, check.expression)
    if not all(kept.get(name) for name in named) or named & change.moved.keys():
        return
    key = ", ".join(map(quoted, change.new.primary_key)) or "1"
    rows = f"SELECT {key} FROM {change.name} WHERE NOT ({check.expression})"
    look(change, check.name, rows, f"rows of {change.new.name} do not keep {check.expression}")


def look_for_twins(change: Change, index: PlannedIndex) -> None:
    """Rows that a unique key would refuse, where they had all of its columns before."""
    if not all(change.old.column(name) for name in index.names):
        return
    columns = ", ".join(part(name) for name in index.names)
    known = " AND ".join(f"{part(name)} IS NOT NULL" for name in index.names)
    where = f"{known} AND {index.where}" if index.where else known
    rows = f"SELECT {columns} FROM {change.name} WHERE {where} GROUP BY {columns} HAVING count(*) > 1"
    look(change, index.name, rows, f"keys ({columns}) are held by several rows of {change.new.name}")


def values_of(check: PlannedCheck | None) -> tuple[str, tuple[str, ...]]:
    """The column of a check that lists values, and them; "" for any other check."""
    found = _VALUES.fullmatch(check.expression) if check else None
    if found is None:
        return "", ()
    return found["column"].strip('"'), tuple(value.replace("''", "'") for value in _VALUE.findall(found["values"]))


def lost_values(old: PlannedTable, new: PlannedTable) -> Iterator[tuple[str, str]]:
    """Columns with values that rows may have and no longer may: states and enumerations that lost some."""
    after = {check.name: check for check in new.checks}
    for check in old.checks:
        column, had = values_of(check)
        if column and new.column(column) is not None:
            name, has = values_of(after.get(check.name))
            yield from ((column, value) for value in had if name == column and value not in has)


def remembering(old: PlannedTable, new: PlannedTable) -> PlannedTable:
    """A table of the service itself, which still takes the names that its rows may hold."""
    if new.resource or new.name.endswith(_GRANTED):
        return new
    lost = {column for column, _ in lost_values(old, new)}
    had = dict(map(values_of, old.checks))
    checks = tuple(_with_lost(check, had) if values_of(check)[0] in lost else check for check in new.checks)
    return replace(new, checks=checks)


def _with_lost(check: PlannedCheck, had: dict[str, tuple[str, ...]]) -> PlannedCheck:
    """In the old order, so that nothing changes where nothing was added."""
    column, has = values_of(check)
    both = (*had[column], *(value for value in has if value not in had[column]))
    return replace(check, expression=f"{part(column)} IN ({', '.join(map(literal, both))})")


def demanded(old: PlannedTable, new: PlannedTable) -> Iterator[tuple[str, str]]:
    """Values of which only the owner knows what becomes of them; a call that is under way is awaited instead."""
    return (each for each in lost_values(old, new) if each[0] != PENDING)


def _columns(table: PlannedTable, expression: str) -> set[str]:
    words = {found[1] or found[2] for found in _NAME.finditer(expression)}
    return {column.name for column in table.columns if column.name in words}

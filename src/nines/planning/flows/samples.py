"""Values that make a query run: SQL literals that every check of the table lets pass."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from nines.model.design import PlannedColumn, PlannedTable
from nines.model.design.ddl import literal, quoted

_CHOICE = re.compile(r"IN \(('(?:[^']|'')*')(?:, ('(?:[^']|'')*'))?")
_LENGTH = re.compile(r"(?:char|octet)_length\([^)]*\) <= (\d+)")
_EXACT = re.compile(r"octet_length\([^)]*\) = (\d+)")
_LEAST = re.compile(r"(>=|>|BETWEEN) (-?[\d.]+)")
_MOST = re.compile(r"<= (-?[\d.]+)$|<= (-?[\d.]+) ")
_PATTERNS = {"[A-Z]{3}": "EUR", "[A-Z]{2}": "GB", r"^\+": "+441632960001", "position('@'": "ada@example.com"}
_OTHERS = {"EUR": "USD", "GB": "FR", "+441632960001": "+441632960002", "ada@example.com": "grace@example.com"}
"""What a row that does not exist yet has instead."""
_HASH = "$argon2id$v=19$m=19456,t=2,p=1$c2FtcGxlc2FsdA$c2FtcGxl"
_MOMENT = "2030-01-02T03:04:05Z"
_PLAIN = {
    "boolean": "false",
    "jsonb": "'{}'",
    "date": "'2030-01-02'",
    "timestamptz": f"'{_MOMENT}'",
    "inet": "'192.0.2.1'",
}
_FRESH = {"boolean": "true", "date": "'2031-01-02'", "timestamptz": "'2031-02-03T04:05:06Z'"}
_FRESH_NUMBER = 1_000_000


def sample(tables: Sequence[PlannedTable], table: PlannedTable, name: str, *, is_fresh: bool = False) -> str:
    """A literal for the column: that of the sample row, or of a row that does not exist yet."""
    column = table.column(name)
    if column is None:
        raise KeyError(f"{table.name}.{name}")
    parent, _, key = column.references.partition(".")
    found = next((each for each in tables if each.name == parent), None)
    if found is not None and parent != table.name:
        return sample(tables, found, key)
    if column.type.endswith("[]"):
        return "'{}'"
    text = " AND ".join(check.expression for check in table.checks if _speaks_of(check.expression, name))
    return _of_type(table, column, text, is_fresh=is_fresh)


def identifier_sample(table: str, *, is_fresh: bool = False) -> str:
    tail = hashlib.sha256(table.encode()).hexdigest()[:12]
    return f"'01b8e094-9b2e-7000-{'9' if is_fresh else '8'}000-{tail}'"


def _of_type(table: PlannedTable, column: PlannedColumn, text: str, *, is_fresh: bool) -> str:
    if column.type == "uuid":
        return identifier_sample(table.name, is_fresh=is_fresh)
    if is_fresh and column.type in _FRESH:
        return _FRESH[column.type]
    if column.type in _PLAIN:
        return _PLAIN[column.type]
    if column.type == "bytea":
        word = " fresh" if is_fresh else ""
        return f"sha256({literal(f'{table.name} {column.name}{word}')})"
    if column.type == "text":
        return _text(column, text, is_fresh=is_fresh)
    return _number(text, is_fresh=is_fresh)


def _text(column: PlannedColumn, text: str, *, is_fresh: bool) -> str:
    choice = _CHOICE.search(text)
    if choice:
        return choice[2] or choice[1] if is_fresh else choice[1]
    if "argon2id" in text:
        return literal(_HASH)
    pattern = next((value for mark, value in _PATTERNS.items() if mark in text), "")
    if pattern:
        return literal(_OTHERS[pattern] if is_fresh else pattern)
    length = _LENGTH.search(text)
    value = f"{'new' if is_fresh else 'some'} {column.name.replace('_', ' ')}"
    return literal(value[: int(length[1])] if length else value)


def _number(text: str, *, is_fresh: bool) -> str:
    least, most = _LEAST.search(text), _MOST.search(text)
    value = float(least[2]) + (1 if least[1] == ">" else 0) if least else 1.0
    upper = float(most[1] or most[2]) if most else None
    if upper is not None and value > upper:
        value = float(least[2]) if least else upper
    if is_fresh:
        value = upper if upper is not None else value + _FRESH_NUMBER
    return str(int(value)) if value == int(value) else str(value)


def _speaks_of(expression: str, column: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(quoted(column))}(?![\w(])", expression) is not None

"""Fills planned tables with rows that every check lets pass, so that the planner has something to choose from."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nines.model.design import PlannedColumn, PlannedTable
from nines.model.design.ddl import literal, quoted
from nines.planning.flows.samples import sample

_PATTERNS = {
    "{3}": "'EUR'",
    "{2}": "'GB'",
    "^\\+": "'+4' || (100000 + i)",
    "'@'": "'p' || i || '@example.com'",
}
_CHOICE = re.compile(r"IN \(([^)]*)\)")


def seed(tables: Sequence[PlannedTable], table: PlannedTable) -> str:
    """The one row that the samples of the queries speak of."""
    columns = [column for column in table.columns if not (column.references and _is_ahead(tables, table, column))]
    values = ", ".join(_seed_value(tables, table, column) for column in columns)
    names = ", ".join(quoted(column.name) for column in columns)
    return f"INSERT INTO {quoted(table.name)} ({names}) VALUES ({values}) ON CONFLICT DO NOTHING"


def _seed_value(tables: Sequence[PlannedTable], table: PlannedTable, column: PlannedColumn) -> str:
    if column.name.startswith("pending_") and column.is_nullable:
        return "NULL"
    if column.references.partition(".")[0] == table.name:
        return "NULL"
    if column.name == "body":
        return "NULL" if table.column("status_code") else sample(tables, table, column.name)
    if column.name in ("status_code", "credit_account_id"):
        return "NULL" if column.name == "status_code" else "'01b8e094-9b2e-7000-8000-ffffffffffff'"
    return sample(tables, table, column.name)


def _is_ahead(tables: Sequence[PlannedTable], table: PlannedTable, column: PlannedColumn) -> bool:
    """A reference that closes a ring has no row to point to yet."""
    names = [each.name for each in tables]
    parent = column.references.partition(".")[0]
    return parent in names and names.index(parent) > names.index(table.name)


def fill(tables: Sequence[PlannedTable], table: PlannedTable, count: int, *, tenant: str = "") -> str:
    """As many rows as `count`, spread over their keys; run without foreign keys and triggers."""
    names = ", ".join(quoted(column.name) for column in table.columns)
    values = ", ".join(_value(tables, table, column, tenant) for column in table.columns)
    return (
        f"INSERT INTO {quoted(table.name)} ({names}) SELECT {values} FROM generate_series(1, {count}) AS i "
        "ON CONFLICT DO NOTHING"
    )


def _value(tables: Sequence[PlannedTable], table: PlannedTable, column: PlannedColumn, tenant: str) -> str:
    text = " AND ".join(check.expression for check in table.checks if quoted(column.name) in check.expression)
    type = column.type
    if column.name.startswith("pending_"):
        value = {
            "text": _text(column, text, known="", tenant=tenant),
            "jsonb": "'{}'::jsonb",
            "uuid": "gen_random_uuid()",
        }.get(type, "now()")
        return f"CASE WHEN i % 50 = 0 THEN {value} END"
    if column.name in ("body", "status_code") and column.is_nullable:
        return "NULL"
    drawn = _drawn(column.name)
    if type == "uuid":
        if column.name == "id":
            return "('01b8e094-9b2e-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid"
        kinds = _kinds(column.name, tenant)
        # Another row of numbers for each column, so that two references of one row never meet.
        series = f"{sum(column.name.encode()) % 10_000:04d}"
        other = f"('01b8e094-9b2e-7000-{series}-' || lpad(to_hex({drawn} % {kinds}), 12, '0'))::uuid"
        return f"CASE {drawn} % {kinds} WHEN 0 THEN {sample(tables, table, column.name)}::uuid ELSE {other} END"
    if type == "text":
        return _text(column, text, known=sample(tables, table, column.name), tenant=tenant)
    if type == "bytea":
        return f"sha256(('{column.name}' || i)::bytea)"
    plain = {
        "boolean": "i % 50 = 0",
        "jsonb": "'{}'::jsonb",
        "date": "date '2030-01-01' + i % 3000",
        "timestamptz": "timestamptz '2030-01-01' + i * interval '1 minute'",
        "inet": "'192.0.2.1'::inet",
    }
    if type in plain:
        return plain[type]
    if type.endswith("[]"):
        return f"'{{}}'::{type}"
    if column.name == "sequence":
        return "i"
    return _number(text)


def _drawn(name: str) -> str:
    """A number that looks drawn by chance, is the same in each run, and differs from column to column."""
    return f"(hashint4(i + {sum(name.encode())}) & 1048575)"


def _kinds(name: str, tenant: str) -> int:
    """Few tenants and owners, each with more rows than a page; many of everything else."""
    return {tenant: 2, "owner_id": 20}.get(name, 1_000)


def _text(column: PlannedColumn, text: str, *, known: str, tenant: str) -> str:
    drawn = _drawn(column.name)
    choice = _CHOICE.search(text)
    if choice:
        first, last = choice[1].partition(", ")[0], choice[1].rpartition(", ")[2]
        # The states that queries ask for are rare ones: where work begins, and where few rows end.
        others = f"(ARRAY[{choice[1]}, {first}])[2 + {drawn} % {max(1, choice[1].count(', ') - 1)}]"
        return f"CASE {drawn} % 50 WHEN 0 THEN {last} WHEN 1 THEN {first} ELSE {others} END"
    found = next((value for mark, value in _PATTERNS.items() if mark in text), "")
    if found:
        return found
    if "argon2id" in text:
        return literal("$argon2id$x")
    if column.name in ("owner_id", "subject", "chain") or column.name.endswith("_id"):
        kinds = _kinds(column.name, tenant)
        return f"CASE {drawn} % {kinds} WHEN 0 THEN {known} ELSE 'k' || {drawn} % {kinds} END"
    return f"CASE i WHEN 1 THEN {known} ELSE 'v' || i END" if known else "'v' || i"


def _number(text: str) -> str:
    least = re.search(r"(>=|>|BETWEEN) (-?\d+)", text)
    return str(int(least[2]) + 1) if least else "1"

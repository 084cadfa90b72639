"""Every table by itself: columns, keys, checks."""

from __future__ import annotations

from collections.abc import Iterator

from nines.dossier.chapters.data.entities import databases
from nines.dossier.markdown import bullets, code, heading, page, table
from nines.model.design import Design, PlannedColumn, PlannedTable


def text(design: Design) -> str:
    if not design.tables:
        return ""
    blocks = [heading(1, "Tables")]
    found = databases(design)
    for name, tables in found:
        if len(found) > 1:
            blocks.append(heading(2, f"Database of {name}" if name else "In every database"))
        for each in tables:
            blocks += _table(each)
    return page(*blocks)


def _table(each: PlannedTable) -> Iterator[str]:
    yield heading(3, each.name)
    yield each.says
    if not each.is_complete:
        yield "A part of its declaration was not understood: what is missing here may be there all the same."
    yield table(("column", "type", "may be null", "default", "refers to", "what it is"), map(_column, each.columns))
    keys = [_key(index.columns, is_primary=index.is_primary) for index in each.indexes if index.is_unique]
    checks = [f"{code(check.expression)}{f': {check.says}' if check.says else ''}" for check in each.checks]
    facts = [*keys, *checks]
    if each.is_append_only:
        facts.append("Rows are only added: a trigger refuses UPDATE, TRUNCATE, and DELETE before their time is over.")
    if each.partition_by:
        facts.append(f"Partitioned by {code(each.partition_by)}.")
    yield bullets(facts)


def _column(column: PlannedColumn) -> tuple[str, ...]:
    marks = (("personal data", column.is_personal), ("encrypted", column.is_encrypted))
    says = [column.says, *(mark for mark, holds in marks if holds)]
    refers = (
        f"{code(column.references)}{f', {column.on_delete}' if column.on_delete else ''}" if column.references else ""
    )
    return (
        code(column.name),
        column.type or "?",
        "yes" if column.is_nullable else "",
        code(column.default) if column.default else "",
        refers,
        "; ".join(each for each in says if each),
    )


def _key(columns: tuple[str, ...], *, is_primary: bool) -> str:
    return f"{'Primary key' if is_primary else 'Unique'}: {code(', '.join(columns))}"

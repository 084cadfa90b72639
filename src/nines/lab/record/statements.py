"""A statement that was seen, as an effect."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nines.lab.record.events import StatementSeen
from nines.lab.record.sqltext import changes_data
from nines.model.effect import Assignment, Effect, EffectKind, Predicate, Rows
from nines.model.origin import Origin, OriginKind
from nines.model.statement import Comparison, Statement

TEXT_CHARS_MAX = 300
"""The part of a statement that a report shows."""

_UNKNOWN = (Origin(kind=OriginKind.UNKNOWN),)
_ADVISORY = re.compile(r"\bpg_(?:try_)?advisory_(?:xact_)?(lock|unlock)", re.IGNORECASE)
_FIRST_WORD = re.compile(r"\s*\(*\s*([A-Za-z]+)")
_COPY_TO = re.compile(r"\bto\s+(?:stdout|program|'|\$)", re.IGNORECASE)
_CURSOR = re.compile(r"\s*declare\s.*?\scursor\s.*?\bfor\s+", re.IGNORECASE | re.DOTALL)
_LITERAL = re.compile(r"'(?:[^']|'')*'|\$\d+|\b\d+(?:\.\d+)?\b|\(\s*\?(?:\s*,\s*\?)+\s*\)")
_ACTIONS = {
    "MERGE": "UPSERT",
    "TRUNCATE": "DELETE",
    "TABLE": "SELECT",
    "VALUES": "SELECT",
    "WITH": "SELECT",
    "DECLARE": "SELECT",
    "EXPLAIN": "SELECT",
}
_DDL = frozenset(("CREATE", "ALTER", "DROP", "GRANT", "REVOKE", "COMMENT", "REFRESH", "REINDEX", "ANALYZE", "VACUUM"))
_READ = frozenset(("SELECT", ""))
_SILENT = frozenset(("SAVEPOINT", "RELEASE", "SET", "BEGIN", "COMMIT", "ROLLBACK"))


def statement_effect(events: Sequence[StatementSeen], statement: Statement, began_s: float) -> Effect | None:
    """The effect of equal statements that were sent together (usually one); None for what has none, a savepoint."""
    first, last = events[0], events[-1]
    action = _action(first, statement)
    if action in _SILENT:
        return None
    rows = sum(event.rows for event in events if event.rows is not None)
    has_rows = any(event.rows is not None for event in events)
    text = " ".join(first.text.split())
    shown = text if len(text) <= TEXT_CHARS_MAX else text[: TEXT_CHARS_MAX - 1] + "…"
    if len(events) > 1:
        shown += f" (x {len(events)} in one batch)"
    kind, target = _kind(action, first.text, statement)
    error = next((event for event in events if event.error), None)
    return Effect(
        kind=kind,
        target=target,
        action=action,
        text=shown,
        dependency=first.dependency,
        rows=_rows(statement, rows, len(events)) if has_rows else statement.rows,
        limit=statement.limit,
        predicates=tuple(_predicate(comparison) for comparison in statement.comparisons),
        predicates_known=statement.is_understood,
        assignments=tuple(
            Assignment(column=w.column, origins=_UNKNOWN if w.parameter else (), is_atomic=w.is_atomic)
            for w in statement.written
        ),
        locks_rows=statement.locks_rows,
        handles_conflict=statement.handles_conflict,
        at_s=first.started_s - began_s,
        duration_s=last.ended_s - first.started_s,
        error=f"{error.error} {error.message}".strip() if error else "",
    )


def without_cursor(text: str) -> str:
    """The query behind DECLARE ... CURSOR FOR, any other text as it is."""
    match = _CURSOR.match(text)
    return text[match.end() :] if match else text


def statement_shape(event: StatementSeen, statement: Statement) -> str:
    """Equal for statements that differ in their values only."""
    if statement.shape:
        return statement.shape
    bare = _LITERAL.sub("?", " ".join(event.text.split()).lower())
    return _LITERAL.sub("(?)", bare)


def _action(event: StatementSeen, statement: Statement) -> str:
    if statement.action:
        return statement.action.upper()
    word = event.tag.split(" ")[0] if event.tag else ""
    if not word:
        match = _FIRST_WORD.match(event.text)
        word = match[1].upper() if match else ""
    if word == "COPY":
        return "SELECT" if _COPY_TO.search(event.text) else "INSERT"
    if word in _DDL:
        return "DDL"
    return _ACTIONS.get(word, word)


def _kind(action: str, text: str, statement: Statement) -> tuple[EffectKind, str]:
    advisory = _ADVISORY.search(text)
    if advisory and action in _READ:
        return (EffectKind.LOCK if advisory[1].lower() == "lock" else EffectKind.UNLOCK), "advisory"
    target = statement.tables[0] if statement.tables else ""
    if action == "LOCK":
        return EffectKind.LOCK, target
    if action in _READ and (statement.is_understood or not changes_data(text)):
        return EffectKind.DATABASE_READ, target
    return EffectKind.DATABASE_WRITE, target


def _rows(statement: Statement, rows: int, statements: int) -> Rows:
    if rows > 1 or statements > 1:
        return Rows.MANY
    if rows == 1:
        return Rows.ONE
    return statement.rows


def _predicate(comparison: Comparison) -> Predicate:
    # The wire shows a value, never where it comes from; also a literal may have been spliced in by the driver.
    origins = _UNKNOWN if comparison.is_bound else ()
    return Predicate(column=comparison.column, operator=comparison.operator, origins=origins)

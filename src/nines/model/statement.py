"""One SQL statement, understood: shared by reading (text in the code) and by running (text on the wire).

The reading itself is readers/sql; whoever needs it is handed a `ReadStatement`, so that no specialist knows another."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from nines.model.effect import Known, Rows
from nines.model.record import Record


class Comparison(Record):
    """A condition of WHERE or of a join; `parameter` is the placeholder's ordinal, from 1, or its name."""

    column: str
    """Lower case; `table.column` where the column is qualified and several tables take part."""
    operator: str = "="
    """=, !=, <, <=, >, >=, in (also `= ANY`), between, like, ilike, is, each also after "not "; else "?"."""
    parameter: str = ""
    literal: str = ""
    is_bound: bool = False
    """Compared with a placeholder or a literal, not with another column."""
    is_alternative: bool = False
    """One side of an OR: the rows need not fulfil it."""


class Written(Record):
    """A column that INSERT or UPDATE sets."""

    column: str
    parameter: str = ""
    is_atomic: bool = False
    """Computed from the row's own columns: `balance = balance + $1`."""


class Statement(Record):
    """What one statement does; everything unknown keeps its default."""

    action: str = ""
    """SELECT, INSERT, UPDATE, DELETE, UPSERT, DDL, BEGIN, COMMIT, ROLLBACK, SAVEPOINT, LOCK, SET; else ""."""
    tables: tuple[str, ...] = ()
    """Lower case, without schema; the one that is written, or selected FROM, first."""
    comparisons: tuple[Comparison, ...] = ()
    written: tuple[Written, ...] = ()
    columns: tuple[str, ...] = ()
    """What a SELECT returns, "*" for all."""
    limit: Known = Known.UNKNOWN
    rows: Rows = Rows.UNKNOWN
    """ONE for aggregates without GROUP BY, EXISTS, single-row INSERT; else UNKNOWN: keys are the schema's business."""
    locks_rows: bool = False
    handles_conflict: bool = False
    shape: str = ""
    """The statement with literals and IN-lists normalised away: equal shapes are the same query."""
    is_understood: bool = False


ReadStatement: TypeAlias = Callable[[str], Statement]

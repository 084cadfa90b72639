"""A statement while it is put together: its text, its arguments, and the index that it would like."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nines.model.design import PlannedTable
from nines.model.design.ddl import quoted
from nines.model.record import Record
from nines.planning.flows.samples import sample


class Wish(Record):
    """What an index must offer so that a statement reads no more rows than it returns."""

    table: str
    equal: tuple[str, ...] = ()
    """Columns that are compared with one value each."""
    order: tuple[str, ...] = ()
    """Columns that follow, with their direction: "created_at DESC"."""
    where: str = ""


class Statement(Record):
    id: str
    text: str
    arguments: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    """What each argument stands for, as PlannedQuery tells it."""
    tables: tuple[str, ...] = ()
    wish: Wish | None = None
    rows_max: int | None = None
    is_write: bool = False
    says: str = ""


class Sql:
    """Collects the arguments of one statement and hands out their placeholders."""

    def __init__(self, tables: Sequence[PlannedTable], table: PlannedTable) -> None:
        self.tables = tables
        self.table = table
        self.arguments: list[str] = []
        self.parameters: list[str] = []

    def bind(self, literal: str, stands_for: str) -> str:
        self.arguments.append(literal)
        self.parameters.append(stands_for)
        return f"${len(self.arguments)}"

    def value(
        self, column: str, *, is_fresh: bool = False, table: PlannedTable | None = None, stands_for: str = ""
    ) -> str:
        """A placeholder whose sample is one of the column; it stands for the column unless something is said."""
        return self.bind(sample(self.tables, table or self.table, column, is_fresh=is_fresh), stands_for or column)

    def array(self, column: str) -> str:
        """A placeholder for several values of the column, cast to what it is."""
        found = self.table.column(column)
        type = found.type if found else "text"
        literal = f"ARRAY[{sample(self.tables, self.table, column)}]::{type}[]"
        return f"{self.bind(literal, f'{column}[]')}::{type}[]"

    def equal(self, column: str, *, alias: str = "", stands_for: str = "") -> str:
        return f"{alias}{quoted(column)} = {self.value(column, stands_for=stands_for)}"

    def done(
        self,
        id: str,
        text: str,
        *,
        wish: Wish | None = None,
        rows_max: int | None = None,
        is_write: bool = False,
        says: str = "",
        others: Iterable[str] = (),
    ) -> Statement:
        return Statement(
            id=id,
            text=text,
            arguments=tuple(self.arguments),
            parameters=tuple(self.parameters),
            tables=(self.table.name, *others),
            wish=wish,
            rows_max=rows_max,
            is_write=is_write,
            says=says,
        )


def listed(columns: Iterable[str], prefix: str = "") -> str:
    return ", ".join(f"{prefix}{quoted(column)}" for column in columns)


def both(conditions: Iterable[str]) -> str:
    """Joined by AND, one a line."""
    return "\n  AND ".join(condition for condition in conditions if condition)

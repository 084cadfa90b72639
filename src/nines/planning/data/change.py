"""What two versions of one table are to each other, while the steps between them are found."""

from __future__ import annotations

from collections.abc import Mapping

from nines.model.design import PlannedColumn, PlannedTable
from nines.model.design.ddl import quoted
from nines.planning.data.stages import Stages

_INSTANT = "ACCESS EXCLUSIVE on {table} for an instant: the catalogue is changed, no row is read."
_VALIDATE = "Reads {table} once under SHARE UPDATE EXCLUSIVE: readers and writers go on."


class Change:
    """What both tables are, and what is told about the way between them."""

    def __init__(
        self,
        stages: Stages,
        old: PlannedTable,
        new: PlannedTable,
        *,
        renames: Mapping[str, str],
        fills: Mapping[str, str],
        retyped: frozenset[str],
    ) -> None:
        self.stages, self.old, self.new, self.retyped = stages, old, new, retyped
        mine = {key.partition(".")[2]: value for key, value in fills.items() if key.startswith(f"{new.name}.")}
        self.fills = {key: value for key, value in mine.items() if "." not in key}
        self.moved: dict[str, dict[str, str]] = {}
        """What becomes of values that rows may no longer have, by column and value."""
        for key, value in mine.items():
            column_name, point, value_before = key.partition(".")
            if point:
                self.moved.setdefault(column_name, {})[value_before] = value
        told = {key.partition(".")[2]: value for key, value in renames.items() if key.startswith(f"{new.name}.")}
        self.renamed = {a: b for a, b in told.items() if old.column(a) and new.column(b) and not old.column(b)}
        self.name = quoted(new.name)
        self.added = [column for column in new.columns if old.column(column.name) is None]
        self.gone = [column for column in old.columns if new.column(column.name) is None]
        self.kept = [(was, column) for column in new.columns if (was := old.column(column.name)) is not None]

    @property
    def instant(self) -> str:
        return _INSTANT.format(table=self.new.name)

    @property
    def validating(self) -> str:
        return _VALIDATE.format(table=self.new.name)


def altered(change: Change, column: PlannedColumn, what: str) -> str:
    return f"ALTER TABLE {change.name} ALTER COLUMN {quoted(column.name)} {what};"

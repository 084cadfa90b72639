"""Whether a new value counts on from the old one, so that what others wrote meanwhile is lost."""

from __future__ import annotations

import re

from nines.model.effect import Assignment, Condition, Effect
from nines.model.origin import OriginKind
from nines.model.schema import Table

_TEXT = re.compile(r"text|char|str|uuid|url|mail")
_DECIDED_ELSEWHERE = frozenset({OriginKind.REMOTE, OriginKind.CHANCE})


def is_completed(write: Effect, assignment: Assignment) -> bool:
    """Whether an empty value is filled, a name drawn, or what another service answered is kept: nothing adds up."""
    kinds = {origin.kind for origin in assignment.origins}
    return bool(kinds & _DECIDED_ELSEWHERE) or any(_asks_for_none(c, assignment.column) for c in write.conditions)


def adds_up(assignment: Assignment, source: int, table: Table | None) -> bool:
    """Whether the old value is all that is known to be counted on or added to; else it may merely be written anew."""
    column = table.column(assignment.column) if table is not None else None
    rows = {(o.effect, o.name) for o in assignment.origins if o.kind is OriginKind.DATABASE}
    if column is not None and _TEXT.search(column.type):
        # A text is mostly cut, brought into form or put together anew, which comes to the same a second time.
        return False
    return any(name == assignment.column for _, name in rows) or {effect for effect, _ in rows} == {source}


def _asks_for_none(condition: Condition, column: str) -> bool:
    """A test whether the column has a value yet, on the arm where it has none."""
    is_denied = condition.text.startswith("not ")
    name = condition.text.removeprefix("not ").removesuffix(" is None").removesuffix(" is not None")
    wants = 0 if is_denied or condition.text.endswith(" is None") else 1
    return name.rpartition(".")[2] == column and condition.arm == wants

"""The columns that a statement sets, and from where."""

from __future__ import annotations

from nines.effects.interpret.libraries.arguments import OPEN
from nines.effects.mapped import Mapped
from nines.effects.queries import Written
from nines.effects.values import ColumnThing, ContainerThing, CriterionThing, Value, deep_sources


def written_of(table: Mapped | None, bound: dict[str, Value]) -> tuple[Written, ...]:
    """Assignments from keywords, mappings and lists of mappings."""
    found: list[Written] = []
    for name, value in bound.items():
        thing = value.thing
        if name == OPEN:
            found.append(Written("*", deep_sources(value)))
        elif name.startswith("*") or (isinstance(thing, ContainerThing) and thing.kind == "dict"):
            found.extend(_written_inside(table, value))
        else:
            found.append(_written(table, name, value))
    return tuple(found)


def _written_inside(table: Mapped | None, value: Value) -> list[Written]:
    thing = value.thing
    if isinstance(thing, ContainerThing) and thing.kind == "dict":
        named = [_written(table, key, held) for key, held in thing.fields]
        return named or [Written("*", deep_sources(value))]
    if isinstance(thing, ContainerThing) and thing.entries:
        return [each for entry in thing.entries[:1] for each in _written_inside(table, entry)]
    return [Written("*", deep_sources(value))]


def _written(table: Mapped | None, name: str, value: Value) -> Written:
    column = table.column_of(name) if table else name
    return Written(column, deep_sources(value), isinstance(value.thing, ColumnThing | CriterionThing))

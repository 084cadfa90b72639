"""Unique constraints and indexes over several columns."""

from __future__ import annotations

from nines.effects.interpret.database.declarations import flag, rule_of
from nines.effects.interpret.state.world import World
from nines.effects.mapped import Mapped
from nines.effects.values import ContainerThing, CriterionThing, ObjectThing, Value
from nines.effects.values import field as held_field


def add_constraints(world: World, table: Mapped, declared: Value, role: str) -> None:
    """Unique constraints and indexes over several columns."""
    thing = declared.thing
    entries = thing.entries or () if isinstance(thing, ContainerThing) else ()
    if role == "unique" and entries and all(isinstance(e.constant, str) for e in entries):
        table.unique.append(tuple(table.column_of(str(e.constant)) for e in entries))
        return
    for entry in entries:
        inner = entry.thing
        if isinstance(inner, ContainerThing) and role == "unique":
            table.unique.append(tuple(table.column_of(str(e.constant)) for e in inner.entries or () if e.has_constant))
        rule = rule_of(world, inner.type) if isinstance(inner, ObjectThing) else None
        if rule is None or rule.kind not in ("unique", "index"):
            continue
        columns = _columns_of(entry, table)
        unique = rule.kind == "unique" or flag(entry, rule.unique) is True
        condition = held_field(entry, "condition")
        if condition is not None:
            if unique and columns:
                table.partly_unique[columns] = _columns_named(condition, table)
        elif columns:
            (table.unique if unique else table.indexes).append(columns)


def _columns_named(condition: Value, table: Mapped) -> frozenset[str]:
    thing = condition.thing
    names = [each[0] for each in thing.predicates] if isinstance(thing, CriterionThing) and thing.known else []
    return frozenset(table.column_of(name.removeprefix("?").partition("__")[0]) for name in names)


def _columns_of(entry: Value, table: Mapped) -> tuple[str, ...]:
    thing = entry.thing
    names: list[str] = []
    attributes = {f"{c.place.file}:{c.place.line}": c.attribute for c in table.columns.values() if c.place is not None}
    for key, held in thing.fields if isinstance(thing, ObjectThing) else ():
        if key == "fields" and isinstance(held.thing, ContainerThing):
            names.extend(str(e.constant) for e in held.thing.entries or () if e.has_constant)
        elif key.startswith("*") and isinstance(held.constant, str):
            names.append(held.constant)
        elif (
            key.startswith("*")
            and isinstance(held.thing, ObjectThing)
            and held.thing.site.rpartition(":")[0] in attributes
        ):
            # A column that stands in the class itself, told by where it was declared.
            names.append(attributes[held.thing.site.rpartition(":")[0]])
    return tuple(table.column_of(name.lstrip("-")) for name in names)

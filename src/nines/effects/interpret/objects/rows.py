"""Attributes of a mapped row: its columns, and the rows behind its relations."""

from __future__ import annotations

from dataclasses import replace

from nines.effects.interpret.database.entities import start_entity
from nines.effects.interpret.database.mapping import mapped, relation_of
from nines.effects.interpret.database.running import Run, emit_query
from nines.effects.interpret.state.frame import Frame
from nines.effects.mapped import Mapped, Relation
from nines.effects.queries import Condition
from nines.effects.values import (
    ANYTHING,
    PRESENT,
    InstanceThing,
    ObjectThing,
    ScalarThing,
    Source,
    Sources,
    Value,
    field,
    list_of,
    merge_sources,
    sanitised,
    unknown,
)
from nines.model.effect import Known, Rows
from nines.model.origin import OriginKind


def member_sources(sources: Sources, name: str) -> Sources:
    """The sources of a part: a column of a row is named, everything else stays what it was."""
    return tuple(s._replace(name=name) if s.kind is OriginKind.DATABASE and not s.name else s for s in sources)


def column_value(sources: Sources, name: str) -> Value:
    return unknown(member_sources(sources, name))


_NUMBERS = ("integer", "bigint", "smallint", "numeric", "double precision")
"""Columns that hold no text, whatever the row was made of."""


def of_row(  # noqa: PLR0917
    frame: Frame, receiver: Value, thing: InstanceThing, table: Mapped, name: str, line: int, column: int
) -> Value | None:
    """A column's value, or the rows behind a relation."""
    found = table.columns.get(name)
    if found is not None:
        held = field(receiver, name)
        base = [s for s in receiver.sources if s.kind is not OriginKind.DATABASE]
        own = (Source(OriginKind.DATABASE, found.name, token=thing.row),) if thing.row else ()
        if not thing.row:
            base = list(member_sources(receiver.sources, found.name))
        if held is not None and not held.is_unknown:
            return held
        sources = sanitised((*own, *base), ("sql", "number")) if found.type in _NUMBERS else (*own, *base)
        # A row that was fetched has its key.
        is_key = found.is_primary and any(s.token == thing.row and not s.name for s in receiver.sources if s.token)
        return Value(ScalarThing(PRESENT), sources) if is_key else unknown(sources)
    relation = relation_of(frame.world, table, name)
    if relation is None:
        return None
    held = field(receiver, name)
    return held if held is not None else related(frame, receiver, thing, table, relation, line, column)


def related(  # noqa: PLR0917
    frame: Frame, receiver: Value, thing: InstanceThing, table: Mapped, relation: Relation, line: int, column: int
) -> Value:
    """What a relation's attribute gives: a further query, one lazily loaded row, or what was loaded with the parent."""
    world = frame.world
    target = mapped(world, relation.target) if relation.target is not None else None
    sources = (Source(OriginKind.DATABASE, relation.name, token=thing.row),) if thing.row else receiver.sources
    kept = tuple(s for s in receiver.sources if s.kind is OriginKind.PRINCIPAL)
    sources = merge_sources(sources, kept)
    if relation.target is None or target is None:
        return unknown(sources)
    manager = world.signatures.trait(table.base, "manager")
    key = relation.column or f"{table.name}_id"
    query = replace(
        start_entity(world, relation.target, thing.connection),
        conditions=(Condition(key if relation.is_many or relation.is_back else target.key or "id", "=", sources),),
        is_related=relation.is_many,
    )
    is_eager = relation.name in thing.eager or bool(thing.eager & ANYTHING)
    if relation.is_many and isinstance(manager, str):
        if is_eager:
            query = replace(query, is_column=False, is_loaded=True)
        return Value(ObjectThing(manager, thing.connection, query=query), sources)
    nested = frozenset(n[len(relation.name) + 2 :] for n in thing.eager if n.startswith(f"{relation.name}__"))
    nested |= thing.eager & ANYTHING
    if is_eager or not thing.row:
        loaded = Value(
            InstanceThing(relation.target, row=thing.row, eager=nested, connection=thing.connection), sources
        )
        return list_of(loaded) if relation.is_many else loaded
    type = table.base if world.signatures.trait(table.base, "connection") else ""
    library_name = world.signatures.libraries.get(table.base, "") or table.base.partition(".")[0]
    run = Run(frame, frame.place(line, column), type, thing.connection, library_name, True)
    if not relation.is_many:
        query = replace(query, limit=Known.SET, limit_one=True)
    _, row = emit_query(run, query, rows=Rows.MANY if relation.is_many else Rows.ONE, held=relation.is_many, lazy=True)
    return list_of(row) if relation.is_many else row

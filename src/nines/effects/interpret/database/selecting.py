"""What a statement selects: entities, columns, aggregates, relations read along."""

from __future__ import annotations

from dataclasses import replace

from nines.effects.interpret.database.entities import of_entity
from nines.effects.interpret.database.mapping import mapped
from nines.effects.interpret.libraries.arguments import OPEN
from nines.effects.interpret.libraries.call import LibraryCall
from nines.effects.interpret.state.world import World
from nines.effects.queries import Query
from nines.effects.values import ClassThing, ColumnThing, ContainerThing, ObjectThing, Value
from nines.model.effect import Known


def select(call: LibraryCall, query: Query) -> Query:
    """Entities, columns and aggregates, as arguments."""
    single: list[bool] = []
    for value in flat(call.bound):
        for each in value.alternatives():
            thing = each.thing
            if isinstance(thing, ClassThing):
                if query.entity is None:
                    query = of_entity(call.world, query, thing.info)
                single.append(False)
            elif isinstance(thing, ColumnThing):
                if query.entity is None and thing.info is not None:
                    query = replace(of_entity(call.world, query, thing.info), is_column=True)
                elif not query.table:
                    query = replace(query, table=thing.table, is_column=True)
                single.append(False)
            elif isinstance(thing, ObjectThing):
                inner = thing.query
                single.append(inner is not None and inner.is_single)
                if inner is not None and not query.table:
                    query = replace(
                        query, table=inner.table, entity=query.entity or inner.entity, is_column=True,
                        conditions=query.conditions + inner.conditions, known=query.known and inner.known,
                    )  # fmt: skip
            else:
                single.append(False)
    return replace(query, is_single=bool(single) and all(single), is_column=query.is_column or all(single))


def flat(bound: dict[str, Value]) -> list[Value]:
    found: list[Value] = []
    for name, value in bound.items():
        if name == OPEN:
            continue
        thing = value.thing
        if isinstance(thing, ContainerThing) and thing.entries is not None:
            found.extend(thing.entries)
        else:
            found.append(value)
    return found


def from_entity(call: LibraryCall, query: Query) -> Query:
    for value in flat(call.bound):
        thing = value.thing
        if isinstance(thing, ClassThing) and not query.table:
            single, column = query.is_single, query.is_column
            query = replace(of_entity(call.world, query, thing.info), is_single=single, is_column=column)
    return query


def aggregate(call: LibraryCall, query: Query) -> Query:
    """`count(...)` and its like: one row, whatever the data."""
    for value in flat(call.bound):
        thing = value.thing
        if isinstance(thing, ColumnThing) and thing.info is not None and not query.table:
            query = of_entity(call.world, query, thing.info)
    return replace(query, is_single=True, is_column=True)


def eager(call: LibraryCall, query: Query) -> Query:
    names: set[str] = set(query.eager)
    for value in flat(call.bound):
        names.update(eager_names(value))
    return replace(query, eager=frozenset(names))


def eager_names(value: Value) -> set[str]:
    """Relations that a loader option or a text names: "author__profile", joinedload(Book.author)."""
    thing = value.thing
    if isinstance(value.constant, str):
        parts = value.constant.split("__")
        return {"__".join(parts[: i + 1]) for i in range(len(parts))} | {parts[0]}
    if isinstance(thing, ColumnThing):
        return {thing.column}
    if isinstance(thing, ObjectThing):
        return {name for _, held in thing.fields for name in eager_names(held)}
    if isinstance(thing, ContainerThing):
        return {name for held in thing.entries or () for name in eager_names(held)}
    return set()


def entity(call: LibraryCall, query: Query) -> Query:
    """The mapped class that an argument names, or a ready query that it already is."""
    value = call.argument(call.signature.entity) or next(iter(call.bound.values()), None)
    for each in value.alternatives() if value is not None else ():
        thing = each.thing
        if isinstance(thing, ClassThing):
            return of_entity(call.world, query, thing.info)
        if isinstance(thing, ObjectThing) and thing.query is not None:
            return thing.query
    return replace(query, known=False)


def group(call: LibraryCall, query: Query) -> Query:
    """Totals of each group; there are as many groups as rows only where a key is among the columns."""
    columns = [value.thing for value in flat(call.bound)]
    is_by_key = any(not isinstance(thing, ColumnThing) or _is_key(call.world, thing) for thing in columns)
    return query if is_by_key or not columns else replace(query, limit=Known.UNKNOWN)


def join(call: LibraryCall, query: Query) -> Query:
    """A mapped table beside it leaves every row; of what another query lets through, nobody knows how much is left."""
    things = [value.thing for value in flat(call.bound)]
    is_query = any(isinstance(thing, ObjectThing) and thing.query is not None for thing in things[:2])
    return replace(query, known=False) if is_query else query


def _is_key(world: World, thing: ColumnThing) -> bool:
    table = mapped(world, thing.info) if thing.info is not None else None
    column = table.columns.get(thing.column) if table is not None else None
    return column is None or column.is_primary or column.is_unique or bool(column.references)

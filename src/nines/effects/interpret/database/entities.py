"""Values that hold a statement, and statements that start with a mapped class."""

from __future__ import annotations

from dataclasses import replace

from nines.effects.interpret.database.mapping import mapped
from nines.effects.interpret.state.world import World
from nines.effects.link import ClassInfo
from nines.effects.queries import Query
from nines.effects.values import ObjectThing, Value, merge_sources
from nines.model.effect import Known


def query_of(value: Value | None) -> Query | None:
    """The statement that a value holds; of several alternatives, the first."""
    if value is None:
        return None
    for each in value.alternatives():
        if isinstance(each.thing, ObjectThing) and each.thing.query is not None:
            return each.thing.query
    return None


def with_query(value: Value, query: Query) -> Value:
    """The same builder, holding another statement."""
    thing = value.thing
    if isinstance(thing, ObjectThing):
        return Value(replace(thing, query=query), value.sources)
    for each in value.alternatives():
        if isinstance(each.thing, ObjectThing) and each.thing.query is not None:
            return Value(replace(each.thing, query=query), value.sources)
    return value


def of_entity(world: World, query: Query, info: ClassInfo) -> Query:
    table = mapped(world, info)
    if table is None:
        return replace(query, entity=info, known=False)
    eager = frozenset(name for name, relation in table.relations.items() if relation.is_eager)
    return replace(query, entity=info, table=table.name, eager=query.eager | eager)


def start_entity(world: World, info: ClassInfo, connection: str = "") -> Query:
    """All rows of a mapped class."""
    return of_entity(world, Query(connection=connection), info)


def limited(query: Query, value: Value) -> Query:
    if value.has_constant and value.constant is None:
        return query
    one = value.constant == 1
    return replace(
        query, limit=Known.SET, limit_sources=merge_sources(query.limit_sources, value.sources), limit_one=one
    )


def sliced(receiver: Value, upper: Value) -> Value | None:
    """`query[:n]` bounds a query under construction."""
    query = query_of(receiver)
    return with_query(receiver, limited(query, upper)) if query is not None else None

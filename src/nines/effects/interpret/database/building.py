"""Statements under construction: each builder verb that a signature names makes a changed copy of the query."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from nines.effects.interpret.database.conditions import condition, keyword_condition, restricted
from nines.effects.interpret.database.entities import limited, of_entity, query_of, with_query
from nines.effects.interpret.database.mapping import mapped
from nines.effects.interpret.database.selecting import aggregate, eager, entity, flat, from_entity, group, join, select
from nines.effects.interpret.database.texts import from_text
from nines.effects.interpret.database.writing import written_of
from nines.effects.interpret.libraries.arguments import OPEN, rest_of
from nines.effects.interpret.libraries.call import LibraryCall
from nines.effects.queries import Query
from nines.effects.values import NO_SOURCES, ClassThing, InstanceThing, ObjectThing, Value, deep_sources, merge_sources
from nines.model.effect import Known


def build(call: LibraryCall) -> Value | None:
    """The stage for a signature with `query`; running it, if the signature says so, is a later stage's."""
    verbs = call.signature.query
    if not verbs:
        return None
    query = query_of(call.receiver) or _start(call)
    for verb in verbs.split():
        query = _VERBS[verb](call, query if verb == "same" else replace(query, is_loaded=False))
    sources = merge_sources(query.text_sources, call.receiver.sources if call.receiver is not None else NO_SOURCES)
    if call.signature.run:
        call.receiver = Value(ObjectThing(_type(call), query=query), sources)
        return None
    text = call.signature.returns
    if call.receiver is not None and text in ("", "self") and query_of(call.receiver) is not None:
        return with_query(call.receiver, query)
    type = text if text not in ("", "self") else _type(call)
    return Value(ObjectThing(type, query=query), sources)


def _type(call: LibraryCall) -> str:
    thing = call.receiver.thing if call.receiver is not None else None
    return thing.type if isinstance(thing, ObjectThing) else call.name.rpartition(".")[0]


def _start(call: LibraryCall) -> Query:
    """A fresh statement; on a mapped class (or an object that stands for one) it starts with that class."""
    query = Query(connection=call.connection)
    receiver = call.receiver.thing if call.receiver is not None else None
    if isinstance(receiver, ClassThing | InstanceThing):
        return of_entity(call.world, query, receiver.info)
    return query


def _where(call: LibraryCall, query: Query) -> Query:
    values = [
        value
        for name, value in call.bound.items()
        if name == "*" or name.startswith("*") or name in call.signature.parameters
    ]
    return restricted(call.world, query, values or rest_of(call.bound))


def _equals(call: LibraryCall, query: Query) -> Query:
    """Keyword conditions, with lookups after a double underscore; positional ones are ready-made conditions."""
    positional = [v for n, v in call.bound.items() if n.startswith("*") and n not in (OPEN, "*")]
    query = restricted(call.world, query, positional)
    for name, value in call.bound.items():
        if name == OPEN:
            query = replace(query, known=False)
            query = condition(query, "", "", deep_sources(value))
        elif not name.startswith("*") and name not in call.signature.parameters:
            query = keyword_condition(call.world, query, name, deep_sources(value))
    return query


def _limit(call: LibraryCall, query: Query) -> Query:
    value = next(iter(call.bound.values()), None)
    return limited(query, value) if value is not None else query


def _values(call: LibraryCall, query: Query) -> Query:
    """Columns that are set, by keyword or in a mapping."""
    table = mapped(call.world, query.entity) if query.entity else None
    return replace(
        query,
        written=query.written + written_of(table, call.bound),
        payload=merge_sources(query.payload, *(deep_sources(v) for v in call.bound.values())),
    )


def _text(call: LibraryCall, query: Query) -> Query:
    """A statement as text."""
    value = next(iter(call.bound.values()), None)
    return from_text(call.world, value, query.connection) if value is not None else query


def _start_write(action: str) -> Callable[[LibraryCall, Query], Query]:
    def start(call: LibraryCall, query: Query) -> Query:
        for value in flat(call.bound)[:1]:
            thing = value.thing
            if isinstance(thing, ClassThing):
                query = of_entity(call.world, query, thing.info)
            elif isinstance(thing, ObjectThing) and thing.query is not None:
                query = replace(query, table=thing.query.table, entity=thing.query.entity)
        return replace(query, action=action)

    return start


_VERBS: dict[str, Callable[[LibraryCall, Query], Query]] = {
    "select": select,
    "from": from_entity,
    "entity": entity,
    "aggregate": aggregate,
    "where": _where,
    "equals": _equals,
    "excludes": lambda call, query: replace(_equals(call, replace(query, conditions=())), conditions=query.conditions),
    "limit": _limit,
    "one": lambda _call, query: replace(query, limit=Known.SET, limit_one=True),
    "lock": lambda _call, query: replace(query, locks=True),
    "eager": eager,
    "conflict": lambda _call, query: replace(query, conflict=True, action="UPSERT"),
    "values": _values,
    "columns": lambda _call, query: replace(query, is_column=True),
    "join": join,
    "group": lambda call, query: group(call, replace(query, is_single=False)),
    # Columns chosen first are what the totals are grouped by, or what differs: how many there are is not known.
    "grouped": lambda _call, query: replace(query, limit=Known.UNKNOWN) if query.is_column else query,
    "returning": lambda _call, query: replace(query, returning=True),
    "none": lambda _call, query: replace(query, limit=Known.SET, known=False),
    "stream": lambda _call, query: replace(query, is_streamed=True),
    "same": lambda _call, query: query,
    "vague": lambda _call, query: replace(query, known=False),
    "text": _text,
    "insert": _start_write("INSERT"),
    "update": _start_write("UPDATE"),
    "delete": _start_write("DELETE"),
    "single": lambda _call, query: replace(query, is_single=True, is_column=True),
}

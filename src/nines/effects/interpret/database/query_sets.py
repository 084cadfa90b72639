"""Verbs of query sets that read, or that make the query set another one."""

from __future__ import annotations

from dataclasses import replace

from nines.effects.interpret.database.conditions import condition
from nines.effects.interpret.database.entities import limited, query_of, start_entity, with_query
from nines.effects.interpret.database.fetching import materialise
from nines.effects.interpret.database.mapping import mapped
from nines.effects.interpret.database.running import emit_query, run_of
from nines.effects.interpret.database.selecting import eager_names
from nines.effects.interpret.database.texts import from_text
from nines.effects.interpret.libraries.call import LibraryCall, Mechanism
from nines.effects.queries import Condition, Query
from nines.effects.values import (
    ANYTHING,
    NONE,
    UNKNOWN,
    ContainerThing,
    InstanceThing,
    ObjectThing,
    Source,
    Value,
    constant,
    deep_sources,
    element_of,
    list_of,
    merge_sources,
    unknown,
)
from nines.model.effect import Known, Rows
from nines.model.origin import OriginKind


def own_query(call: LibraryCall) -> Query:
    """The receiver's statement; one about an unknown table where it has none."""
    found = query_of(call.receiver)
    if found is not None:
        return replace(found, is_loaded=False)
    return Query(known=False, limit=Known.UNKNOWN, connection=call.connection)


def _stream(call: LibraryCall) -> Value:
    """Rows one after the other; they are not held together."""
    _, row = emit_query(run_of(call), own_query(call), rows=Rows.MANY)
    return list_of(row, kind="generator")


def _in_bulk(call: LibraryCall) -> Value:
    query = own_query(call)
    ids = call.argument("ids")
    if ids is not None:
        table = mapped(call.world, query.entity) if query.entity else None
        query = condition(query, table.key if table and table.key else "id", "in", deep_sources(ids))
    _, row = emit_query(run_of(call), query, rows=Rows.MANY, held=True)
    return Value(ContainerThing("dict", row), row.sources)


def _row_refreshed(call: LibraryCall) -> Value:
    thing = call.receiver.thing if call.receiver is not None else None
    table = mapped(call.world, thing.info) if isinstance(thing, InstanceThing) else None
    if isinstance(thing, InstanceThing) and table is not None:
        own = (Source(OriginKind.DATABASE, table.key or "id", token=thing.row),) if thing.row else ()
        query = replace(
            start_entity(call.world, thing.info, call.connection),
            conditions=(Condition(table.key or "id", "=", own),), limit_one=True, limit=Known.SET,
        )  # fmt: skip
        _, row = emit_query(run_of(call), query, rows=Rows.ONE)
        call.changed["self"] = row
    return NONE


def _raw_rows(call: LibraryCall) -> Value:
    """Rows of a statement that stands as text, as objects of the mapped class."""
    query = from_text(call.world, call.argument("statement") or UNKNOWN, call.connection, call.argument("params"))
    own = query_of(call.receiver)
    if own is not None:
        query = replace(query, entity=own.entity, table=query.table or own.table, is_column=False)
    _, row = emit_query(run_of(call), query, rows=Rows.MANY)
    return list_of(row)


def _extra_text(call: LibraryCall) -> Value:
    """Pieces of text that become part of the statement as they are."""
    query = own_query(call)
    pieces = [call.bound.get(name, UNKNOWN) for name in ("where", "tables", "order_by", "*0", "*1")]
    selected = call.bound.get("select")
    if selected is not None and isinstance(selected.thing, ContainerThing):
        pieces.extend(held for _, held in selected.thing.fields)
    spliced = tuple(s for p in pieces for s in deep_sources(p) if s.kind is not OriginKind.CONSTANT)
    query = replace(query, known=False, text_sources=merge_sources(query.text_sources, spliced))
    thing = call.receiver.thing if call.receiver is not None else None
    type = thing.type if isinstance(thing, ObjectThing) else "django.db.models.QuerySet"
    return Value(ObjectThing(type, query=query))


def _page_of(call: LibraryCall) -> Value:
    """One page of a paginator: the rows are counted, and a bounded part of them is read when it is looked at."""
    thing = call.receiver.thing if call.receiver is not None else None
    fields = dict(thing.fields) if isinstance(thing, ObjectThing) else {}
    listed = fields.get("object_list", UNKNOWN)
    query = query_of(listed)
    if query is None:
        return listed
    how = run_of(call)
    how.connection, how.begins = query.connection or "default", "explicit"
    emit_query(how, replace(query, is_single=True, is_column=True), rows=Rows.ONE)
    bounded = limited(query, fields.get("per_page") or constant(100))
    return Value(ObjectThing("django.core.paginator.Page", query=replace(bounded, limit=Known.SET)), listed.sources)


def _rendered(call: LibraryCall) -> Value:
    """A template walks the query sets that it is given."""
    context = call.argument("context")
    thing = context.thing if context is not None else None
    values = [held for _, held in thing.fields] if isinstance(thing, ContainerThing) else []
    sources = [deep_sources(value) for value in values]
    for value in values:
        looked = materialise(call.frame, value, call.line, call.column)
        sources.append(looked.sources)
        sources.append(element_of(looked).sources if looked is not value else ())
    return unknown(merge_sources(*sources))


def _eager_related(call: LibraryCall) -> Value:
    """Relations that are read together with the rows; without names, every foreign key."""
    query = query_of(call.receiver)
    if query is None or call.receiver is None:
        return call.receiver or UNKNOWN
    names = set(query.eager)
    for value in call.bound.values():
        names.update(eager_names(value) or ANYTHING)
    table = mapped(call.world, query.entity) if query.entity else None
    if not call.bound and table is not None:
        names.update(name for name, relation in table.relations.items() if not relation.is_many)
    return with_query(call.receiver, replace(query, eager=frozenset(names)))


def _nothing_listed(_call: LibraryCall) -> Value:
    return Value(ContainerThing("list", entries=(), is_open=False))


MECHANISMS: dict[str, Mechanism] = {
    "eager_related": _eager_related,
    "stream": _stream,
    "in_bulk": _in_bulk,
    "row_refreshed": _row_refreshed,
    "raw_rows": _raw_rows,
    "extra_text": _extra_text,
    "page_of": _page_of,
    "rendered": _rendered,
    "nothing_listed": _nothing_listed,
}

"""Calls that run a statement: execute, read, get one, write."""

from __future__ import annotations

from dataclasses import replace

from nines.effects.interpret.database.conditions import keyword_condition
from nines.effects.interpret.database.entities import query_of, start_entity
from nines.effects.interpret.database.mapping import mapped
from nines.effects.interpret.database.rows import row_sources
from nines.effects.interpret.database.running import Run, emit_query, run_of
from nines.effects.interpret.database.texts import from_text
from nines.effects.interpret.database.writing import written_of
from nines.effects.interpret.libraries.arguments import OPEN
from nines.effects.interpret.libraries.call import LibraryCall
from nines.effects.nodes import RefineNode
from nines.effects.queries import Condition, Query, Written
from nines.effects.values import (
    ClassThing,
    ContainerThing,
    InstanceThing,
    ObjectThing,
    Value,
    deep_sources,
    list_of,
    merge_sources,
    unknown,
)
from nines.model.effect import Known, Rows


def run(call: LibraryCall) -> Value | None:
    """The stage for a signature with `run`."""
    verb = call.signature.run
    if not verb:
        return None
    how = run_of(call)
    query = _statement(call)
    if verb == "execute":
        return _execute(call, how, query)
    if verb in ("rows", "one", "first", "scalar", "count", "exists"):
        return _read(how, query, verb)
    if verb == "get":
        return _get(call, how, query)
    return _write(call, how, query, verb)


def _statement(call: LibraryCall) -> Query:
    """The statement that a call runs: an argument, or its receiver."""
    text = call.signature.statement
    if not text:
        own = query_of(call.receiver)
        if own is not None:
            return own
        receiver = call.receiver.thing if call.receiver is not None else None
        if isinstance(receiver, ClassThing | InstanceThing):
            return start_entity(call.world, receiver.info, call.connection)
        return Query(known=False, limit=Known.UNKNOWN, connection=call.connection)
    value = call.argument(text)
    if value is None:
        return Query(action="", known=False, limit=Known.UNKNOWN)
    query = query_of(value)
    bound = _parameters(call)
    if query is None or query.text:
        return from_text(call.world, value, bound=bound)
    if bound is not None and isinstance(bound.thing, ContainerThing) and query.action in ("INSERT", "UPDATE"):
        table = mapped(call.world, query.entity) if query.entity else None
        query = replace(query, written=query.written + written_of(table, {"*0": bound}))
    return query


def _parameters(call: LibraryCall) -> Value | None:
    name = call.signature.bind
    if name == "*":
        rest = [v for key, v in call.bound.items() if key.startswith("*") and key not in (OPEN, "*")]
        return Value(ContainerThing("tuple", entries=tuple(rest)), merge_sources(*(deep_sources(v) for v in rest)))
    return call.argument(name)


def _execute(call: LibraryCall, how: Run, query: Query) -> Value:
    token, row = emit_query(how, query)
    text = call.signature.returns
    if not text:
        return row
    if call.receiver is not None and text == "self":
        thing = call.receiver.thing
        if isinstance(thing, ObjectThing):
            made = Value(replace(thing, items=row, token=token), call.receiver.sources)
            call.changed["self"] = made
            return made
    if call.receiver is not None and call.signature.keep.get("rows") == "receiver":
        thing = call.receiver.thing
        if isinstance(thing, ObjectThing):
            call.changed["self"] = Value(replace(thing, items=row, token=token), call.receiver.sources)
    if text == "list":
        call.frame.nodes.append(RefineNode(token, rows=Rows.MANY, reaches_response=True))
        return list_of(row, kind="list")
    if text == "one":
        call.frame.nodes.append(RefineNode(token, rows=Rows.ONE))
        return row
    return Value(ObjectThing(text, call.connection, items=row, token=token), row.sources)


def _read(how: Run, query: Query, verb: str) -> Value:
    if verb in ("count", "exists"):
        query = replace(query, is_single=True, is_column=True)
    if verb == "first":
        query = replace(query, limit=Known.SET, limit_one=True)
    many = verb == "rows"
    token, row = emit_query(how, query, rows=Rows.MANY if many else Rows.ONE, held=many)
    if verb in ("count", "exists"):
        return unknown(row_sources(query, token))
    if many:
        connection = query.connection or how.connection
        return Value(ContainerThing("list", row, connection=connection), row.sources)
    return row


def _get(call: LibraryCall, how: Run, query: Query) -> Value:
    """One row by its primary key."""
    identity = call.argument(call.signature.entity.partition(" ")[2])
    table = mapped(call.world, query.entity) if query.entity else None
    if identity is not None:
        thing = identity.thing
        if isinstance(thing, ContainerThing) and thing.kind == "dict" and thing.fields:
            for name, held in thing.fields:
                query = keyword_condition(call.world, query, name, deep_sources(held))
        else:
            key = table.key if table and table.key else "id"
            query = replace(query, conditions=(*query.conditions, Condition(key, "=", deep_sources(identity))))
    lock = call.bound.get("with_for_update")
    if lock is not None and lock.constant not in (None, False):
        query = replace(query, locks=True)
    return emit_query(how, replace(query, limit_one=True, limit=Known.SET), rows=Rows.ONE)[1]


def _write(call: LibraryCall, how: Run, query: Query, verb: str) -> Value:
    table = mapped(call.world, query.entity) if query.entity else None
    given = {name: value for name, value in call.bound.items() if name not in call.signature.parameters}
    fields = call.argument(call.signature.bind) if call.signature.bind else None
    written = written_of(table, given | ({"*0": fields} if fields is not None else {}))
    if verb == "get_or_create":
        read = query
        for name, value in given.items():
            if not name.startswith("*"):
                read = keyword_condition(call.world, read, name, deep_sources(value))
        emit_query(how, replace(read, limit_one=True), rows=Rows.ONE)
        _, row = emit_query(
            how, replace(query, action="INSERT", written=written, conflict=True, conditions=()), rows=Rows.ONE
        )
        return Value(ContainerThing("tuple", entries=(row, unknown(row.sources))), row.sources)
    actions = {
        "create": "INSERT",
        "update": "UPDATE",
        "delete": "DELETE",
        "bulk_create": "INSERT",
        "upsert": "UPSERT",
        "bulk_update": "UPDATE",
    }
    changed = replace(query, action=actions[verb])
    if verb != "delete":
        changed = replace(changed, written=query.written + written)
    if verb in ("create", "bulk_create"):
        changed = replace(changed, conditions=_related_only(query))
        changed = replace(
            changed,
            written=changed.written + tuple(Written(c.column, c.sources) for c in changed.conditions),
            conditions=(),
        )
        flag = call.bound.get("ignore_conflicts") or call.bound.get("update_conflicts")
        changed = replace(changed, conflict=flag is not None and flag.constant is True)
    _, row = emit_query(how, changed, rows=Rows.ONE if verb in ("create", "upsert") else Rows.UNKNOWN)
    if verb in ("create", "upsert"):
        return row
    return list_of(row) if verb == "bulk_create" else unknown(row.sources)


def _related_only(query: Query) -> tuple[Condition, ...]:
    return query.conditions if query.is_related else ()

"""Verbs of query sets and managers that write: rows made, found or made, changed, linked."""

from __future__ import annotations

from dataclasses import replace

from nines.effects.interpret.database.conditions import keyword_condition
from nines.effects.interpret.database.fetching import materialise
from nines.effects.interpret.database.mapping import mapped
from nines.effects.interpret.database.query_sets import own_query
from nines.effects.interpret.database.running import emit_query, run_of
from nines.effects.interpret.database.writing import written_of
from nines.effects.interpret.libraries.arguments import OPEN
from nines.effects.interpret.libraries.call import LibraryCall, Mechanism
from nines.effects.nodes import Arm, BranchNode
from nines.effects.queries import Condition, Query, Written
from nines.effects.values import (
    NONE,
    UNKNOWN,
    ContainerThing,
    InstanceThing,
    Source,
    Value,
    deep_sources,
    element_of,
    merge_sources,
    unknown,
)
from nines.model.effect import Known, Rows
from nines.model.origin import OriginKind

_LINKS = {"aadd": "add", "aremove": "remove", "aset": "set", "aclear": "clear"}


def _given(call: LibraryCall) -> dict[str, Value]:
    return {name: value for name, value in call.bound.items() if name not in call.signature.parameters}


def _inherited(query: Query) -> tuple[Written, ...]:
    """A row made through a parent's relation gets the parent's key."""
    return tuple(Written(c.column, c.sources) for c in query.conditions) if query.is_related else ()


def _insert(query: Query, written: tuple[Written, ...], *, conflict: bool = False) -> Query:
    return replace(
        query, action="INSERT", written=(*query.written, *written, *_inherited(query)), conditions=(),
        conflict=conflict, limit=Known.UNKNOWN, locks=False,
    )  # fmt: skip


def _row_created(call: LibraryCall) -> Value:
    query = own_query(call)
    table = mapped(call.world, query.entity) if query.entity else None
    _, row = emit_query(run_of(call), _insert(query, written_of(table, _given(call))), rows=Rows.ONE)
    return row


def _row_found_or_created(call: LibraryCall) -> Value:
    """`get_or_create` and `update_or_create`: a read, then a write on the arm on which there was no row.

    Only a unique constraint over what is looked up makes the database refuse the second of two."""
    query = own_query(call)
    table = mapped(call.world, query.entity) if query.entity else None
    given = _given(call)
    updates = "update" in call.signature.action
    read = replace(query, locks=updates)
    for name, value in given.items():
        if name == OPEN:
            read = replace(read, known=False)
        elif not name.startswith("*"):
            read = keyword_condition(call.world, read, name, deep_sources(value))
    how = run_of(call)
    token, row = emit_query(how, replace(read, limit_one=True, limit=Known.SET), rows=Rows.ONE)
    fixed = {c.column for c in read.conditions if c.operator == "=" and not c.table}
    unclear = table is None or not table.is_complete or not read.known
    conflict = unclear or (table is not None and table.excludes(fixed))
    defaults = [v for v in (call.argument("defaults"), call.argument("create_defaults")) if v is not None]
    changes = written_of(table, {f"*{n}": value for n, value in enumerate(defaults)})
    plain = {name: value for name, value in given.items() if "__" not in name}
    with call.frame.capture() as insert:
        emit_query(how, _insert(query, (*written_of(table, plain), *changes), conflict=conflict), rows=Rows.ONE)
    with call.frame.capture() as update:
        if updates:
            changed = replace(query, action="UPDATE", written=changes, conditions=_key(table, token), locks=False)
            emit_query(how, changed, rows=Rows.ONE)
    source = Source(OriginKind.DATABASE, token=token)
    arms = [Arm(insert), Arm(update)]
    call.frame.nodes.append(BranchNode(arms, call.place, "no such row", (source,), ("absent", "present")))
    return Value(ContainerThing("tuple", entries=(row, unknown())), row.sources)


def _key(table: object, token: int) -> tuple[Condition, ...]:
    key = getattr(table, "key", "") or "id"
    return (Condition(key, "=", (Source(OriginKind.DATABASE, key, token=token),)),)


def _rows_created(call: LibraryCall) -> Value:
    query = own_query(call)
    table = mapped(call.world, query.entity) if query.entity else None
    objects = materialise(call.frame, call.argument("objs") or UNKNOWN, call.line, call.column)
    row = element_of(objects)
    fields = dict(row.thing.fields) if isinstance(row.thing, InstanceThing) else {}
    written = written_of(table, fields) or (Written("*", deep_sources(objects)),)
    flags = [call.bound.get("ignore_conflicts"), call.bound.get("update_conflicts")]
    conflict = any(flag is not None and flag.constant is not False for flag in flags)
    emit_query(run_of(call), _insert(query, written, conflict=conflict), rows=Rows.MANY)
    return objects


def _rows_changed(call: LibraryCall) -> Value:
    """`bulk_update`: the rows that are given are written back."""
    query = own_query(call)
    table = mapped(call.world, query.entity) if query.entity else None
    objects = materialise(call.frame, call.argument("objs") or UNKNOWN, call.line, call.column)
    row = element_of(objects)
    named = call.argument("fields")
    entries = named.thing.entries or () if named is not None and isinstance(named.thing, ContainerThing) else ()
    fields = dict(row.thing.fields) if isinstance(row.thing, InstanceThing) else {}
    names = [str(entry.constant) for entry in entries if entry.has_constant]
    written = tuple(
        Written(table.column_of(name) if table else name, merge_sources(deep_sources(fields.get(name)), row.sources))
        for name in names
    ) or (Written("*", deep_sources(objects)),)
    keys = (Condition(table.key if table and table.key else "id", "in", row.sources),)
    emit_query(run_of(call), replace(query, action="UPDATE", written=written, conditions=keys), rows=Rows.MANY)
    return unknown()


def _links_changed(call: LibraryCall) -> Value:
    """`author.books.add(...)`: rows of the table between two, or the key at the other side."""
    query = own_query(call)
    given = merge_sources(*(deep_sources(v) for v in call.bound.values()))
    for value in call.bound.values():
        materialise(call.frame, value, call.line, call.column)
    how = run_of(call)
    parent = next((c for c in query.conditions), Condition("", "=", ()))
    link = Written(parent.column or "*", merge_sources(parent.sources, given))
    target = mapped(call.world, query.entity) if query.entity else None
    owns_key = target is None or any(column.name == parent.column for column in target.columns.values())
    action = _LINKS.get(call.signature.action, call.signature.action)
    if owns_key:
        emit_query(how, replace(query, action="UPDATE", written=(link,)), rows=Rows.MANY)
        return NONE
    name = next((s.name for s in parent.sources if s.kind is OriginKind.DATABASE and s.name), query.table)
    between = replace(query, table=f"{parent.column.removesuffix('_id')}_{name}".lower(), entity=None)
    if action in ("remove", "clear", "set"):
        emit_query(how, replace(between, action="DELETE"), rows=Rows.MANY)
    if action in ("add", "set"):
        made = replace(between, action="INSERT", written=(link,), conditions=(), conflict=True)
        emit_query(how, made, rows=Rows.MANY)
    return NONE


MECHANISMS: dict[str, Mechanism] = {
    "row_created": _row_created,
    "row_found_or_created": _row_found_or_created,
    "rows_created": _rows_created,
    "rows_changed": _rows_changed,
    "links_changed": _links_changed,
}

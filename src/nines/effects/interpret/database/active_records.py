"""Verbs of query sets and managers whose meaning is more than one statement."""

from __future__ import annotations

from dataclasses import replace

from nines.effects.interpret.database.conditions import condition, keyword_condition
from nines.effects.interpret.database.entities import limited, query_of, start_entity, with_query
from nines.effects.interpret.database.fetching import emit_query, materialise, run_of
from nines.effects.interpret.database.mapping import mapped
from nines.effects.interpret.database.selecting import eager_names
from nines.effects.interpret.database.texts import from_text
from nines.effects.interpret.database.writing import written_of
from nines.effects.interpret.libraries.arguments import OPEN
from nines.effects.interpret.libraries.library import LibraryCall, Mechanism
from nines.effects.interpret.naming.models import user_model
from nines.effects.interpret.state.frame import Frame
from nines.effects.nodes import Arm, BranchNode
from nines.effects.queries import Condition, Query, Written
from nines.effects.values import (
    ANYTHING,
    NONE,
    UNKNOWN,
    ClassThing,
    ContainerThing,
    InstanceThing,
    ObjectThing,
    Source,
    Value,
    constant,
    deep_sources,
    element_of,
    join,
    list_of,
    merge_sources,
    unknown,
)
from nines.model.effect import Known, Rows
from nines.model.origin import OriginKind

_LINKS = {"aadd": "add", "aremove": "remove", "aset": "set", "aclear": "clear"}


def _query(call: LibraryCall) -> Query:
    """The receiver's statement; one about an unknown table where it has none."""
    found = query_of(call.receiver)
    if found is not None:
        return replace(found, is_loaded=False)
    return Query(known=False, limit=Known.UNKNOWN, connection=call.connection)


def _stream(call: LibraryCall) -> Value:
    """Rows one after the other; they are not held together."""
    _, row = emit_query(run_of(call), _query(call), rows=Rows.MANY)
    return list_of(row, kind="generator")


def _in_bulk(call: LibraryCall) -> Value:
    query = _query(call)
    ids = call.argument("ids")
    if ids is not None:
        table = mapped(call.world, query.entity) if query.entity else None
        query = condition(query, table.key if table and table.key else "id", "in", deep_sources(ids))
    _, row = emit_query(run_of(call), query, rows=Rows.MANY, held=True)
    return Value(ContainerThing("dict", row), row.sources)


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
    query = _query(call)
    table = mapped(call.world, query.entity) if query.entity else None
    _, row = emit_query(run_of(call), _insert(query, written_of(table, _given(call))), rows=Rows.ONE)
    return row


def _row_found_or_created(call: LibraryCall) -> Value:
    """`get_or_create` and `update_or_create`: a read, then a write on the arm on which there was no row.

    Only a unique constraint over what is looked up makes the database refuse the second of two."""
    query = _query(call)
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
    conflict = unclear or (table is not None and table.is_unique(fixed))
    defaults = [v for v in (call.argument("defaults"), call.argument("create_defaults")) if v is not None]
    changes = written_of(table, {f"*{n}": value for n, value in enumerate(defaults)})
    plain = {name: value for name, value in given.items() if "__" not in name}
    with call.frame.capture() as insert:
        _, made = emit_query(
            how, _insert(query, (*written_of(table, plain), *changes), conflict=conflict), rows=Rows.ONE
        )
    with call.frame.capture() as update:
        if updates:
            changed = replace(query, action="UPDATE", written=changes, conditions=_key(table, token), locks=False)
            emit_query(how, changed, rows=Rows.ONE)
    source = Source(OriginKind.DATABASE, token=token)
    arms = [Arm(insert), Arm(update)]
    call.frame.nodes.append(BranchNode(arms, call.place, "no such row", (source,), ("absent", "present")))
    del made
    return Value(ContainerThing("tuple", entries=(row, unknown())), row.sources)


def _key(table: object, token: int) -> tuple[Condition, ...]:
    key = getattr(table, "key", "") or "id"
    return (Condition(key, "=", (Source(OriginKind.DATABASE, key, token=token),)),)


def _rows_created(call: LibraryCall) -> Value:
    query = _query(call)
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
    query = _query(call)
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
    query = _query(call)
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
    query = _query(call)
    pieces = [call.bound.get(name, UNKNOWN) for name in ("where", "tables", "order_by", "*0", "*1")]
    selected = call.bound.get("select")
    if selected is not None and isinstance(selected.thing, ContainerThing):
        pieces.extend(held for _, held in selected.thing.fields)
    spliced = tuple(s for p in pieces for s in deep_sources(p) if s.kind is not OriginKind.CONSTANT)
    query = replace(query, known=False, text_sources=merge_sources(query.text_sources, spliced))
    thing = call.receiver.thing if call.receiver is not None else None
    type = thing.type if isinstance(thing, ObjectThing) else "django.db.models.QuerySet"
    return Value(ObjectThing(type, query=query))


def _made_manager(call: LibraryCall) -> Value:
    """`MyQuerySet.as_manager()`."""
    thing = call.receiver.thing if call.receiver is not None else None
    if isinstance(thing, ClassThing):
        return Value(InstanceThing(thing.info))
    return Value(ObjectThing("django.db.models.Manager"))


def _joined_manager(call: LibraryCall) -> Value:
    """`Manager.from_queryset(MyQuerySet)`: a class with the methods of both."""
    values = [v for v in (call.receiver, *call.arguments[:1]) if v is not None]
    project = [v for v in values if isinstance(v.thing, ClassThing)]
    return join(project) if project else UNKNOWN


def _made_query(call: LibraryCall) -> Value:
    """`MyQuerySet(self.model)`: all rows of the class."""
    model = call.argument("model")
    thing = model.thing if model is not None else None
    type = "django.db.models.QuerySet"
    if isinstance(thing, ClassThing):
        return Value(ObjectThing(type, query=start_entity(call.world, thing.info, "default")))
    own = _receiver_query(call.frame)
    return Value(ObjectThing(type, query=own)) if own is not None else Value(ObjectThing(type))


def _receiver_query(frame: Frame) -> Query | None:
    """What the manager stands for in whose method a query set is made."""
    if frame.info is None or not frame.info.node.parameters:
        return None
    return query_of(frame.env.get(frame.info.node.parameters[0].name))


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


def _user_model(call: LibraryCall) -> Value:
    found = user_model(call.world)
    return Value(ClassThing(found)) if found is not None else UNKNOWN


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
    "row_created": _row_created,
    "row_found_or_created": _row_found_or_created,
    "rows_created": _rows_created,
    "rows_changed": _rows_changed,
    "links_changed": _links_changed,
    "row_refreshed": _row_refreshed,
    "raw_rows": _raw_rows,
    "extra_text": _extra_text,
    "made_manager": _made_manager,
    "joined_manager": _joined_manager,
    "made_query": _made_query,
    "page_of": _page_of,
    "rendered": _rendered,
    "user_model": _user_model,
    "nothing_listed": _nothing_listed,
}

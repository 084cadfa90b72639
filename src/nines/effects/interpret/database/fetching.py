"""Runs statements: the effect on the database, and the rows that come back as values."""

from __future__ import annotations

from dataclasses import replace

from nines.effects.interpret.database.conditions import keyword_condition
from nines.effects.interpret.database.entities import query_of, start_entity
from nines.effects.interpret.database.mapping import mapped
from nines.effects.interpret.database.rows import row_sources, row_value
from nines.effects.interpret.database.texts import from_text
from nines.effects.interpret.database.writing import written_of
from nines.effects.interpret.libraries.arguments import OPEN
from nines.effects.interpret.libraries.library import LibraryCall, connection_of
from nines.effects.interpret.state.frame import Frame
from nines.effects.limits import TEXT_MAX
from nines.effects.nodes import EffectNode, RefineNode, TransactionNode
from nines.effects.queries import Condition, Query, Written
from nines.effects.values import (
    NO_SOURCES,
    ClassThing,
    ContainerThing,
    InstanceThing,
    ObjectThing,
    Value,
    deep_sources,
    element_of,
    list_of,
    merge_sources,
    unknown,
)
from nines.model.effect import EffectKind, Known, Rows
from nines.model.place import Place

_READS = ("SELECT", "", "SET", "SAVEPOINT")
_STEERS = ("SET", "SAVEPOINT")
"""Statements that change the session, not a row: they are sent and answered like a read of one row."""
_CONTROL = {"BEGIN": "begin", "COMMIT": "commit", "ROLLBACK": "rollback"}


class Run:
    """How a statement is run: where, by which library, on what connection."""

    __slots__ = ("begins", "blocks", "connection", "frame", "library", "place", "unit")

    def __init__(self, frame: Frame, place: Place, type: str, connection: str, library: str, blocks: bool) -> None:  # noqa: PLR0917
        trait = frame.world.signatures.trait
        self.frame = frame
        self.place = place
        self.library = library
        self.connection = connection or type or "database"
        self.begins = str(trait(type, "connection") or "") if type else ""
        self.unit = bool(trait(type, "unit_of_work")) if type else False
        self.blocks = blocks


def run_of(call: LibraryCall) -> Run:
    thing = call.receiver.thing if call.receiver is not None else None
    type = thing.type if isinstance(thing, ObjectThing) else ""
    if isinstance(thing, InstanceThing):
        bases = call.world.linked.ancestry(thing.info)[1]
        type = next(
            (base for base in bases if call.world.signatures.trait(base, "connection")), bases[0] if bases else ""
        )
    if isinstance(thing, ClassThing):
        bases = call.world.linked.ancestry(thing.info)[1]
        type = bases[0] if bases else ""
    return Run(call.frame, call.place, type, call.connection, call.library, call.signature.blocks)


def emit_query(
    run: Run, query: Query, *, rows: Rows = Rows.UNKNOWN, held: bool = False, lazy: bool = False
) -> tuple[int, Value]:
    """Adds the effect of a statement; gives its token and one of its rows."""
    frame = run.frame
    if query.action in _CONTROL:
        verb = _CONTROL[query.action]
        frame.nodes.append(
            TransactionNode(verb, run.connection, run.place, library=run.library, blocks_thread=run.blocks)
        )
        return 0, unknown()
    if query.is_loaded:
        return 0, row_value(frame.world, query, 0, run.connection)
    token = frame.world.fresh()
    table = mapped(frame.world, query.entity) if query.entity is not None else None
    by_key = table is not None and query.known and table.is_unique(_fixed(query))
    bounded = query.is_single or query.limit_one or by_key or query.action in _STEERS
    is_read = query.action in _READS
    limit = query.limit
    if bounded:
        limit = Known.SET
    elif limit is Known.MISSING and (not query.known and query.entity is None and not query.text):
        limit = Known.UNKNOWN
    node = EffectNode(
        token,
        EffectKind.DATABASE_READ if is_read else EffectKind.DATABASE_WRITE,
        run.place,
        target=query.table.lower(),
        action=query.action,
        text=(query.text or f"{query.action} {query.table}")[:TEXT_MAX],
        library=run.library,
        connection=query.connection or run.connection,
        begins=run.begins,
        is_unit_of_work=run.unit,
        rows=Rows.ONE if bounded else rows,
        limit=limit if is_read else Known.UNKNOWN,
        limit_sources=query.limit_sources,
        conditions=query.conditions,
        predicates_known=query.known,
        written=query.written,
        locks_rows=query.locks,
        handles_conflict=query.conflict,
        is_lazy=lazy,
        text_sources=query.text_sources,
        payload=merge_sources(
            query.payload, *(c.sources for c in query.conditions), *(w.sources for w in query.written)
        ),
        blocks_thread=run.blocks,
        reaches_response=held,
    )
    frame.nodes.append(node)
    return token, row_value(frame.world, query, token, run.connection)


def _fixed(query: Query) -> set[str]:
    return {c.column for c in query.conditions if c.operator == "=" and not c.table}


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
        return _read(call, how, query, verb)
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


def _read(call: LibraryCall, how: Run, query: Query, verb: str) -> Value:  # noqa: ARG001
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


def fetch(call: LibraryCall) -> Value | None:
    """The stage for a signature with `fetch`: rows taken from a result that was executed before."""
    verb = call.signature.fetch
    if not verb or call.receiver is None:
        return None
    thing = call.receiver.thing
    token = thing.token if isinstance(thing, ObjectThing) else 0
    row = element_of(call.receiver)
    if verb == "many":
        if token:
            call.frame.nodes.append(RefineNode(token, rows=Rows.MANY, reaches_response=True))
        return list_of(row)
    if verb == "some":
        if token:
            call.frame.nodes.append(RefineNode(token, rows=Rows.MANY))
        return list_of(row)
    if token:
        call.frame.nodes.append(RefineNode(token, rows=Rows.ONE))
    if verb == "scalar" and not isinstance(row.thing, InstanceThing):
        return unknown(row.sources)
    return row


def materialise(
    frame: Frame, value: Value, line: int, column: int = 1, *, single: bool = False, awaited: bool = False
) -> Value:
    """Runs a lazy query that is being looked at; any other value stays as it is."""
    for each in value.alternatives():
        thing = each.thing
        if not isinstance(thing, ObjectThing) or thing.query is None:
            continue
        lazy = frame.world.signatures.trait(thing.type, "lazy")
        awaitable = bool(frame.world.signatures.trait(thing.type, "awaitable"))
        if not lazy or awaited != awaitable:
            continue
        query = replace(thing.query, limit=Known.SET, limit_one=True) if single else thing.query
        library = frame.world.signatures.libraries.get(f"{thing.type}.all", "")
        blocks = not awaited
        how = Run(frame, frame.place(line, column), thing.type, connection_of(frame.world, each), library, blocks)
        _, row = emit_query(
            how, query, rows=Rows.ONE if single else Rows.MANY, held=not single and not query.is_streamed
        )
        return list_of(row, NO_SOURCES) if not single else Value(ContainerThing("list", row, entries=None), row.sources)
    return value

"""Units of work and transactions: add, save, delete, flush, begin, commit, rollback."""

from __future__ import annotations

from dataclasses import replace

from nines.effects.interpret.database.entities import start_entity
from nines.effects.interpret.database.mapping import mapped
from nines.effects.interpret.database.running import emit_query, run_of
from nines.effects.interpret.database.writing import written_of
from nines.effects.interpret.libraries.call import LibraryCall
from nines.effects.interpret.libraries.results import result
from nines.effects.nodes import ChangeNode, TransactionNode
from nines.effects.queries import Condition, Written
from nines.effects.values import (
    ContainerThing,
    InstanceThing,
    ObjectThing,
    Source,
    UnionThing,
    Value,
    deep_sources,
    element_of,
)
from nines.model.effect import Rows
from nines.model.origin import OriginKind


def session(call: LibraryCall) -> Value | None:
    """The stage for signatures with `session`."""
    verb = call.signature.session
    if not verb:
        return None
    how = run_of(call)
    if verb in ("flush", "close"):
        node = TransactionNode(verb, how.connection, call.place, library=call.library, blocks_thread=how.blocks)
        call.frame.nodes.append(node)
        return result(call)
    target = call.receiver if verb in ("save", "remove") else next(iter(call.bound.values()), None)
    if target is None:
        return result(call)
    if verb == "add_all":
        thing = target.thing
        entries = thing.entries if isinstance(thing, ContainerThing) and thing.entries else (element_of(target),)
        for entry in entries:
            _change(call, "insert", entry)
        return result(call)
    if verb == "refresh":
        return _refresh(call, target)
    _change(
        call, {"add": "insert", "delete": "delete", "save": "save", "remove": "remove", "merge": "insert"}[verb], target
    )
    return target if verb == "merge" else result(call)


def _refresh(call: LibraryCall, target: Value) -> Value | None:
    for each in target.alternatives():
        thing = each.thing
        table = mapped(call.world, thing.info) if isinstance(thing, InstanceThing) else None
        if isinstance(thing, InstanceThing) and table is not None:
            query = start_entity(call.world, thing.info)
            own = (Source(OriginKind.DATABASE, table.key or "id", token=thing.row),) if thing.row else ()
            lock = call.bound.get("with_for_update")
            locks = lock is not None and lock.constant not in (None, False)
            condition = Condition(table.key or "id", "=", own)
            emit_query(
                run_of(call), replace(query, conditions=(condition,), locks=locks, limit_one=True), rows=Rows.ONE
            )
    return result(call)


def _change(call: LibraryCall, verb: str, target: Value) -> None:
    """Notes that a mapped object is to be written; also one of unknown class, as a write of an unknown table."""
    how = run_of(call)
    if isinstance(target.thing, UnionThing):
        for each in target.thing.values:
            if isinstance(each.thing, InstanceThing):
                _change(call, verb, each)
        return
    thing = target.thing
    table = mapped(call.world, thing.info) if isinstance(thing, InstanceThing) else None
    written: tuple[Written, ...] = ()
    row, name = 0, ""
    keys: tuple[Condition, ...] = ()
    if isinstance(thing, InstanceThing):
        row = thing.row
        name = table.name if table else thing.info.name.lower()
        if not row:
            written = written_of(table, dict(thing.fields))
        keys = (Condition(table.key if table and table.key else "id", "=", tuple(s for s in target.sources)),)
    elif isinstance(thing, ObjectThing | ContainerThing):
        written = (Written("*", deep_sources(target)),)
    node = ChangeNode(
        row,
        name,
        call.place,
        written,
        deep_sources(target),
        how.connection,
        verb,
        call.library,
        how.begins,
        how.blocks,
        keys,
    )
    call.frame.nodes.append(node)


def transaction(call: LibraryCall) -> Value | None:
    """The stage for signatures with `transaction`: begin, commit, rollback, or an object to be entered."""
    verb = call.signature.transaction
    if not verb:
        return None
    if verb == "scope":
        return result(call)
    how = run_of(call)
    isolation = call.argument(call.signature.isolation) if call.signature.isolation else None
    text = isolation.constant if isolation is not None and isinstance(isolation.constant, str) else ""
    node = TransactionNode(verb, how.connection, call.place, True, text, call.library, "", how.blocks)
    call.frame.nodes.append(node)
    return result(call)

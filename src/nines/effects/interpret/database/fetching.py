"""Rows taken from what was run: results that are fetched, lazy queries that are looked at."""

from __future__ import annotations

from dataclasses import replace

from nines.effects.interpret.database.running import Run, emit_query
from nines.effects.interpret.libraries.call import LibraryCall, connection_of
from nines.effects.interpret.state.frame import Frame
from nines.effects.nodes import RefineNode
from nines.effects.values import (
    NO_SOURCES,
    ContainerThing,
    InstanceThing,
    ObjectThing,
    Value,
    element_of,
    list_of,
    unknown,
)
from nines.model.effect import Known, Rows


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

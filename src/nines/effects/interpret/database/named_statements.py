"""Statements that the project keeps in files, called by their names with a connection and their parameters."""

from __future__ import annotations

from dataclasses import replace

from nines.effects.interpret.database.running import Run, emit_query
from nines.effects.interpret.database.texts import from_text
from nines.effects.interpret.libraries.arguments import OPEN, REST
from nines.effects.interpret.libraries.call import LibraryCall, Mechanism, connection_of
from nines.effects.nodes import RefineNode
from nines.effects.values import (
    UNKNOWN,
    ContainerThing,
    ObjectThing,
    Value,
    constant,
    field,
    list_of,
    merge_sources,
    sorted_fields,
)
from nines.model.effect import Known, Rows

_ONE = ("^", "$", "<!")


def _named_statement(call: LibraryCall) -> Value:
    """Runs the statement; one that no file holds is a blind spot."""
    asked = field(call.receiver or UNKNOWN, "statement")
    name = asked.constant if asked is not None and isinstance(asked.constant, str) else ""
    found = call.world.named.get(name)
    if found is None:
        call.frame.blind("a statement that was found in no file", name, call.line, call.column)
        return UNKNOWN
    connection = call.argument("connection") or UNKNOWN
    thing = connection.thing
    type = thing.type if isinstance(thing, ObjectThing) else ""
    speaks = connection_of(call.world, connection)
    execute = call.world.signatures.calls.get(call.world.signatures.method(type, "execute")) if type else None
    run = Run(call.frame, call.place, type, speaks, call.library, execute is not None and execute.blocks)
    query = from_text(call.world, constant(found.text), speaks, _parameters(call))
    if found.kind in _ONE:
        query = replace(query, limit=Known.SET, limit_one=True)
    token, row = emit_query(run, query, rows=Rows.ONE if found.kind in _ONE else Rows.UNKNOWN)
    if found.kind == "":
        call.frame.nodes.append(RefineNode(token, rows=Rows.MANY, reaches_response=True))
        return list_of(row)
    return row if found.kind in _ONE else UNKNOWN


def _parameters(call: LibraryCall) -> Value:
    named = {name: value for name, value in call.keywords.items() if name not in (OPEN, REST)}
    rest = tuple(call.arguments[1:])
    sources = merge_sources(*(value.sources for value in (*named.values(), *rest)))
    return Value(ContainerThing("dict", None, tuple(sorted_fields(named)), rest or None), sources)


MECHANISMS: dict[str, Mechanism] = {"named_statement": _named_statement}

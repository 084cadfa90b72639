"""Attributes by name, one or all of them."""

from __future__ import annotations

from nines.effects.interpret.libraries.call import LibraryCall, Mechanism
from nines.effects.interpret.objects.assigning import set_member
from nines.effects.interpret.state.entrances import attribute
from nines.effects.values import NONE, UNKNOWN, ContainerThing, InstanceThing, Value, deep_sources, unknown


def _getattr(call: LibraryCall) -> Value:
    if len(call.arguments) >= 2 and isinstance(call.arguments[1].constant, str):
        return attribute(call.frame, call.arguments[0], call.arguments[1].constant, call.line, call.column)
    return unknown(call.sources)


def _setattr(call: LibraryCall) -> Value:
    if len(call.arguments) == 3:
        name = call.arguments[1].constant
        member = name if isinstance(name, str) else "*"
        made = set_member(call.frame, call.arguments[0], member, call.arguments[2], call.line)
        if made is not None:
            call.changed["0"] = made
    return NONE


def _assign_all(call: LibraryCall) -> Value:
    """A row that takes over every field of a mapping or a record."""
    owner = call.receiver or UNKNOWN
    for given in (*call.arguments[:1], *(call.bound[name] for name in ("obj", "update") if name in call.bound)):
        thing = given.thing
        fields = thing.fields if isinstance(thing, ContainerThing | InstanceThing) else ()
        is_told = isinstance(thing, InstanceThing) or (
            isinstance(thing, ContainerThing) and (thing.has_own_keys or not thing.is_open)
        )
        for name, held in fields if is_told else ():
            owner = set_member(call.frame, owner, name, held, call.line) or owner
        if not (fields and is_told) and not (given.has_constant and given.constant is None):
            owner = set_member(call.frame, owner, "*", unknown(deep_sources(given)), call.line) or owner
    call.changed["self"] = owner
    return owner


MECHANISMS: dict[str, Mechanism] = {
    "getattr": _getattr,
    "setattr": _setattr,
    "assign_all": _assign_all,
}

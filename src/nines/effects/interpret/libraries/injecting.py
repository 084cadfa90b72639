"""What frameworks hand to a handler: objects from containers, who is signed in, whether a form was sent."""

from __future__ import annotations

from nines.effects.interpret.libraries.arguments import OPEN
from nines.effects.interpret.libraries.call import LibraryCall, Mechanism
from nines.effects.interpret.libraries.results import result
from nines.effects.interpret.state.entrances import call as enter
from nines.effects.interpret.state.frame import Frame
from nines.effects.values import UNKNOWN, ObjectThing, PartialThing, Value, constant


def _provider(call: LibraryCall) -> Value:
    """What makes an object when it is called, with what other providers make."""
    if not call.arguments:
        return UNKNOWN
    made = [provided(call.frame, value, call.line) for value in call.arguments[1:]]
    named = {name: provided(call.frame, value, call.line) for name, value in call.keywords.items() if name != OPEN}
    return Value(PartialThing(call.arguments[0], tuple(made), tuple(named.items())))


def provided(frame: Frame, value: Value, line: int) -> Value:
    """What a provider gives; anything else is given as it is."""
    if not isinstance(value.thing, PartialThing):
        return value
    with frame.capture():
        made = enter(frame, value, [], {}, line)
    frame.raised = False
    return made


def _signed_in(call: LibraryCall) -> Value:
    """A dependency that turns strangers away, unless it is told that they may come."""
    optional = call.keywords.get("optional")
    if optional is not None and optional.constant is not False:
        return Value(ObjectThing("fastapi.security.Scheme"))
    return result(call)


def _submitted(call: LibraryCall) -> Value:
    """Whether a form was sent and is right: never with a method that carries none."""
    world = call.world
    world.method_reads += 1
    return constant(False) if world.method in ("GET", "HEAD", "OPTIONS") else result(call)


MECHANISMS: dict[str, Mechanism] = {"provider": _provider, "signed_in": _signed_in, "submitted": _submitted}

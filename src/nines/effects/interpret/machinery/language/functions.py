"""Functions and types as values: what is called later, what is passed through, what is made from a type."""

from __future__ import annotations

from nines.effects.interpret.libraries.arguments import OPEN
from nines.effects.interpret.libraries.call import LibraryCall, Mechanism
from nines.effects.interpret.libraries.registering import site_of
from nines.effects.interpret.libraries.results import result
from nines.effects.interpret.machinery.mechanisms import first
from nines.effects.interpret.naming.annotations import instance_of
from nines.effects.interpret.state.records import Hook
from nines.effects.values import (
    UNKNOWN,
    ClassThing,
    InstanceThing,
    ObjectThing,
    PartialThing,
    SuperThing,
    Value,
    deep_sources,
    merge_sources,
    with_sources,
)


def _partial(call: LibraryCall) -> Value:
    if not call.arguments:
        return UNKNOWN
    keywords = tuple((name, value) for name, value in call.keywords.items() if name != OPEN)
    return Value(PartialThing(call.arguments[0], tuple(call.arguments[1:]), keywords))


def _super(call: LibraryCall) -> Value:
    frame = call.frame
    if frame.info is None or frame.info.cls is None or not frame.info.node.parameters:
        return UNKNOWN
    receiver = frame.env.get(frame.info.node.parameters[0].name, UNKNOWN)
    return Value(SuperThing(receiver, frame.info.cls))


def _identity(call: LibraryCall) -> Value:
    return with_sources(first(call), ())


def _receiver(call: LibraryCall) -> Value:
    return call.receiver or UNKNOWN


def _made_from_type(call: LibraryCall) -> Value:
    """An object of the type that the first argument names."""
    return with_sources(
        instance_of(call.world, first(call)), merge_sources(*(deep_sources(v) for v in call.arguments[1:]))
    )


def _keep(call: LibraryCall) -> Value:
    return result(call)


def _type(call: LibraryCall) -> Value:
    thing = first(call).thing
    if isinstance(thing, InstanceThing):
        return Value(ClassThing(thing.info))
    return Value(ObjectThing("builtins.type"))


def _hook(call: LibraryCall) -> Value:
    """Something registered to run around every request."""
    value = first(call)
    router = site_of(call.receiver)
    call.world.hooks.setdefault((router, value), Hook(router, value, call.place))
    return value


MECHANISMS: dict[str, Mechanism] = {
    "partial": _partial,
    "super": _super,
    "identity": _identity,
    "receiver": _receiver,
    "made_from_type": _made_from_type,
    "keep": _keep,
    "type": _type,
    "hook": _hook,
}

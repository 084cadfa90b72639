"""The project's function or class that answers, behind decorators, partials and views."""

from __future__ import annotations

from nines.effects.interpret.state.entrances import attribute
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.state.world import World
from nines.effects.link import ClassInfo, FunctionInfo
from nines.effects.values import (
    ClassThing,
    FunctionThing,
    InstanceThing,
    MethodThing,
    PartialThing,
    UnionThing,
    Value,
    WrappedThing,
)


def innermost(value: Value) -> FunctionInfo | ClassInfo | None:
    """The project function or class behind decorators and partials."""
    thing = value.thing
    if isinstance(thing, FunctionThing):
        return _undecorated(thing)
    if isinstance(thing, ClassThing):
        return thing.info
    if isinstance(thing, WrappedThing | PartialThing):
        return innermost(thing.function)
    if isinstance(thing, InstanceThing):
        return thing.info
    if isinstance(thing, UnionThing):
        return next((found for found in map(innermost, thing.values) if found is not None), None)
    return None


def _undecorated(thing: FunctionThing) -> FunctionInfo:
    """A wrapper made by a decorator stands for the function that it holds."""
    if (thing.closure and thing.info.node.decorators == ()) or thing.info.parent:
        for name, held in thing.closure:
            if name in ("f", "func", "fn", "function", "view", "view_func", "handler", "wrapped", "method"):
                inner = innermost(held)
                if isinstance(inner, FunctionInfo):
                    return inner
    return thing.info


def view_handler(world: World, frame: Frame, info: ClassInfo, name: str) -> Value | None:
    """The method of a view that answers: its own, or one that its library's base brings along."""
    receiver = Value(InstanceThing(info))
    if world.linked.find_method(info, name) is not None:
        return attribute(frame, receiver, name, info.node.line)
    for base in world.linked.ancestry(info)[1]:
        for up in world.signatures.bases(base):
            signature = world.signatures.types.get(up)
            other = signature.actions.get(name, "") if signature is not None else ""
            if other and world.linked.find_method(info, other) is not None:
                return attribute(frame, receiver, other, info.node.line)
            qualified = world.signatures.method(base, other or name)
            if (other or name not in ("get", "post", "put", "patch", "delete", "head", "options")) and qualified:
                return Value(MethodThing(receiver, qualified))
    return None

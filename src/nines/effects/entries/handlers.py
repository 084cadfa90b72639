"""The project's function or class that answers, behind decorators, partials and views."""

from __future__ import annotations

from collections.abc import Iterator

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
from nines.model import code


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


_HELD = ("f", "func", "fn", "function", "view", "view_func", "handler", "wrapped", "method")


def _undecorated(thing: FunctionThing) -> FunctionInfo:
    """A wrapper made by a decorator stands for the function that it holds."""
    if (thing.closure and thing.info.node.decorators == ()) or thing.info.parent:
        names = {*_HELD, *_wrapped_names(thing.info)}
        for name, held in thing.closure:
            inner = innermost(held) if name in names else None
            if isinstance(inner, FunctionInfo):
                return inner
    return thing.info


def _wrapped_names(info: FunctionInfo) -> Iterator[str]:
    """What `@wraps(function)` names."""
    for decorator in info.node.decorators:
        function = decorator.function if isinstance(decorator, code.Call) else None
        named = getattr(function, "name", "") or getattr(function, "id", "")
        if isinstance(decorator, code.Call) and named == "wraps" and decorator.arguments:
            given = decorator.arguments[0]
            if isinstance(given, code.Name):
                yield given.id


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

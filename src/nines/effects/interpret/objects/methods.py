"""Methods as they are reached through an object or a class."""

from __future__ import annotations

from dataclasses import replace

from nines.effects.interpret.naming.resolve import function_value
from nines.effects.interpret.state.frame import Frame
from nines.effects.link import FunctionInfo
from nines.effects.values import ClassThing, FunctionThing, InstanceThing, PartialThing, Value, WrappedThing


def bound_method(frame: Frame, method: FunctionInfo, receiver: Value, *, on_class: bool = False) -> Value:
    """A method as it is reached through an object or a class, behind its decorators."""
    value = function_value(frame.world, method)
    kind = frame.world.kinds.get(method, "")
    if kind == "static":
        return value
    if kind == "class":
        owner = receiver
        if isinstance(receiver.thing, InstanceThing):
            owner = Value(ClassThing(receiver.thing.info))
        return _rebound(value, owner)
    return value if on_class else _rebound(value, receiver)


def _rebound(value: Value, receiver: Value) -> Value:
    """The function with its first argument fixed, also inside decorators."""
    thing = value.thing
    if isinstance(thing, FunctionThing):
        return Value(replace(thing, bound=receiver), value.sources)
    if isinstance(thing, WrappedThing):
        return Value(replace(thing, function=_rebound(thing.function, receiver)), value.sources)
    return Value(PartialThing(value, (receiver,)), value.sources)

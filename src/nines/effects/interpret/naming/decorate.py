"""Applies decorators, innermost first: the project's by calling them, a library's by its signature."""

from __future__ import annotations

from nines.effects.interpret.libraries.registering import register
from nines.effects.interpret.state.entrances import call, evaluate
from nines.effects.interpret.state.frame import Frame
from nines.effects.link import FunctionInfo
from nines.effects.signatures import CallSignature
from nines.effects.values import (
    ClassThing,
    DecoratorThing,
    FunctionThing,
    LibraryThing,
    MethodThing,
    PartialThing,
    Value,
    WrappedThing,
)

_KINDS = {
    "property": "property",
    "attribute": "property",
    "classmethod": "class",
    "staticmethod": "static",
    "contextmanager": "context",
}


def decorate(frame: Frame, value: Value, info: FunctionInfo) -> Value:
    """The value that the function's name stands for."""
    for expression in reversed(info.node.decorators):
        line = getattr(expression, "line", 0) or info.node.line
        frame.line = line
        with frame.capture():
            decorator = evaluate(frame, expression)
            frame.raised = False
            value = apply(frame, decorator, value, info, line)
    return value


def apply(frame: Frame, decorator: Value, value: Value, info: FunctionInfo, line: int) -> Value:
    """The function after one decorator."""
    world = frame.world
    thing = decorator.thing
    if isinstance(thing, LibraryThing | MethodThing):
        signature = world.signatures.calls.get(thing.name)
        if signature is None:
            if not world.signatures.is_harmless(thing.name):
                world.unclear.add(info)
            return value
        receiver = thing.receiver if isinstance(thing, MethodThing) else None
        return _described(frame, thing.name, signature, receiver, (), value, info, line)
    if isinstance(thing, DecoratorThing):
        signature = world.signatures.calls[thing.signature]
        return _described(frame, thing.signature, signature, thing.receiver, thing.arguments, value, info, line)
    if isinstance(thing, FunctionThing | PartialThing | ClassThing | WrappedThing):
        made = call(frame, decorator, [value], {}, line)
        frame.raised = False
        if isinstance(made.thing, FunctionThing | PartialThing | WrappedThing):
            return made
        return value
    world.unclear.add(info)
    return value


def _described(  # noqa: PLR0917
    frame: Frame,
    name: str,
    signature: CallSignature,
    receiver: Value | None,
    arguments: tuple[tuple[str, Value], ...],
    value: Value,
    info: FunctionInfo,
    line: int,
) -> Value:
    kind = _KINDS.get(signature.decorates)
    if kind is not None:
        frame.world.kinds[info] = kind
        return value
    if signature.route is not None:
        register(frame, name, signature, receiver, dict(arguments), value, line)
    if signature.decorates in ("", "same", "route", "wraps"):
        return value
    short = info.qualified
    return Value(WrappedThing(value, name, arguments, line, frame.module.file, short))

"""Names, and attributes of what they stand for."""

from __future__ import annotations

from nines.effects.interpret.naming.resolve import class_binding_value, global_value
from nines.effects.interpret.state.entrances import attribute, evaluate
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.symbols.parts import access_path
from nines.effects.values import FunctionThing, Value
from nines.model import code


def name_value(frame: Frame, node: code.Name) -> Value:
    found = frame.env.get(node.id)
    if found is None:
        found = frame.closure.get(node.id)
    if found is not None:
        return found
    if frame.cls is not None and frame.info is None:
        own = _class_scope(frame, node.id)
        if own is not None:
            return own
    return global_value(frame.world, frame.module, node.id)


def _class_scope(frame: Frame, name: str) -> Value | None:
    """A name used in a class body that the body itself defines."""
    cls = frame.cls
    assert cls is not None
    world = frame.world
    if name in cls.methods:
        return Value(FunctionThing(cls.methods[name]))
    key = (cls, name, "scope")
    if name not in cls.attributes:
        return None
    if key in world.standing.evaluating:
        world.standing.cut(key)
        return None
    saved = world.standing.begin(key)
    try:
        return class_binding_value(world, cls, cls.attributes[name])
    finally:
        world.standing.end(key, saved)


def attribute_of(frame: Frame, node: code.Attribute) -> Value:
    dotted = _imported_path(frame, node)
    if dotted is not None:
        return dotted
    receiver = evaluate(frame, node.value)
    key = access_path(node)
    if key and key in frame.env:
        return frame.env[key]
    return attribute(frame, receiver, node.name, node.line, node.column)


def _imported_path(frame: Frame, node: code.Attribute) -> Value | None:
    """`import a.b` binds `a`, and makes `a.b` reachable below it."""
    if not isinstance(node.value, code.Name) or node.value.id in frame.env:
        return None
    bound = f"{node.value.id}\0{node.value.id}.{node.name}"
    return global_value(frame.world, frame.module, bound) if bound in frame.module.bindings else None

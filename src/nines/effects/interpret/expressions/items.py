"""`value[key]` and `value[from:to]`."""

from __future__ import annotations

from nines.effects.interpret.database.entities import sliced
from nines.effects.interpret.database.fetching import materialise
from nines.effects.interpret.libraries.injecting import provided
from nines.effects.interpret.naming.annotations import annotated_value
from nines.effects.interpret.state.entrances import attribute, call, evaluate
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.symbols.parts import access_path, item_at
from nines.effects.values import (
    ClassThing,
    ContainerThing,
    InstanceThing,
    LibraryThing,
    ObjectThing,
    Value,
    element_of,
    field,
    join,
    merge_sources,
    unknown,
    with_sources,
)
from nines.model import code


def subscript(frame: Frame, node: code.Subscript) -> Value:  # noqa: PLR0911
    receiver = evaluate(frame, node.value)
    if isinstance(receiver.thing, ClassThing):
        return receiver
    if isinstance(receiver.thing, LibraryThing):
        return _of_library(frame, receiver.thing.name, node)
    if isinstance(node.key, code.Slice):
        return _sliced(frame, receiver, node)
    key = evaluate(frame, node.key)
    path = access_path(node.value)
    if path and key.has_constant and f"{path}[{key.constant}]" in frame.env:
        return frame.env[f"{path}[{key.constant}]"]
    receiver = materialise(frame, receiver, node.line, node.column, single=isinstance(key.constant, int))
    if isinstance(key.constant, str):
        held = field(receiver, key.constant)
        if held is not None:
            return held
        for each in receiver.alternatives():
            if isinstance(each.thing, InstanceThing) and each.thing.row:
                return attribute(frame, receiver, key.constant, node.line, node.column)
    if isinstance(key.constant, int) and not isinstance(key.constant, bool):
        return item_at(receiver, key.constant)
    for each in receiver.alternatives():
        thing = each.thing
        if isinstance(thing, ContainerThing) and thing.kind == "dict":
            held_values = [v for _, v in thing.fields] + ([thing.items] if thing.items else [])
            return with_sources(join(held_values), receiver.sources) if held_values else unknown(receiver.sources)
    return _item_of_object(frame, receiver, key, node)


def _of_library(frame: Frame, name: str, node: code.Subscript) -> Value:
    """A type with parameters, or what a container provides."""
    signature = frame.world.signatures.calls.get(name)
    if signature is not None and signature.mechanism == "provided":
        return provided(frame, evaluate(frame, node.key), node.line)
    return annotated_value(frame, node)


def _item_of_object(frame: Frame, receiver: Value, key: Value, node: code.Subscript) -> Value:
    thing = receiver.thing
    if isinstance(thing, InstanceThing) or (isinstance(thing, ObjectThing) and _has_getitem(frame, thing)):
        method = attribute(frame, receiver, "__getitem__", node.line, node.column)
        return call(frame, method, [key], {}, node.line, node.column)
    return unknown(merge_sources(element_of(receiver).sources, receiver.sources))


def _has_getitem(frame: Frame, thing: ObjectThing) -> bool:
    return bool(frame.world.signatures.method(thing.type, "__getitem__"))


def _sliced(frame: Frame, receiver: Value, node: code.Subscript) -> Value:
    key = node.key
    assert isinstance(key, code.Slice)
    bounds = [evaluate(frame, bound) for bound in (key.lower, key.upper) if bound is not None]
    if key.upper is not None:
        limited = sliced(receiver, bounds[-1])
        if limited is not None:
            return limited
    if isinstance(receiver.thing, ObjectThing) and receiver.thing.query is not None:
        return receiver
    if isinstance(receiver.thing, ContainerThing):
        return Value(ContainerThing("list", element_of(receiver)), receiver.sources)
    return unknown(receiver.sources)

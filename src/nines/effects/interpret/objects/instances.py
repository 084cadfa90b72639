"""Attributes of a project's objects."""

from __future__ import annotations

from nines.effects.interpret.calling.initial import initial_fields, later_value
from nines.effects.interpret.database.mapping import mapped
from nines.effects.interpret.libraries.typed import typed
from nines.effects.interpret.naming.annotations import annotated
from nines.effects.interpret.naming.overriding import implementations
from nines.effects.interpret.naming.resolve import class_value
from nines.effects.interpret.objects.library_objects import origin_of_new
from nines.effects.interpret.objects.methods import bound_method
from nines.effects.interpret.objects.rows import member_sources, of_row
from nines.effects.interpret.state.entrances import call
from nines.effects.interpret.state.frame import Frame
from nines.effects.link import ClassInfo, FunctionInfo
from nines.effects.values import (
    NO_SOURCES,
    SITE,
    ClassThing,
    InstanceThing,
    MethodThing,
    Value,
    field,
    join,
    merge_sources,
    unknown,
    with_sources,
)


def of_instance(frame: Frame, receiver: Value, thing: InstanceThing, name: str, line: int, column: int) -> Value:  # noqa: PLR0911, PLR0917
    held = field(receiver, name)
    world = frame.world
    table = mapped(world, thing.info)
    if held is not None and (table is None or not thing.row or name not in table.columns):
        return _later(frame, thing, name, held) if table is None else held
    if table is not None:
        found = of_row(frame, receiver, thing, table, name, line, column)
        if found is not None:
            return found
    method = world.linked.find_method(thing.info, name)
    if method is not None:
        value = bound_method(frame, method, receiver)
        if world.kinds.get(method) == "property":
            return call(frame, value, [], {}, line, column)
        others = implementations(world, thing.info, method)
        return _any_of(frame, receiver, others) if others else value
    declared = _declared(frame, receiver, thing.info, name)
    if declared is not None:
        return declared
    for base in world.linked.ancestry(thing.info)[1]:
        text = world.signatures.attribute(base, name)
        if text:
            sources = merge_sources(receiver.sources, NO_SOURCES)
            return origin_of_new(
                frame,
                typed(world, text, receiver, dict(thing.fields), sources, thing.connection or _site(receiver)),
                name,
            )
        qualified = world.signatures.method(base, name)
        if qualified:
            return Value(MethodThing(receiver, qualified), receiver.sources)
    if thing.row:
        return unknown(member_sources(receiver.sources, name))
    return Value(MethodThing(receiver, f"?.{name}"), receiver.sources)


def _any_of(frame: Frame, receiver: Value, methods: list[FunctionInfo]) -> Value:
    """The methods that may stand behind a declared one, each with an object of its own class."""
    found = []
    for method in methods:
        assert method.cls is not None
        owner = Value(InstanceThing(method.cls), receiver.sources)
        found.append(bound_method(frame, method, owner))
    return found[0] if len(found) == 1 else join(found)


def _later(frame: Frame, thing: InstanceThing, name: str, held: Value) -> Value:
    """A field that was empty when the object was made holds, while requests run, what start-up put there."""
    if not (held.has_constant and held.constant is None) or frame.module is not thing.info.module:
        return held
    found = later_value(frame, thing.info, name)
    return held if found is None else found


def _site(receiver: Value) -> str:
    """Where an object was made, for the kinds of which that is kept."""
    held = field(receiver, SITE)
    return str(held.constant) if held is not None and held.has_constant else ""


def _declared(frame: Frame, receiver: Value, info: ClassInfo, name: str) -> Value | None:
    """A field by its declaration in the class, or by what __init__ assigns."""
    world = frame.world
    found = world.linked.find_attribute(info, name)
    if found is not None:
        owner, binding = found
        if binding.annotation is not None:
            value = annotated(world, owner.module, binding.annotation, receiver.sources)
            if not value.is_unknown or binding.value is None:
                return value
        given = class_value(world, info, name)
        if given is not None:
            data = receiver.sources if binding.annotation is not None else NO_SOURCES
            return with_sources(Value(given.thing, given.sources) if data else given, data)
    inner = world.linked.find_inner(info, name)
    if inner is not None:
        return Value(ClassThing(inner))
    fields = initial_fields(frame, info)
    return fields.get(name)

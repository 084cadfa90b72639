"""Attributes of a project's classes: columns, methods, managers, what bases declare."""

from __future__ import annotations

from dataclasses import replace

from nines.effects.interpret.database.entities import start_entity
from nines.effects.interpret.database.mapping import mapped, relation_of
from nines.effects.interpret.libraries.typed import typed
from nines.effects.interpret.naming.resolve import class_value
from nines.effects.interpret.objects.methods import bound_method
from nines.effects.interpret.state.entrances import call
from nines.effects.interpret.state.frame import Frame
from nines.effects.link import ClassInfo
from nines.effects.values import (
    UNKNOWN,
    ClassThing,
    ColumnThing,
    FunctionThing,
    InstanceThing,
    MethodThing,
    ObjectThing,
    Value,
)


def of_class(frame: Frame, receiver: Value, info: ClassInfo, name: str) -> Value:
    world = frame.world
    table = mapped(world, info)
    if table is not None:
        found = table.columns.get(name)
        if found is not None:
            return Value(ColumnThing(info, found.name, table.name))
        relation = relation_of(world, table, name)
        if relation is not None:
            return Value(ColumnThing(info, name, table.name, relation.target))
    method = world.linked.find_method(info, name)
    if method is not None:
        return bound_method(frame, method, receiver, on_class=True)
    value = class_value(world, info, name)
    if value is not None and not (value.is_unknown and table is not None):
        return value if table is None else _managed(frame, value, info)
    inner = world.linked.find_inner(info, name)
    if inner is not None:
        return Value(ClassThing(inner))
    return _of_bases(frame, receiver, info, name, is_mapped=table is not None)


def _of_bases(frame: Frame, receiver: Value, info: ClassInfo, name: str, *, is_mapped: bool) -> Value:
    """What a library's base class declares."""
    world = frame.world
    bases = world.linked.ancestry(info)[1]
    for base in bases:
        declared = world.signatures.attribute(base, name)
        if declared:
            made = typed(world, declared, receiver)
            return _library_manager(frame, made, info) or made if is_mapped else made
        qualified = world.signatures.method(base, name)
        if qualified:
            return Value(MethodThing(receiver, qualified))
    if any(world.signatures.trait(base, "sanitises") for base in bases):
        return UNKNOWN
    return Value(MethodThing(receiver, f"?.{name}"))


def _managed(frame: Frame, value: Value, info: ClassInfo) -> Value:
    """An attribute of a mapped class; a manager stands for a query of that class."""
    if isinstance(value.thing, InstanceThing):
        return _project_manager(frame, value, info) or value
    return _library_manager(frame, value, info) or value


def _library_manager(frame: Frame, value: Value, info: ClassInfo) -> Value | None:
    thing, trait = value.thing, frame.world.signatures.trait
    if not isinstance(thing, ObjectThing) or not trait(thing.type, "manager"):
        return None
    return Value(replace(thing, query=start_entity(frame.world, info, str(trait(thing.type, "connection_name") or ""))))


def _project_manager(frame: Frame, value: Value, info: ClassInfo) -> Value | None:
    """A project's manager or query set class on a mapped class: a query of that class, with extra methods."""
    thing = value.thing
    assert isinstance(thing, InstanceThing)
    world = frame.world
    for base in world.linked.ancestry(thing.info)[1]:
        if world.signatures.trait(base, "manager"):
            query = start_entity(world, info, str(world.signatures.trait(base, "connection_name") or ""))
            own = world.linked.find_method(thing.info, "get_queryset")
            made = Value(ObjectThing(base, query=query))
            if own is not None:
                found = call(frame, Value(FunctionThing(own, made)), [], {}, own.node.line)
                if isinstance(found.thing, ObjectThing) and found.thing.query is not None and found.thing.query.entity:
                    return found
            return made
    return None

"""Handlers that are methods of a class whose attributes a framework injects."""

from __future__ import annotations

from nines.effects.entries.annotations import annotation_parts
from nines.effects.entries.gathered import Gathered
from nines.effects.entries.inject import dependency, injected
from nines.effects.interpret.naming.resolve import class_binding_value
from nines.effects.interpret.state.frame import Frame
from nines.effects.link import AssignBinding, ClassInfo, FunctionInfo
from nines.effects.values import FunctionThing, InstanceThing, ObjectThing, Value, sorted_fields
from nines.effects.values import field as held_field


def bound_handler(frame: Frame, handler: Value, info: FunctionInfo, path: str, gathered: Gathered) -> Value:
    """The handler with its object, whose attributes were injected; unchanged where the class injects nothing."""
    if info.cls is None:
        return handler
    world = frame.world
    classes, _, is_complete = world.linked.ancestry(info.cls)
    fields: dict[str, Value] = {}
    for owner in reversed(classes):
        for name, binding in owner.attributes.items():
            if isinstance(binding, AssignBinding):
                value = _injected(frame, owner, binding, path, gathered)
                if value is not None:
                    fields[name] = value
    method = world.linked.find_method(info.cls, "__init__")
    if method is not None:
        injected(frame, method, path, gathered, skip=1)
    if not fields:
        # The class itself may be what guards, in a way that was not understood.
        gathered.guards_known = gathered.guards_known and is_complete and not info.cls.node.decorators
        return handler
    instance = Value(InstanceThing(info.cls, tuple(sorted_fields(fields))))
    return Value(FunctionThing(info, instance))


def _injected(frame: Frame, owner: ClassInfo, binding: AssignBinding, path: str, gathered: Gathered) -> Value | None:
    declared, markers, _ = annotation_parts(frame.world, owner.module, binding.annotation)
    if binding.value is not None:
        markers = [*markers, class_binding_value(frame.world, owner, binding)]
    for marker in markers:
        thing = marker.thing
        held = frame.world.signatures.trait(thing.type, "dependency") if isinstance(thing, ObjectThing) else None
        if isinstance(held, str) and held:
            return dependency(frame, held_field(marker, held), declared, path, gathered)
    return None

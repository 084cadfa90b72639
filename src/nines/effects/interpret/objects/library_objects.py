"""Attributes of a library's objects, as their types' signatures describe them."""

from __future__ import annotations

from nines.effects.interpret.libraries.typed import type_origin, typed
from nines.effects.interpret.naming.resolve import class_value
from nines.effects.interpret.objects.rows import member_sources
from nines.effects.interpret.state.entrances import attribute, call
from nines.effects.interpret.state.frame import Frame
from nines.effects.link import ClassInfo
from nines.effects.values import (
    UNKNOWN,
    FunctionThing,
    InstanceThing,
    MethodThing,
    ObjectThing,
    ScalarThing,
    Value,
    field,
    merge_sources,
    unknown,
    with_field,
)


def library_method(frame: Frame, receiver: Value, type: str, name: str) -> Value:
    qualified = frame.world.signatures.method(type, name) or f"{type}.{name}"
    return Value(MethodThing(receiver, qualified), receiver.sources)


def of_object(frame: Frame, receiver: Value, thing: ObjectThing, name: str, line: int, column: int) -> Value:  # noqa: PLR0911, PLR0917
    held = field(receiver, name)
    if held is not None:
        return held
    signatures = frame.world.signatures
    shared = frame.world.shared.get((thing.type, name))
    if shared is not None:
        return shared
    if signatures.trait(thing.type, "is_shared"):
        return UNKNOWN
    runs = signatures.trait(thing.type, "names_statements")
    if isinstance(runs, str):
        return Value(MethodThing(with_field(receiver, "statement", Value(constant=name)), runs))
    qualified = signatures.method(thing.type, name)
    declared = signatures.attribute(thing.type, name)
    if declared and not qualified:
        sources = merge_sources(type_origin(frame.world, receiver, name), receiver.sources)
        if declared == "fixed method":
            frame.world.method_reads += 1
            return Value(ScalarThing(("fixed",)), (), frame.world.method) if frame.world.method else unknown(sources)
        if declared == "run":
            return call(frame, Value(MethodThing(receiver, f"{thing.type}.{name}")), [], {}, line, column)
        value = typed(frame.world, declared, receiver, dict(thing.fields), sources, thing.site)
        return origin_of_new(frame, value, name)
    if qualified:
        return Value(MethodThing(receiver, qualified), receiver.sources)
    if thing.query is not None and thing.query.entity is not None:
        custom = _manager_method(frame, receiver, thing.query.entity, name)
        if custom is not None:
            return custom
    if thing.items is not None and isinstance(thing.items.thing, InstanceThing) and not thing.type.rpartition(".")[0]:
        return attribute(frame, thing.items, name, line, column)
    own = type_origin(frame.world, receiver, name)
    return Value(
        MethodThing(receiver, f"{thing.type}.{name}"), merge_sources(own, member_sources(receiver.sources, name))
    )


def origin_of_new(frame: Frame, value: Value, name: str) -> Value:
    """An attribute's object may itself be a source: `request.query_params`."""
    own = type_origin(frame.world, value, name)
    return Value(value.thing, own, value.constant) if own else value


def _manager_method(frame: Frame, receiver: Value, info: ClassInfo, name: str) -> Value | None:
    """A method that a project's own query set or manager class adds."""
    world = frame.world
    for owner in world.linked.ancestry(info)[0]:
        for binding in owner.attributes:
            value = class_value(world, owner, binding)
            for each in value.alternatives() if value is not None else ():
                thing = each.thing
                if not isinstance(thing, InstanceThing):
                    continue
                method = world.linked.find_method(thing.info, name)
                if method is not None and any(
                    world.signatures.trait(b, "manager") for b in world.linked.ancestry(thing.info)[1]
                ):
                    return Value(FunctionThing(method, receiver))
    return None

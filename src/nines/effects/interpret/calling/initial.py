"""The attributes that __init__ gives an object whose making was not seen."""

from __future__ import annotations

from collections.abc import Iterator

from nines.effects.interpret.calling.binding import bind
from nines.effects.interpret.calling.summaries import activate
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.state.world import World
from nines.effects.link import ClassInfo, FunctionInfo
from nines.effects.values import UNKNOWN, InstanceThing, Value, only_sources, sorted_fields
from nines.model import code


def initial_fields(frame: Frame, info: ClassInfo) -> dict[str, Value]:
    """Fields by name, as the initialiser sets them from arguments of its annotated types."""
    world = frame.world
    key = (info, "\0initial")
    if key in world.class_values:
        world.standing.recall(key)
        held = world.class_values[key]
    else:
        bare = Value(InstanceThing(info))
        held = world.work_out(world.class_values, key, key, lambda: _initialised(world, info), bare)
    return dict(held.thing.fields) if isinstance(held.thing, InstanceThing) else {}


def _initialised(world: World, info: ClassInfo) -> Value:
    method = world.linked.find_method(info, "__init__")
    if method is None or not method.node.parameters:
        return Value(InstanceThing(info))
    inner = Frame(world, method.module)
    me = Value(InstanceThing(info))
    env = bind(inner, method, [me], {})
    activation = activate(inner, method, env)
    made = activation.summary.after.get(method.node.parameters[0].name)
    thing = made.thing if made is not None else None
    fields = dict(thing.fields) if isinstance(thing, InstanceThing) else {}
    return Value(InstanceThing(info, tuple(sorted_fields(fields))))


_SETTERS_MAX = 4
"""Methods looked at for the value of one field."""


def later_value(frame: Frame, info: ClassInfo, name: str) -> Value | None:
    """What another method than __init__ puts into a field that starts empty, such as a pool opened at start-up."""
    world = frame.world
    key = (info, f"\0later {name}")
    if key in world.class_values:
        world.standing.recall(key)
        held = world.class_values[key]
    else:
        held = world.work_out(
            world.class_values, key, key, lambda: next(_set_by_methods(world, info, name), UNKNOWN), UNKNOWN
        )
    return None if held.is_unknown else held


def _set_by_methods(world: World, info: ClassInfo, name: str) -> Iterator[Value]:
    looked = 0
    for owner in world.linked.ancestry(info)[0]:
        for method in owner.methods.values():
            if method.short == "__init__" or not method.node.parameters or not _sets(method, name):
                continue
            looked += 1
            if looked > _SETTERS_MAX:
                return
            inner = Frame(world, method.module)
            activation = activate(inner, method, bind(inner, method, [Value(InstanceThing(info))], {}))
            made = activation.result.value(activation.summary.after.get(method.node.parameters[0].name, Value()))
            fields = dict(made.thing.fields) if isinstance(made.thing, InstanceThing) else {}
            value = fields.get(name)
            if value is not None and not value.is_unknown and not (value.has_constant and value.constant is None):
                yield only_sources(value, ())


def _sets(method: FunctionInfo, name: str) -> bool:
    """Whether the method assigns to this attribute of its own object, at any depth."""
    if name.encode() not in method.packed:
        return False
    me = method.node.parameters[0].name
    pending = list(method.body)
    while pending:
        statement = pending.pop()
        if isinstance(statement, code.Assign) and any(_is_own(target, me, name) for target in statement.targets):
            return True
        if isinstance(statement, code.With | code.For | code.While | code.Try):
            pending.extend(statement.body)
        elif isinstance(statement, code.If):
            pending.extend((*statement.then, *statement.otherwise))
    return False


def _is_own(target: code.Expression, me: str, name: str) -> bool:
    return (
        isinstance(target, code.Attribute)
        and target.name == name
        and isinstance(target.value, code.Name)
        and target.value.id == me
    )

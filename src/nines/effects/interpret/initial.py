"""The attributes that __init__ gives an object whose making was not seen."""

from __future__ import annotations

from nines.effects.interpret.arguments import bind
from nines.effects.interpret.frame import Frame
from nines.effects.interpret.summaries import activate
from nines.effects.link import ClassInfo
from nines.effects.values import InstanceThing, Value, sorted_fields


def initial_fields(frame: Frame, info: ClassInfo) -> dict[str, Value]:
    """Fields by name, as the initialiser sets them from arguments of its annotated types."""
    world = frame.world
    key = (info, "\0initial")
    if key in world.class_values:
        held = world.class_values[key].thing
        return dict(held.fields) if isinstance(held, InstanceThing) else {}
    world.class_values[key] = Value(InstanceThing(info))
    method = world.linked.find_method(info, "__init__")
    if method is None or not method.node.parameters:
        return {}
    inner = Frame(world, method.module)
    me = Value(InstanceThing(info))
    env = bind(inner, method, [me], {})
    activation = activate(inner, method, env)
    made = activation.summary.after.get(method.node.parameters[0].name)
    thing = made.thing if made is not None else None
    fields = dict(thing.fields) if isinstance(thing, InstanceThing) else {}
    world.class_values[key] = Value(InstanceThing(info, tuple(sorted_fields(fields))))
    return fields

"""Tasks that stand in a class which a worker finds by its name."""

from __future__ import annotations

from nines.effects.interpret.libraries.registering import is_function, register
from nines.effects.interpret.naming.resolve import class_value
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.state.world import World
from nines.effects.link import ClassInfo
from nines.effects.values import ContainerThing, Value, field


def listed_tasks(world: World, info: ClassInfo) -> None:
    """Registers every function that the class lists, by itself or wrapped with its options."""
    for name, signature_name in world.signatures.task_classes.get(info.name, {}).items():
        value = class_value(world, info, name)
        thing = value.thing if value is not None else None
        if not isinstance(thing, ContainerThing):
            continue
        frame = Frame(world, info.module)
        signature = world.signatures.calls[signature_name]
        for entry in thing.entries or ():
            function = _function(entry)
            if function is not None:
                register(frame, signature_name, signature, None, {}, function, info.node.line)


def _function(entry: Value) -> Value | None:
    if is_function(entry):
        return entry
    held = field(entry, "coroutine")
    return held if held is not None and is_function(held) else None

"""What the project's settings modules say."""

from __future__ import annotations

from nines.effects.interpret.naming.resolve import class_value, global_value
from nines.effects.interpret.state.world import World
from nines.effects.link import ModuleInfo
from nines.effects.values import ContainerThing, Value, field

_MARKS = ("ROOT_URLCONF", "INSTALLED_APPS", "MIDDLEWARE")
_LESSER = ("test", "local", "dev", "example", "ci", "docs")


def setting(world: World, role: str, key: str = "") -> Value | None:
    """A setting by the role that signatures give its variable, perhaps an entry of it; None where nobody sets it."""
    name = world.signatures.settings.get(role, role)
    held_key = ("\0setting", f"{name}.{key}")
    if held_key in world.globals:
        world.standing.recall(held_key)
        value = world.globals[held_key]
    else:
        value = world.work_out(
            world.globals, held_key, held_key, lambda: _setting(world, name, key) or Value(), Value()
        )
    return None if value.is_unknown and not value.sources else value


def _setting(world: World, name: str, key: str) -> Value | None:
    for module in sorted(_modules(world, name), key=_rank):
        value = global_value(world, module, name)
        if not key:
            return value
        if isinstance(value.thing, ContainerThing):
            held = field(value, key)
            if held is not None:
                return held
    return _in_a_class(world, name, key)


def _in_a_class(world: World, name: str, key: str) -> Value | None:
    """Settings that stand as attributes of a class, where no module has the name: django-configurations."""
    named = [module for module in world.linked.modules.values() if "setting" in module.name or "config" in module.name]
    for module in sorted(named, key=_rank):
        for info in module.classes:
            value = class_value(world, info, name) if name in info.attributes else None
            held = field(value, key) if value is not None and key else value
            if held is not None:
                return held
    return None


def _modules(world: World, name: str) -> list[ModuleInfo]:
    return [module for module in world.linked.modules.values() if name in module.bindings]


def _rank(module: ModuleInfo) -> tuple[bool, bool, bool, str]:
    words = module.name.lower().replace("_", ".").split(".")
    named = any("setting" in word or "config" in word for word in words)
    marked = any(mark in module.bindings for mark in _MARKS)
    lesser = any(word.startswith(small) for word in words for small in _LESSER)
    return (lesser, not marked, not named, module.name)

"""What the table of a mapped class is called."""

from __future__ import annotations

import re

from nines.effects.interpret.naming.resolve import class_binding_value
from nines.effects.interpret.state.world import World
from nines.effects.link import ClassInfo, ModuleInfo
from nines.model import code

_CAMEL = re.compile(r"((?<=[a-z0-9])[A-Z]|(?!^)[A-Z](?=[a-z]))")


def own_constant(world: World, info: ClassInfo, place: str) -> object:
    """A constant that the class itself declares, perhaps in an inner class."""
    owner: ClassInfo | None = info
    name = place
    if "." in place:
        inner, name = place.split(".", 1)
        owner = info.inner.get(inner)
    if not name or owner is None or name not in owner.attributes:
        return None
    value = class_binding_value(world, owner, owner.attributes[name])
    return value.constant if value.has_constant else value


def table_name(world: World, info: ClassInfo, base: str, places: dict[str, str]) -> str:
    trait = world.signatures.trait
    keyword = trait(base, "model_keyword")
    declared = None
    for each in world.linked.ancestry(info)[0]:
        declared = own_constant(world, each, places.get("name", ""))
        if declared is not None:
            break
    if keyword and not any(
        k.name == keyword and isinstance(k.value, code.Constant) and k.value.value for k in info.node.keywords
    ):
        return ""
    if isinstance(declared, str):
        return declared.rpartition(".")[2]
    style = trait(base, "model_table")
    if style == "snake":
        return _CAMEL.sub(r"_\1", info.name).lower()
    if style == "lower":
        return info.name.lower()
    if style == "app":
        return f"{_app_label(world, info, places)}_{info.name.lower()}"
    if declared is not None or "__tablename__" in {m for c in world.linked.ancestry(info)[0] for m in c.methods}:
        return _CAMEL.sub(r"_\1", info.name).lower()
    return ""


def _app_label(world: World, info: ClassInfo, places: dict[str, str]) -> str:
    declared = own_constant(world, info, places.get("label", ""))
    if isinstance(declared, str):
        return declared
    parts = info.module.name.split(".")
    for length in range(len(parts), 0, -1):
        configured = world.linked.modules.get(".".join([*parts[:length], "apps"]))
        if configured is not None:
            return _configured_label(configured, parts[length - 1])
    where = parts.index("models") if "models" in parts else len(parts)
    return parts[where - 1] if where > 0 else parts[0]


def _configured_label(module: ModuleInfo, default: str) -> str:
    """The label of the application to which a module belongs, as its configuration says."""
    for info in module.classes:
        binding = info.attributes.get("label")
        if binding is not None and isinstance(binding.value, code.Constant) and isinstance(binding.value.value, str):
            return binding.value.value
    return default

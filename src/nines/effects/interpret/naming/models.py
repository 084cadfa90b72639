"""Which classes are mapped to a table, and which of them stands for the signed-in user."""

from __future__ import annotations

from nines.effects.interpret.naming.settings import setting
from nines.effects.interpret.state.world import World
from nines.effects.link import ClassInfo


def model_base(world: World, info: ClassInfo) -> str:
    """The library base that maps a class, "" for an ordinary class."""
    for base in world.linked.ancestry(info)[1]:
        if world.signatures.trait(base, "model"):
            return base
    return ""


def user_model(world: World) -> ClassInfo | None:
    """The class of the signed-in user: as the settings name it, else the framework's own."""
    name = setting(world, "user")
    if name is not None and isinstance(name.constant, str):
        short = name.constant.rpartition(".")[2]
        label = name.constant.partition(".")[0].lower()
        found = [c for c in world.linked.named(short) if model_base(world, c)]
        near = [c for c in found if label in c.module.name.lower().split(".")]
        if near or found:
            return (near or found)[0]
    own = [c for c in world.linked.named("User") if c.module.file.startswith("<")]
    return own[0] if own else None

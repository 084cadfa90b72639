"""A router that a helper makes for each of its callers is another one for each."""

from __future__ import annotations

from dataclasses import replace

from nines.effects.interpret.state.frame import Frame
from nines.effects.values import ObjectThing, Value


def made_anew(frame: Frame, value: Value, line: int, column: int) -> Value:
    """The value, told apart by where the helper was called, unless the helper itself put something on it."""
    thing = value.thing
    world = frame.world
    if not world.is_booting or not isinstance(thing, ObjectThing) or not thing.site:
        return value
    if world.signatures.trait(thing.type, "router") != "part" or not _is_untouched(frame, thing.site):
        return value
    return Value(replace(thing, site=f"{thing.site} for {frame.site(line, column)}"), value.sources)


def _is_untouched(frame: Frame, site: str) -> bool:
    world = frame.world
    mounted = any(site in (mount.parent, mount.child) for mount in world.mounts.values())
    return not mounted and not any(route.router == site for route in world.routes.values())

"""From a router to the application: the whole path, and the dependencies on the way."""

from __future__ import annotations

from dataclasses import dataclass

from nines.effects.interpret.state.world import World
from nines.effects.interpret.symbols.shapes import shape
from nines.effects.limits import MOUNTS_DEPTH_MAX
from nines.effects.values import ContainerThing, InstanceThing, ObjectThing, Value
from nines.effects.values import field as held_field


@dataclass(frozen=True, slots=True)
class Chain:
    """One way from the outside to a router: its prefix, the dependencies in order, the routers passed."""

    prefix: str
    dependencies: tuple[Value, ...] = ()
    routers: tuple[str, ...] = ()
    is_rooted: bool = False


def chains(world: World, router: str) -> list[Chain]:
    """Every way to a router; one unrooted way when no application mounts it."""
    found = _chains(world, router, 0)
    rooted = [chain for chain in found if chain.is_rooted]
    return rooted or found[:1] or [Chain("")]


def _chains(world: World, router: str, depth: int) -> list[Chain]:
    if depth > MOUNTS_DEPTH_MAX:
        return []
    value = world.routers.get(router)
    prefix, dependencies, is_root = _own(world, value)
    mounts = [mount for mount in world.mounts.values() if mount.child == router]
    if is_root and not mounts:
        return [Chain(prefix, dependencies, (router,), True)]
    found: list[Chain] = []
    for mount in mounts:
        for outer in _chains(world, mount.parent, depth + 1) if mount.parent else [Chain("")]:
            inner = mount.prefix if mount.prefix_wins else mount.prefix + prefix
            through = entries_of(mount.dependencies)
            found.append(
                Chain(
                    outer.prefix + inner,
                    (*outer.dependencies, *through, *dependencies),
                    (*outer.routers, router),
                    outer.is_rooted or is_root,
                )
            )
    return found or [Chain(prefix, dependencies, (router,), is_root)]


def _own(world: World, value: Value | None) -> tuple[str, tuple[Value, ...], bool]:
    """What a router says of itself: its prefix, its dependencies, and whether it is the application."""
    if value is None:
        return "", (), False
    for each in value.alternatives():
        thing = each.thing
        types: list[str] = []
        if isinstance(thing, ObjectThing):
            types = [thing.type]
        elif isinstance(thing, InstanceThing):
            types = world.linked.ancestry(thing.info)[1]
        for type in types:
            kind = world.signatures.trait(type, "router")
            if not kind:
                continue
            prefix = held_field(each, str(world.signatures.trait(type, "prefix") or ""))
            dependencies = held_field(each, str(world.signatures.trait(type, "dependencies") or ""))
            return shape(prefix).replace("{}", ""), entries_of(dependencies), kind == "root"
    return "", (), False


def entries_of(value: Value | None) -> tuple[Value, ...]:
    thing = value.thing if value is not None else None
    return thing.entries or () if isinstance(thing, ContainerThing) else ()

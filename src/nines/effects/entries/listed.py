"""Guards that a view's class lists, inherits or is decorated with, or that a route is told."""

from __future__ import annotations

from nines.effects.entries.gathered import Gathered, add_guards
from nines.effects.interpret.naming.resolve import class_value
from nines.effects.interpret.state.entrances import evaluate
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.state.records import Route
from nines.effects.interpret.state.world import World
from nines.effects.link import ClassInfo
from nines.effects.signatures import RouteRule
from nines.effects.values import ContainerThing, DecoratorThing, Value
from nines.model import code


def view_guards(world: World, info: ClassInfo, gathered: Gathered) -> None:
    """Notes them all; what was not understood may be a guard."""
    bases = world.linked.ancestry(info)[1]
    gathered.guards_known = gathered.guards_known and world.linked.ancestry(info)[2]
    for base in bases:
        guard = world.signatures.trait(base, "guard")
        if isinstance(guard, str) and guard:
            add_guards(gathered, guard, base, info.place)
        listed = world.signatures.trait(base, "guards")
        for attribute_name in listed if isinstance(listed, dict) else ():
            value = class_value(world, info, attribute_name)
            if value is not None:
                listed_decorators(world, value, gathered)
    for decorator in info.node.decorators:
        guard_decorator(world, decorator, info, gathered)


def guard_decorator(world: World, decorator: code.Expression, info: ClassInfo, gathered: Gathered) -> None:
    """A decorator of a view's class; its own guard, or the one that it is given."""
    node = decorator.arguments[0] if isinstance(decorator, code.Call) and decorator.arguments else decorator
    thing = evaluate(Frame(world, info.module), node).thing
    name = getattr(thing, "name", "") or getattr(thing, "signature", "")
    signature = world.signatures.calls.get(name)
    if signature is not None and signature.guard:
        add_guards(gathered, signature.guard, name, info.place)
    elif signature is None:
        gathered.guards_known = False


def listed_decorators(world: World, value: Value, gathered: Gathered) -> None:
    """Decorators that a view puts around each of its methods."""
    thing = value.thing
    if not isinstance(thing, ContainerThing):
        gathered.guards_known = False
        return
    for entry in thing.entries or ():
        inner = entry.thing
        name = inner.signature if isinstance(inner, DecoratorThing) else getattr(inner, "name", "")
        called = world.signatures.calls.get(name)
        if called is not None and called.decorates:
            add_guards(gathered, called.guard, called.guard and name, None)
        else:
            gathered.guards_known = False


def told_guards(route: Route, rule: RouteRule, gathered: Gathered) -> None:
    """What the arguments of a route say of who is let in; what is not understood may be anything."""
    arguments = dict(route.arguments)
    if rule.open:
        is_open = arguments.get(rule.open)
        if is_open is None or (is_open.has_constant and not is_open.constant):
            add_guards(gathered, "authentication", route.signature, route.place)
        elif not is_open.has_constant:
            gathered.guards_known = False
    for name, kind in ((rule.authorises, "authorisation"), (rule.limits, "rate_limit")):
        given = arguments.get(name) if name else None
        if given is not None and not _is_empty(given):
            add_guards(gathered, kind, route.signature, route.place)


def _is_empty(value: Value) -> bool:
    thing = value.thing
    if isinstance(thing, ContainerThing):
        return thing.entries == () and not thing.is_open
    return value.has_constant and not value.constant

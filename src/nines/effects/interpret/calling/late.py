"""Names that a function takes from the function around it, bound there only after it was defined."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from nines.effects.interpret.state.frame import Frame
from nines.effects.values import FunctionThing, PartialThing, Value, WrappedThing

_HELPERS_DEPTH = 2
"""Handlers call helpers that call helpers, each defined after the one that needs it."""


def bind_late(frame: Frame, before: int) -> None:
    """Gives the handlers that were registered since there were `before` routes what is known at the function's end."""
    world = frame.world
    if len(world.routes) == before:
        return
    around = frame.env
    for _ in range(_HELPERS_DEPTH):
        around = {name: _with(frame, value, around) for name, value in around.items()}
    for key, route in list(islice(world.routes.items(), before, None)):
        handler = _with(frame, route.handler, around)
        if handler is not route.handler:
            world.routes[key] = replace(route, handler=handler)


def _with(frame: Frame, value: Value, around: dict[str, Value]) -> Value:
    thing = value.thing
    if isinstance(thing, WrappedThing | PartialThing):
        inner = _with(frame, thing.function, around)
        return value if inner is thing.function else Value(replace(thing, function=inner), value.sources)
    if not isinstance(thing, FunctionThing) or frame.info is None or thing.info.parent != frame.info.qualified:
        return value
    raw = thing.info.packed
    own = {name for name, _ in thing.closure} | {parameter.name for parameter in thing.info.node.parameters}
    late = {name: held for name, held in around.items() if name not in own and name.encode() in raw}
    late.pop(thing.info.short, None)
    if not late:
        return value
    closure = tuple(sorted({**dict(thing.closure), **late}.items(), key=lambda item: item[0]))
    return Value(replace(thing, closure=closure), value.sources)

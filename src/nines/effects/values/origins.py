"""Where values come from: sources put together, added, replaced."""

from __future__ import annotations

from nines.effects.limits import SOURCES_MAX
from nines.effects.sources import NO_SOURCES, Source, Sources
from nines.effects.values.things import NONE, UNKNOWN, ContainerThing, InstanceThing, ObjectThing, UnionThing, Value
from nines.model.origin import OriginKind

CONSTANT_SOURCE = Source(OriginKind.CONSTANT)


def constant(value: str | int | float | bool | None) -> Value:
    if value is None:
        return NONE
    return Value(sources=(Source(OriginKind.CONSTANT, str(value)[:80]),), constant=value)


def unknown(sources: Sources = NO_SOURCES) -> Value:
    return Value(sources=sources) if sources else UNKNOWN


def merge_sources(*groups: Sources) -> Sources:
    """Their union in order; constants give way to anything else when there are too many."""
    present = [group for group in groups if group]
    if len(present) == 1:
        return present[0]
    merged: dict[Source, None] = {}
    for group in present:
        merged.update(dict.fromkeys(group))
    if len(merged) > SOURCES_MAX:
        telling = [source for source in merged if source.kind is not OriginKind.CONSTANT]
        return tuple(telling[:SOURCES_MAX])
    return tuple(merged)


def with_sources(value: Value, sources: Sources) -> Value:
    """The value with these sources added, also to its alternatives."""
    if not sources or all(source in value.sources for source in sources):
        return value
    if isinstance(value.thing, UnionThing):
        values = tuple(with_sources(each, sources) for each in value.thing.values)
        return Value(UnionThing(values), merge_sources(value.sources, sources))
    return Value(value.thing, merge_sources(value.sources, sources), value.constant)


def only_sources(value: Value, sources: Sources) -> Value:
    return Value(value.thing, sources, value.constant)


def deep_sources(value: Value | None, depth: int = 4) -> Sources:
    """The sources of a value and of what it holds."""
    if value is None or depth == 0:
        return NO_SOURCES
    thing = value.thing
    inner: list[Value] = []
    if isinstance(thing, UnionThing):
        inner.extend(thing.values)
    elif isinstance(thing, ContainerThing):
        inner.extend(held for _, held in thing.fields)
        if thing.items is not None:
            inner.append(thing.items)
        inner.extend(thing.entries or ())
    elif isinstance(thing, InstanceThing | ObjectThing):
        inner.extend(held for _, held in thing.fields)
        if isinstance(thing, ObjectThing) and thing.items is not None:
            inner.append(thing.items)
    if not inner:
        return value.sources
    return merge_sources(value.sources, *(deep_sources(each, depth - 1) for each in inner))

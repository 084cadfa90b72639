"""Containers and their elements."""

from __future__ import annotations

from nines.effects.sources import NO_SOURCES, Sources
from nines.effects.values.joining import join
from nines.effects.values.origins import CONSTANT_SOURCE, merge_sources, unknown, with_sources
from nines.effects.values.things import ContainerThing, ObjectThing, Value


def list_of(items: Value, sources: Sources = NO_SOURCES, kind: str = "list") -> Value:
    return Value(ContainerThing(kind, items), merge_sources(sources, items.sources))


def key_of(mapping: Value) -> Value:
    """A key of a mapping: it comes from the code where the mapping was written or declared there."""
    thing = mapping.thing
    if isinstance(thing, ContainerThing) and (
        thing.has_own_keys or (thing.fields and thing.items is None and not thing.is_open)
    ):
        return unknown((CONSTANT_SOURCE,))
    return unknown(mapping.sources)


def element_of(value: Value) -> Value:
    """What iterating over the value gives."""
    found: list[Value] = []
    for each in value.alternatives():
        thing = each.thing
        if isinstance(thing, ContainerThing):
            if thing.kind == "dict":
                found.append(key_of(each))
                continue
            if thing.entries:
                found.extend(thing.entries)
            if thing.items is not None:
                found.append(thing.items)
        elif isinstance(thing, ObjectThing) and thing.items is not None:
            found.append(thing.items)
    return with_sources(join(found), value.sources) if found else unknown(value.sources)

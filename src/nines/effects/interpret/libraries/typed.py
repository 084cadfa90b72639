"""Turns the short texts of signatures ("self", "@name", "list T", "T") into values."""

from __future__ import annotations

from nines.effects.interpret.state.world import World
from nines.effects.values import (
    NO_SOURCES,
    NONE,
    UNKNOWN,
    ContainerThing,
    ObjectThing,
    Source,
    Sources,
    Value,
    element_of,
    join,
    library,
    list_of,
    unknown,
    with_sources,
)
from nines.model.origin import OriginKind


def typed(  # noqa: PLR0911, PLR0917
    world: World,
    text: str,
    receiver: Value | None = None,
    bound: dict[str, Value] | None = None,
    sources: Sources = NO_SOURCES,
    site: str = "",
) -> Value:
    """The value that a signature names; `sources` are where it comes from."""
    if text == "self":
        return with_sources(receiver or UNKNOWN, sources)
    if text.startswith("@") and " " not in text:
        return with_sources((bound or {}).get(text[1:], UNKNOWN), sources)
    if text == "element":
        return with_sources(element_of(receiver or UNKNOWN), sources)
    if text == "elements":
        return list_of(element_of(receiver or UNKNOWN), sources)
    if text in ("", "unknown"):
        return unknown(sources)
    if text == "none":
        return NONE
    if text == "same_items":
        first = next(iter((bound or {}).values()), UNKNOWN)
        return list_of(element_of(first), sources)
    if " and " in text:
        parts = [typed(world, part, receiver, bound, sources, site) for part in text.split(" and ")]
        return join([part for part in parts if not part.is_unknown])
    word, _, rest = text.partition(" ")
    if word == "list":
        return list_of(typed(world, rest, receiver, bound, sources, site), sources)
    if word == "name":
        return library(rest)
    if word in ("dict", "tuple"):
        return Value(ContainerThing(word), sources)
    return Value(ObjectThing(text, site), sources)


def origin_source(text: str, name: str = "") -> Source:
    """ "caller:query" as a source; `name` is what was asked for."""
    kind, _, location = text.partition(":")
    return Source(OriginKind(kind), name, location)


def type_origin(world: World, value: Value, name: str = "") -> Sources:
    """Where everything that an object holds comes from, when its type says so."""
    thing = value.thing
    if not isinstance(thing, ObjectThing):
        return NO_SOURCES
    origin = world.signatures.trait(thing.type, "origin")
    return (origin_source(origin, name),) if isinstance(origin, str) else NO_SOURCES

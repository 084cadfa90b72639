"""Values as texts: for people, and as what was put into them."""

from __future__ import annotations

from nines.effects.values import (
    NO_SOURCES,
    FunctionThing,
    Sources,
    TextThing,
    UnionThing,
    Value,
    WrappedThing,
    deep_sources,
)
from nines.model.origin import OriginKind


def shape(value: Value | None) -> str:
    """A text for people, unknown parts as "{}"."""
    if value is None:
        return ""
    if isinstance(value.constant, str):
        return value.constant
    if isinstance(value.thing, TextThing):
        return value.thing.skeleton.replace("\0", "{}")
    if isinstance(value.thing, FunctionThing):
        return value.thing.info.qualified
    if isinstance(value.thing, WrappedThing):
        return value.thing.name or shape(value.thing.function)
    if isinstance(value.thing, UnionThing):
        return next((text for text in map(shape, value.thing.values) if text), "")
    return ""


def spliced(value: Value | None) -> Sources:
    """The sources put into a text, constants and settings left out."""
    if value is None:
        return NO_SOURCES
    plain = (OriginKind.CONSTANT, OriginKind.SETTING)
    return tuple(source for source in deep_sources(value) if source.kind not in plain)

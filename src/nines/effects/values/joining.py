"""Values that may be any of several."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nines.effects.limits import ALTERNATIVES_MAX
from nines.effects.values.fields import sorted_fields
from nines.effects.values.origins import merge_sources, unknown, with_sources
from nines.effects.values.things import ANYTHING, NOTHING, UNKNOWN, ContainerThing, InstanceThing, UnionThing, Value


def join(values: list[Value]) -> Value:
    """A value that may be any of these."""
    flat: dict[Value, None] = {}
    for value in values:
        flat.update(dict.fromkeys(value.alternatives()))
    if not flat:
        return UNKNOWN
    if len(flat) == 1:
        return next(iter(flat))
    known = [value for value in flat if not value.is_unknown]
    sources = merge_sources(*(value.sources for value in flat))
    if not known:
        return unknown(sources)
    merged = _merge_alike(known)
    if len(known) < len(flat) and all(value.has_constant and value.thing is NOTHING for value in merged):
        # What may also be something unknown is not certain: a constant must not stand for it alone.
        telling = [value for value in merged if value.constant is not None]
        if not telling:
            return unknown(sources)
        merged = [*telling[: ALTERNATIVES_MAX - 1], unknown(sources)]
    if len(known) < len(flat):
        merged = [_opened(value) for value in merged]
    if len(merged) == 1:
        return with_sources(merged[0], sources)
    return Value(UnionThing(tuple(merged[:ALTERNATIVES_MAX])), sources)


def _opened(value: Value) -> Value:
    """A mapping that may also be another one, of which nothing is known, may hold more than was seen."""
    thing = value.thing
    if isinstance(thing, ContainerThing) and thing.kind == "dict":
        return Value(replace(thing, is_open=True), value.sources, value.constant)
    return value


def _merge_alike(values: list[Value]) -> list[Value]:
    """Puts values of one thing together, so that a union tells only different things apart."""
    merged: dict[Any, Value] = {}
    for value in values:
        key: Any = value.thing
        if value.thing is NOTHING:
            key = ("constant", value.constant is None or value.constant)
        elif isinstance(value.thing, InstanceThing):
            key = (value.thing.info, value.thing.row)
        earlier = merged.get(key)
        if earlier is None:
            merged[key] = value
        elif earlier.thing == value.thing:
            merged[key] = Value(earlier.thing, merge_sources(earlier.sources, value.sources), earlier.constant)
        else:
            merged[key] = _merge_instances(earlier, value)
    return list(merged.values())


def _merge_instances(first: Value, second: Value) -> Value:
    one, two = first.thing, second.thing
    assert isinstance(one, InstanceThing)
    assert isinstance(two, InstanceThing)
    fields = dict(two.fields)
    for name, value in one.fields:
        fields[name] = value if name not in fields or fields[name] == value else join([value, fields[name]])
    thing = replace(
        one, fields=tuple(sorted_fields(fields)), eager=one.eager & two.eager | (one.eager | two.eager) & ANYTHING
    )
    return Value(thing, merge_sources(first.sources, second.sources))

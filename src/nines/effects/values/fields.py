"""What objects and mappings hold by name."""

from __future__ import annotations

from dataclasses import replace

from nines.effects.limits import FIELDS_MAX
from nines.effects.values.things import ContainerThing, InstanceThing, ObjectThing, Value


def sorted_fields(fields: dict[str, Value]) -> list[tuple[str, Value]]:
    return sorted(fields.items(), key=lambda pair: pair[0])[:FIELDS_MAX]


def field(value: Value, name: str) -> Value | None:
    """What an object holds under this name, when it is known."""
    thing = value.thing
    if isinstance(thing, InstanceThing | ObjectThing | ContainerThing):
        for key, held in thing.fields:
            if key == name:
                return held
    return None


def with_field(value: Value, name: str, held: Value) -> Value:
    """The value with this field set."""
    thing = value.thing
    if isinstance(thing, InstanceThing | ObjectThing | ContainerThing):
        fields = dict(thing.fields)
        fields[name] = held
        return Value(replace(thing, fields=tuple(sorted_fields(fields))), value.sources)
    return value

"""Texts put together, and texts made safe."""

from __future__ import annotations

from nines.effects.interpret.libraries.call import LibraryCall, Mechanism
from nines.effects.interpret.machinery.mechanisms import first
from nines.effects.interpret.symbols.parts import concatenate
from nines.effects.values import (
    UNKNOWN,
    ContainerThing,
    TextThing,
    Value,
    deep_sources,
    merge_sources,
    sanitised,
    unknown,
)


def _format(call: LibraryCall) -> Value:
    receiver = call.receiver or UNKNOWN
    text = receiver.constant if isinstance(receiver.constant, str) else ""
    if isinstance(receiver.thing, TextThing):
        text = receiver.thing.skeleton
    parts: list[str] = []
    inside = ""
    depth, position = 0, 0
    for character in text:
        if character == "{":
            depth += 1
            inside = ""
        elif character == "}" and depth:
            depth -= 1
            if depth == 0:
                parts.append(_placed(call, inside, position))
                position += not inside
        elif depth == 0:
            parts.append(character)
        else:
            inside += character
    sources = merge_sources(receiver.sources, *(deep_sources(v) for v in call.bound.values()))
    return Value(TextThing("".join(parts)), sources)


def _placed(call: LibraryCall, name: str, position: int) -> str:
    """What stands for a placeholder: a constant text or number, else a NUL."""
    value = call.keywords.get(name) if name and not name.isdigit() else None
    index = int(name) if name.isdigit() else position
    if (not name or name.isdigit()) and index < len(call.arguments):
        value = call.arguments[index]
    if value is not None and isinstance(value.thing, TextThing):
        return value.thing.skeleton
    constant_value = value.constant if value is not None and value.has_constant else None
    return str(constant_value) if isinstance(constant_value, str | int) else "\0"


def _join_text(call: LibraryCall) -> Value:
    items = first(call)
    thing = items.thing
    if isinstance(thing, ContainerThing) and thing.entries is not None and thing.items is None and call.receiver:
        parts: list[Value] = []
        for index, entry in enumerate(thing.entries):
            parts.extend([call.receiver, entry] if index else [entry])
        return concatenate(parts)
    return unknown(merge_sources(deep_sources(items)))


def _clean(call: LibraryCall) -> Value:
    return unknown(sanitised(call.sources, call.signature.sanitises))


MECHANISMS: dict[str, Mechanism] = {
    "format": _format,
    "join_text": _join_text,
    "clean": _clean,
}

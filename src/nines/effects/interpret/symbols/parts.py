"""Small pure operations on symbolic values: joining text and mappings, picking an element."""

from __future__ import annotations

from nines.effects.limits import TEXT_MAX
from nines.effects.values import (
    ContainerThing,
    InstanceThing,
    TextThing,
    Value,
    element_of,
    join,
    merge_sources,
    sorted_fields,
)
from nines.model import code


def concatenate(parts: list[Value]) -> Value:
    """Text put together from these; its constant when every part has one, else its skeleton."""
    sources = merge_sources(*(part.sources for part in parts))
    pieces: list[str] = []
    whole = True
    for part in parts:
        if part.has_constant:
            pieces.append(str(part.constant))
        elif isinstance(part.thing, TextThing):
            pieces.append(part.thing.skeleton)
            whole = False
        else:
            pieces.append("\0")
            whole = False
    text = "".join(pieces)
    if whole:
        return Value(sources=sources, constant=text)
    return Value(TextThing(text[: TEXT_MAX * 20]), sources)


def access_path(node: code.Expression) -> str:
    """`a.b.c` as a key for what was assigned to it; "" for anything else."""
    parts: list[str] = []
    while isinstance(node, code.Attribute):
        parts.append(node.name)
        node = node.value
    if not isinstance(node, code.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


def merged_dict(left: Value, right: Value) -> Value:
    """Two mappings as one; the right one wins."""
    one, two = left.thing, right.thing
    assert isinstance(one, ContainerThing)
    assert isinstance(two, ContainerThing)
    fields = tuple(sorted_fields(dict(one.fields) | dict(two.fields)))
    items = [v for v in (one.items, two.items) if v is not None]
    thing = ContainerThing("dict", join(items) if items else None, fields, is_open=one.is_open or two.is_open)
    return Value(thing, merge_sources(left.sources, right.sources))


def item_at(value: Value, index: int) -> Value:
    """The element at a position; any element where they are not told apart."""
    found = []
    for each in value.alternatives():
        thing = each.thing
        if isinstance(thing, ContainerThing) and thing.entries and -len(thing.entries) <= index < len(thing.entries):
            found.append(thing.entries[index])
        elif (isinstance(thing, ContainerThing) and thing.kind == "row") or (
            isinstance(thing, InstanceThing) and thing.row
        ):
            found.append(each)
        else:
            found.append(element_of(each))
    return join(found)

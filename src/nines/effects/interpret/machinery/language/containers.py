"""Lists, mappings, tuples and what walks over them."""

from __future__ import annotations

from dataclasses import replace

from nines.effects.interpret.database.fetching import materialise
from nines.effects.interpret.libraries.arguments import OPEN
from nines.effects.interpret.libraries.call import LibraryCall, Mechanism
from nines.effects.interpret.machinery.mechanisms import first
from nines.effects.limits import ITEMS_MAX
from nines.effects.values import (
    NONE,
    UNKNOWN,
    ContainerThing,
    Value,
    constant,
    deep_sources,
    element_of,
    field,
    join,
    key_of,
    list_of,
    merge_sources,
    sanitised,
    sorted_fields,
    unknown,
    with_field,
    with_sources,
)


def _list(call: LibraryCall) -> Value:
    if not call.bound:
        return Value(ContainerThing("list", entries=(), is_open=False))
    value = materialise(call.frame, first(call), call.line, call.column)
    if isinstance(value.thing, ContainerThing) and value.thing.kind != "dict":
        return Value(replace(value.thing, kind="list"), value.sources)
    return list_of(element_of(value), value.sources)


def _look(call: LibraryCall) -> Value:
    """`len`, `bool` and the like: looking at a lazy query runs it."""
    value = materialise(call.frame, first(call), call.line, call.column)
    return unknown(sanitised(value.sources, call.signature.sanitises))


def _dict(call: LibraryCall) -> Value:
    base = first(call) if call.arguments else None
    fields = {name: value for name, value in call.keywords.items() if name != OPEN}
    held = base.thing if base is not None else None
    is_open = OPEN in call.keywords or (base is not None and not isinstance(held, ContainerThing))
    if isinstance(held, ContainerThing):
        fields = dict(held.fields) | fields
        is_open = is_open or held.is_open
    sources = merge_sources(*(deep_sources(v) for v in call.bound.values()))
    return Value(ContainerThing("dict", None, tuple(sorted_fields(fields)), is_open=is_open), sources)


def _append(call: LibraryCall) -> Value:
    receiver = call.receiver
    if receiver is not None and isinstance(receiver.thing, ContainerThing):
        value = call.arguments[-1] if call.arguments else UNKNOWN
        thing = receiver.thing
        items = join([v for v in (thing.items, value) if v is not None])
        call.changed["self"] = Value(
            replace(thing, items=items, is_open=True), merge_sources(receiver.sources, value.sources)
        )
    return NONE


def _extend(call: LibraryCall) -> Value:
    receiver, given = call.receiver, materialise(call.frame, first(call), call.line, call.column)
    if receiver is not None and isinstance(receiver.thing, ContainerThing):
        thing, other = receiver.thing, given.thing
        if thing.entries is not None and isinstance(other, ContainerThing) and other.entries is not None:
            entries = (*thing.entries, *other.entries)[: ITEMS_MAX * 20]
            call.changed["self"] = Value(
                replace(thing, entries=entries), merge_sources(receiver.sources, given.sources)
            )
            return NONE
        items = join([v for v in (thing.items, element_of(given)) if v is not None])
        call.changed["self"] = Value(
            replace(thing, items=items, is_open=True), merge_sources(receiver.sources, given.sources)
        )
    return NONE


def _update(call: LibraryCall) -> Value:
    receiver = call.receiver
    if receiver is not None and isinstance(receiver.thing, ContainerThing):
        fields = dict(receiver.thing.fields) | {k: v for k, v in call.keywords.items() if k != OPEN}
        is_open = receiver.thing.is_open or OPEN in call.keywords
        for given in call.arguments[:1]:
            if isinstance(given.thing, ContainerThing) and given.thing.kind == "dict":
                fields |= dict(given.thing.fields)
                is_open = is_open or given.thing.is_open
            else:
                is_open = True
        sources = merge_sources(receiver.sources, *(deep_sources(v) for v in call.bound.values()))
        thing = replace(receiver.thing, fields=tuple(sorted_fields(fields)), is_open=is_open)
        call.changed["self"] = Value(thing, sources)
    return NONE


def _dict_get(call: LibraryCall) -> Value:
    receiver, key = call.receiver or UNKNOWN, first(call)
    held = field(receiver, str(key.constant)) if key.has_constant else None
    if held is not None:
        if call.name.endswith(".pop") and isinstance(receiver.thing, ContainerThing):
            kept = tuple((name, value) for name, value in receiver.thing.fields if name != str(key.constant))
            call.changed["self"] = Value(replace(receiver.thing, fields=kept), receiver.sources)
        return held
    thing = receiver.thing
    # What is taken out must be there, so it was not seen how it came in.
    without = UNKNOWN if call.name.endswith(".pop") else NONE
    default = call.arguments[1] if len(call.arguments) > 1 else without
    if isinstance(thing, ContainerThing) and not thing.is_open and key.has_constant:
        return default
    held_values = [v for _, v in thing.fields] if isinstance(thing, ContainerThing) and not key.has_constant else []
    if isinstance(thing, ContainerThing) and thing.items is not None:
        held_values.append(thing.items)
    return with_sources(join([*held_values, default]) if held_values else unknown(), receiver.sources)


def _setdefault(call: LibraryCall) -> Value:
    """A mapping's value, put there when it is missing."""
    receiver, key = call.receiver or UNKNOWN, first(call)
    if isinstance(receiver.thing, ContainerThing) and isinstance(key.constant, str) and len(call.arguments) > 1:  # noqa: SIM102
        if field(receiver, key.constant) is None:
            call.changed["self"] = with_field(receiver, key.constant, call.arguments[1])
            return call.arguments[1]
    return _dict_get(call)


def _items(call: LibraryCall) -> Value:
    thing = (call.receiver or UNKNOWN).thing
    values = [v for _, v in thing.fields] if isinstance(thing, ContainerThing) else []
    if isinstance(thing, ContainerThing) and thing.items is not None:
        values.append(thing.items)
    sources = (call.receiver or UNKNOWN).sources
    value = with_sources(join(values), sources) if values else unknown(sources)
    if call.signature.action == "values":
        return list_of(value, sources)
    key = key_of(call.receiver or UNKNOWN)
    if call.signature.action == "keys":
        return Value(ContainerThing("list", key), key.sources)
    return list_of(Value(ContainerThing("tuple", entries=(key, value)), sources), sources)


def _zip(call: LibraryCall) -> Value:
    elements = tuple(element_of(materialise(call.frame, v, call.line, call.column)) for v in call.arguments)
    if call.signature.action == "enumerate":
        elements = (UNKNOWN, elements[0] if elements else UNKNOWN)
    sources = merge_sources(*(v.sources for v in call.arguments))
    return list_of(Value(ContainerThing("tuple", entries=elements), sources), sources)


def _range(call: LibraryCall) -> Value:
    bounds = [v.constant for v in call.arguments]
    sources = merge_sources(*(v.sources for v in call.arguments))
    if bounds and all(isinstance(b, int) and not isinstance(b, bool) for b in bounds):
        try:
            numbers = range(*bounds)
        except (TypeError, ValueError):
            return list_of(UNKNOWN, sources)
        if len(numbers) <= ITEMS_MAX:
            return Value(ContainerThing("list", entries=tuple(constant(n) for n in numbers), is_open=False), sources)
    return list_of(unknown(sources), sources)


def _tuple(call: LibraryCall) -> Value:
    return Value(ContainerThing("tuple", entries=tuple(call.arguments)), call.sources)


def _first_item(call: LibraryCall) -> Value:
    value = materialise(call.frame, first(call), call.line, call.column, single=True)
    return element_of(value)


MECHANISMS: dict[str, Mechanism] = {
    "list": _list,
    "look": _look,
    "dict": _dict,
    "append": _append,
    "extend": _extend,
    "update": _update,
    "dict_get": _dict_get,
    "setdefault": _setdefault,
    "items": _items,
    "zip": _zip,
    "range": _range,
    "tuple": _tuple,
    "first_item": _first_item,
}

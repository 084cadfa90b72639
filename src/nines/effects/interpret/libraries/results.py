"""What a library's call returns, as its signature says."""

from __future__ import annotations

from nines.effects.interpret.libraries.arguments import OPEN
from nines.effects.interpret.libraries.call import LibraryCall, connection_of
from nines.effects.interpret.libraries.typed import origin_source, type_origin, typed
from nines.effects.values import (
    NO_SOURCES,
    InstanceThing,
    ObjectThing,
    ScalarThing,
    Sources,
    Value,
    merge_sources,
    sanitised,
    sorted_fields,
    unknown,
)
from nines.model.origin import OriginKind

RESULT = "?.()"
"""Stands for what an undescribed function of a library gives back: nothing is known of it, but whose it is."""


def result(call: LibraryCall, extra: Sources = NO_SOURCES, *, only: bool = False) -> Value:
    """What the signature says that the call returns; `extra` are the sources that an effect adds."""
    signature = call.signature
    sources = NO_SOURCES if signature.drops or only else sanitised(call.sources, signature.sanitises)
    name = next((str(v.constant) for v in call.bound.values() if isinstance(v.constant, str)), "")
    if signature.origin:
        # What is drawn is told apart by where it is drawn.
        name = str(call.line) if signature.origin == OriginKind.CHANCE else name
        sources = (origin_source(signature.origin, name),)
    elif call.receiver is not None:
        sources = merge_sources(type_origin(call.world, call.receiver, name), sources)
    sources = merge_sources(extra, sources)
    text = signature.returns
    site = call.frame.site(call.line, call.column)
    if not text:
        is_type = call.name in call.world.signatures.types or signature.column is not None
        if not is_type:
            if signature.sanitises:
                return Value(ScalarThing(signature.sanitises), sources)
            return unknown(sources)
        text = call.name
    value = typed(call.world, text, call.receiver, call.bound, sources, site)
    return _with_keeps(call, value, text)


def _with_keeps(call: LibraryCall, value: Value, text: str) -> Value:
    """An object remembers what it was made with, or what it is a part of."""
    thing = value.thing
    if not isinstance(thing, ObjectThing) or text in ("self", "element") or text.startswith("@"):
        return value
    site = thing.site
    fields: dict[str, Value] = {}
    items = thing.items
    token = thing.token
    if call.signature.keeps_receiver and call.receiver is not None:
        inner = call.receiver.thing
        site = connection_of(call.world, call.receiver)
        if isinstance(inner, ObjectThing | InstanceThing):
            fields.update(inner.fields)
        if isinstance(inner, ObjectThing):
            token = token or inner.token
            items = items or inner.items
    if text == call.name or call.signature.column is not None or call.signature.mechanism == "keep":
        fields.update({name: held for name, held in call.bound.items() if name != OPEN})
        if OPEN in call.bound:
            fields[OPEN] = call.bound[OPEN]
    kept = tuple(sorted_fields(fields))
    return Value(ObjectThing(thing.type, site, kept, items, thing.query, token), value.sources)

"""Whether a key travels with a call that makes repeating it harmless."""

from __future__ import annotations

from nines.effects.interpret.libraries.arguments import OPEN
from nines.effects.interpret.libraries.call import LibraryCall
from nines.effects.values import ContainerThing, Sources, UnionThing, Value, deep_sources, field, merge_sources
from nines.model.effect import Known

_IS_KEY = "idempoten"
"""Part of the names of headers that carry an idempotency key."""
"""The field under which a client keeps the object that repeats its calls."""


def idempotency(call: LibraryCall) -> Known:
    """Whether a key travels with the call, in its headers or its client's."""
    rule = call.signature.idempotency
    if not rule:
        return Known.UNKNOWN
    if rule.startswith("="):
        if rule[1:] in call.bound:
            return Known.SET
        return Known.UNKNOWN if OPEN in call.bound else Known.MISSING
    sets = [call.bound.get(rule), field(call.receiver, rule) if call.receiver is not None else None]
    sets = [
        headers
        for headers in sets
        if (headers is not None and headers.constant is not None) or (headers is not None and not headers.has_constant)
    ]
    if OPEN in call.bound:
        return Known.UNKNOWN
    verdicts = [_has_key(headers) for headers in sets if headers is not None]
    if Known.SET in verdicts:
        return Known.SET
    return Known.UNKNOWN if Known.UNKNOWN in verdicts else Known.MISSING


def key_sources(call: LibraryCall) -> Sources:
    """Where the key comes from; of several headers, from all that may hold one."""
    rule = call.signature.idempotency
    if rule.startswith("="):
        return deep_sources(call.bound.get(rule[1:]))
    headers = call.bound.get(rule) if rule else None
    held = [each.thing for each in headers.alternatives()] if headers is not None else []
    fields = [pair for thing in held if isinstance(thing, ContainerThing) for pair in thing.fields]
    return merge_sources(*(deep_sources(value) for name, value in fields if _IS_KEY in name.lower()))


def _has_key(headers: Value) -> Known:
    thing = headers.thing
    if isinstance(thing, UnionThing):
        verdicts = {_has_key(each) for each in thing.values if each.constant is not None}
        return verdicts.pop() if len(verdicts) == 1 else Known.UNKNOWN
    if not isinstance(thing, ContainerThing):
        return Known.UNKNOWN
    if any(_IS_KEY in name.lower() for name, _ in thing.fields):
        return Known.SET
    return Known.UNKNOWN if thing.is_open and thing.kind == "dict" else Known.MISSING

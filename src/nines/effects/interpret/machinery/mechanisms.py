"""The stage at which a signature names a piece of machinery."""

from __future__ import annotations

from nines.effects.interpret.libraries.call import LibraryCall
from nines.effects.values import UNKNOWN, Value


def mechanism(call: LibraryCall) -> Value | None:
    """The stage for signatures with `mechanism`."""
    found = call.world.interpreter.mechanisms.get(call.signature.mechanism) if call.signature.mechanism else None
    return found(call) if found is not None else None


def first(call: LibraryCall) -> Value:
    """The first argument, by its place or by the name of the first parameter."""
    if call.arguments:
        return call.arguments[0]
    named = call.bound.get(call.signature.parameters[0]) if call.signature.parameters else None
    return named or next(iter(call.bound.values()), UNKNOWN)

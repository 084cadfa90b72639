"""Answers that turn a caller away without an exception."""

from __future__ import annotations

from nines.effects.values import ContainerThing, Value

_WORDS = ("401", "403", "UNAUTHORIZED", "FORBIDDEN")


def is_refusal(status: Value | None) -> bool:
    """Whether a status, as a number or by a constant's name, says "not you"."""
    if status is None:
        return False
    said = str(status.constant) if status.has_constant else str(getattr(status.thing, "name", ""))
    return any(word in said for word in _WORDS)


def answers_no(value: Value) -> bool:
    """A returned pair of an answer and its status, as Flask takes it."""
    thing = value.thing
    entries = thing.entries or () if isinstance(thing, ContainerThing) and thing.kind == "tuple" else ()
    return len(entries) > 1 and is_refusal(entries[1])

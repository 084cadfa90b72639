"""Comparisons with what an entry point fixes: the method of the request, the action of a view set."""

from __future__ import annotations

from nines.effects.values import ContainerThing, ScalarThing, Value, constant


def folded(left: Value, operator: str, right: Value) -> Value | None:
    """The outcome where one side is fixed and the other constant; None where it is open."""
    if _is_fixed(right) and operator in ("==", "!="):
        left, right = right, left
    if not _is_fixed(left):
        return None
    if operator in ("==", "!=") and isinstance(right.constant, str):
        return constant((left.constant == right.constant) == (operator == "=="))
    thing = right.thing
    if operator not in ("in", "not in") or not isinstance(thing, ContainerThing) or thing.items is not None:
        return None
    entries = thing.entries or ()
    if not entries or not all(isinstance(entry.constant, str) for entry in entries):
        return None
    return constant(any(entry.constant == left.constant for entry in entries) == (operator == "in"))


def _is_fixed(value: Value) -> bool:
    return isinstance(value.thing, ScalarThing) and "fixed" in value.thing.labels and isinstance(value.constant, str)

"""Conditions and columns, as functions make them."""

from __future__ import annotations

from nines.effects.interpret.libraries.arguments import OPEN, REST
from nines.effects.interpret.libraries.call import LibraryCall, Mechanism
from nines.effects.interpret.machinery.mechanisms import first
from nines.effects.interpret.symbols.criteria import column_call, combined
from nines.effects.values import (
    UNKNOWN,
    ColumnThing,
    ContainerThing,
    CriterionThing,
    Value,
    deep_sources,
    merge_sources,
)


def _criterion(call: LibraryCall) -> Value:
    """`and_`, `or_`, `not_`; or a column's method, with its operator in `action`."""
    action = call.signature.action
    if call.receiver is not None and isinstance(call.receiver.thing, ColumnThing):
        sources = merge_sources(*(deep_sources(v) for v in call.bound.values()))
        return column_call(call.receiver.thing, action or "=", sources)
    if action in ("&", "|"):
        return combined([*call.arguments, *_spread(call)], action)
    if action == "lookup":
        named = {n: v for n, v in call.keywords.items() if n != OPEN}
        pairs = tuple((f"?{name}", "=", deep_sources(value)) for name, value in named.items())
        inner = combined(call.arguments, "&") if call.arguments else Value(CriterionThing())
        assert isinstance(inner.thing, CriterionThing)
        sources = merge_sources(*(deep_sources(v) for v in call.bound.values()))
        known = inner.thing.known and OPEN not in call.keywords
        return Value(CriterionThing(inner.thing.predicates + pairs, known), sources)
    return Value(CriterionThing(known=False), call.sources)


def _spread(call: LibraryCall) -> list[Value]:
    """Conditions that stand in a list; one of which nothing is known, where a loop may have added more."""
    rest = call.keywords.get(REST)
    held = [each.thing for each in rest.alternatives()] if rest is not None else []
    lists = [thing for thing in held if isinstance(thing, ContainerThing) and thing.entries is not None]
    is_open = len(lists) < len(held) or any(thing.is_open for thing in lists)
    return [*(entry for thing in lists for entry in thing.entries or ()), *([UNKNOWN] if is_open else [])]


def _column(call: LibraryCall) -> Value:
    """A reference to a column of the row itself: the database computes with it."""
    value = first(call)
    if isinstance(value.thing, ColumnThing):
        return value
    return Value(ColumnThing(None, str(value.constant) if value.has_constant else ""), ())


MECHANISMS: dict[str, Mechanism] = {
    "criterion": _criterion,
    "column": _column,
}

"""Conditions of a query, as they are written with columns of mapped classes."""

from __future__ import annotations

from nines.effects.values import ColumnThing, CriterionThing, InstanceThing, Sources, Value, deep_sources, merge_sources

_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
_WORDS = {"==": "=", "!=": "!=", "is": "=", "is not": "!="}


def column_name(thing: ColumnThing) -> str:
    """The column with its table in front, where that is known."""
    return f"{thing.table}.{thing.column}" if thing.table else thing.column


def compare_criterion(left: Value, operator: str, right: Value) -> Value | None:
    """A comparison that a query builder overloads; None for a plain one."""
    if not isinstance(left.thing, ColumnThing) and isinstance(right.thing, ColumnThing):
        left, right, operator = right, left, _TURNED.get(operator, operator)
    thing = left.thing
    if not isinstance(thing, ColumnThing):
        return None
    column = column_name(thing)
    sources = deep_sources(right)
    if isinstance(right.thing, ColumnThing):
        pair = ((column, "join", ()), (column_name(right.thing), "join", ()))
        return Value(CriterionThing(pair), sources)
    word = _WORDS.get(operator, operator)
    if thing.relation is not None and isinstance(right.thing, InstanceThing):
        column = f"{thing.table}.{thing.column}_id" if thing.table else f"{thing.column}_id"
    return Value(CriterionThing(((column, word, sources),)), sources)


def binary_criterion(left: Value, operator: str, right: Value) -> Value | None:
    """`a & b` and `a | b` of conditions, and arithmetic on a column."""
    if operator in ("&", "|") and (_is_criterion(left) or _is_criterion(right)):
        return combined([left, right], operator)
    if isinstance(left.thing, ColumnThing):
        return Value(left.thing, merge_sources(left.sources, right.sources))
    if isinstance(right.thing, ColumnThing):
        return Value(right.thing, merge_sources(left.sources, right.sources))
    return None


def _is_criterion(value: Value) -> bool:
    return isinstance(value.thing, CriterionThing)


def combined(values: list[Value], operator: str) -> Value:
    """Conditions joined by "&" or "|"; under "|" none of them restricts by itself."""
    predicates: list[tuple[str, str, Sources]] = []
    known = True
    for value in values:
        for each in value.alternatives():
            if isinstance(each.thing, CriterionThing):
                predicates.extend(each.thing.predicates)
                known = known and each.thing.known
            elif isinstance(each.thing, ColumnThing):
                predicates.append((column_name(each.thing), "=", ()))
            else:
                known = False
    if operator == "|" and len(values) > 1:
        predicates = [(column, "or", sources) for column, _, sources in predicates]
    return Value(CriterionThing(tuple(predicates), known), merge_sources(*(v.sources for v in values)))


def negate(value: Value, operator: str) -> Value | None:
    """`~condition` or `not condition`."""
    if operator not in ("~", "not") or not isinstance(value.thing, CriterionThing):
        return None
    thing = value.thing
    predicates = tuple((column, "!=" if word == "=" else f"not {word}", s) for column, word, s in thing.predicates)
    return Value(CriterionThing(predicates, thing.known), value.sources)


def column_call(receiver: ColumnThing, operator: str, sources: Sources) -> Value:
    """A column's method that makes a condition: `in_`, `like`, `is_`."""
    return Value(CriterionThing(((column_name(receiver), operator, sources),)), sources)

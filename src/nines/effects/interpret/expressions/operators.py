"""Operators: arithmetic, text, conditions of queries, comparisons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nines.effects.interpret.expressions.tests import truth
from nines.effects.interpret.libraries.typed import type_origin
from nines.effects.interpret.state.entrances import evaluate
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.symbols.criteria import binary_criterion, compare_criterion, negate
from nines.effects.interpret.symbols.folding import folded
from nines.effects.interpret.symbols.parts import concatenate, merged_dict
from nines.effects.limits import ITEMS_MAX
from nines.effects.nodes import Arm, BranchNode
from nines.effects.values import (
    MISSING,
    ContainerThing,
    ObjectThing,
    TextThing,
    Value,
    calculated,
    constant,
    deep_sources,
    element_of,
    join,
    merge_sources,
    unknown,
    with_sources,
)
from nines.model import code
from nines.model.origin import OriginKind


def binary(frame: Frame, node: code.Binary) -> Value:
    return calculated(_combined(evaluate(frame, node.left), node, evaluate(frame, node.right)))


def _combined(left: Value, node: code.Binary, right: Value) -> Value:  # noqa: PLR0911
    criterion = binary_criterion(left, node.operator, right)
    if criterion is not None:
        return criterion
    if node.operator == "+" and _is_text(left, right):
        return concatenate([left, right])
    if node.operator == "%" and _is_text(left):
        return _formatted(left, right)
    sources = merge_sources(left.sources, deep_sources(right))
    if left.has_constant and right.has_constant:
        return _arithmetic(left.constant, node.operator, right.constant, sources)
    if node.operator == "|" and isinstance(left.thing, ContainerThing) and isinstance(right.thing, ContainerThing):
        return merged_dict(left, right)
    if node.operator == "+" and isinstance(left.thing, ContainerThing):
        return _joined_lists(left, right)
    if node.operator in "+-*/" and isinstance(left.thing, ObjectThing):
        return with_sources(left, sources)
    if isinstance(left.thing, ObjectThing) and left.thing.query is not None:
        return with_sources(left, sources)
    return unknown(sources)


def _is_text(*values: Value) -> bool:
    return any(isinstance(v.constant, str) or isinstance(v.thing, TextThing) for v in values)


def _formatted(left: Value, right: Value) -> Value:
    """`text % values`: the placeholders become unknown parts."""
    text = left.constant if isinstance(left.constant, str) else getattr(left.thing, "skeleton", "")
    for mark in ("%s", "%d", "%r", "%i", "%f"):
        text = text.replace(mark, "\0")
    return Value(TextThing(text), merge_sources(left.sources, deep_sources(right)))


_OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b if abs(a) < 1e12 and abs(b) < 1e12 else MISSING,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
}


def _arithmetic(left: Any, operator: str, right: Any, sources: Any) -> Value:
    plain = (int, float)
    if operator in _OPERATIONS and isinstance(left, plain) and isinstance(right, plain):
        try:
            return Value(sources=sources, constant=_OPERATIONS[operator](left, right))
        except (ArithmeticError, ValueError):
            return unknown(sources)
    return unknown(sources)


def _joined_lists(left: Value, right: Value) -> Value:
    one, two = left.thing, right.thing
    sources = merge_sources(left.sources, right.sources)
    if isinstance(one, ContainerThing) and isinstance(two, ContainerThing):
        entries = None
        if one.entries is not None and two.entries is not None:
            entries = (*one.entries, *two.entries)[: ITEMS_MAX * 20]
        items = [v for v in (one.items, two.items) if v is not None]
        return Value(ContainerThing(one.kind, join(items) if items else None, entries=entries), sources)
    return Value(ContainerThing("list", element_of(left), entries=None), sources)


def compare(frame: Frame, node: code.Compare) -> Value:
    left, right = evaluate(frame, node.left), evaluate(frame, node.right)
    criterion = folded(left, node.operator, right) or compare_criterion(left, node.operator, right)
    if node.operator in ("in", "not in"):
        asked = type_origin(frame.world, right, str(left.constant) if left.has_constant else "")
        if any(source.kind is OriginKind.PRINCIPAL for source in asked):
            frame.facts.add("credential")
            if frame.world.is_nobody:
                return constant(node.operator == "not in")
        right = with_sources(right, asked)
    return criterion if criterion is not None else unknown(merge_sources(left.sources, right.sources))


def boolean(frame: Frame, node: code.Boolean) -> Value:
    """`a or b`: the later operands are evaluated only on one side of a branch."""
    values = [evaluate(frame, node.values[0])]
    for operand in node.values[1:]:
        known = truth(values[-1])
        if known is not None and known == (node.operator == "or"):
            break
        with frame.capture() as nodes:
            values.append(evaluate(frame, operand))
        if nodes:
            place = frame.place(frame.line)
            frame.nodes.append(BranchNode([Arm(nodes), Arm([])], place, sources=values[0].sources, wants=("", "")))
    if node.operator == "or":
        values = [v for v in values if truth(v) is not False] or values[-1:]
    elif len(values) > 1 and truth(values[0]) is True:
        values = values[1:]
    return join(values)


def unary(frame: Frame, node: code.Unary) -> Value:
    value = evaluate(frame, node.value)
    if node.operator == "-" and isinstance(value.constant, int | float):
        return Value(sources=value.sources, constant=-value.constant)
    if node.operator == "not" and truth(value) is not None:
        return constant(not truth(value))
    criterion = negate(value, node.operator)
    return criterion if criterion is not None else unknown(value.sources)

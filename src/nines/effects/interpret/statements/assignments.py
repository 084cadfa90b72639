"""Assignments: plain, declared, and those that add to what was there."""

from __future__ import annotations

from nines.effects.interpret.naming.annotations import annotated, or_none
from nines.effects.interpret.objects.assigning import assign
from nines.effects.interpret.state.entrances import evaluate
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.symbols.criteria import binary_criterion
from nines.effects.interpret.symbols.parts import concatenate
from nines.effects.limits import ITEMS_MAX
from nines.effects.values import (
    ColumnThing,
    ContainerThing,
    Sources,
    TextThing,
    Value,
    calculated,
    element_of,
    join,
    merge_sources,
    unknown,
)
from nines.model import code


def run_assign(frame: Frame, node: code.Assign) -> str:
    frame.line = node.line
    if node.value is None:
        _declare(frame, node)
        return ""
    value = evaluate(frame, node.value)
    if frame.raised:
        return ""
    if node.annotation is not None and (value.is_vague or _is_set_later(node, value)):
        declared = or_none(annotated(frame.world, frame.module, node.annotation, value.sources), node.annotation)
        value = value if declared.is_unknown else declared
    for target in node.targets:
        assign(frame, target, value, node.line)
    return ""


def _is_set_later(node: code.Assign, value: Value) -> bool:
    """An attribute that starts as None is declared with what it will hold when it is used."""
    return value.constant is None and all(isinstance(target, code.Attribute) for target in node.targets)


def _declare(frame: Frame, node: code.Assign) -> None:
    """A bare annotation tells what a name that is already bound holds."""
    for target in node.targets:
        if isinstance(target, code.Name) and node.annotation is not None and target.id in frame.env:
            value = frame.env[target.id]
            if value.is_vague:
                declared = annotated(frame.world, frame.module, node.annotation, value.sources)
                frame.env[target.id] = value if declared.is_unknown else declared


def run_augment(frame: Frame, node: code.Augment) -> str:
    frame.line = node.line
    before, added = evaluate(frame, node.target), evaluate(frame, node.value)
    value = binary_criterion(before, node.operator, added)
    sources = merge_sources(before.sources, added.sources)
    if isinstance(added.thing, ColumnThing):
        value = Value(added.thing, sources)
    if (
        value is None
        and node.operator == "+"
        and (isinstance(before.constant, str) or isinstance(before.thing, TextThing))
    ):
        value = concatenate([before, added])
    if value is None and isinstance(before.thing, ContainerThing):
        value = _longer(before, added, sources)
    if value is None and isinstance(before.thing, ContainerThing):
        items = join([element_of(before), element_of(added)])
        value = Value(ContainerThing(before.thing.kind, items, before.thing.fields), sources)
    assign(frame, node.target, calculated(value if value is not None else unknown(sources)), node.line)
    return ""


def _longer(before: Value, added: Value, sources: Sources) -> Value | None:
    """A list with another one behind it, where the elements of both are told apart."""
    one, two = before.thing, added.thing
    if not isinstance(one, ContainerThing) or not isinstance(two, ContainerThing):
        return None
    if one.entries is None or two.entries is None:
        return None
    entries = (*one.entries, *two.entries)
    if len(entries) > ITEMS_MAX * 20:
        return None
    others = [value for value in (one.items, two.items) if value is not None]
    items = join(others) if others else None
    return Value(ContainerThing(one.kind, items, one.fields, entries, one.is_open or two.is_open), sources)

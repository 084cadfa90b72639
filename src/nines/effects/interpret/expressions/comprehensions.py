"""Comprehensions: their parts are loops around whatever they do."""

from __future__ import annotations

from nines.effects.interpret.expressions.walking import bound_of, note_loop, telling, walk
from nines.effects.interpret.objects.assigning import assign
from nines.effects.interpret.state.entrances import evaluate
from nines.effects.interpret.state.frame import Frame
from nines.effects.nodes import BranchNode, CallNode, Node
from nines.effects.values import NO_SOURCES, ContainerThing, Sources, Value, list_of, merge_sources
from nines.model import code


def comprehension(frame: Frame, node: code.Comprehension) -> Value:
    """A comprehension; its body is a loop around whatever its parts do."""
    frame.line = node.line or frame.line
    outer = dict(frame.env)
    told = _told_apart(frame, node)
    if told is not None:
        frame.env = outer
        return told
    value, sources = _generators(frame, node, list(node.generators))
    frame.env = outer
    if node.kind == "dict":
        return Value(ContainerThing("dict", value), merge_sources(sources, value.sources))
    return list_of(value, telling(sources), "list" if node.kind != "set" else "set")


def _told_apart(frame: Frame, node: code.Comprehension) -> Value | None:
    """A list made from a few constants that stand in the code, its elements kept apart; None for any other."""
    if len(node.generators) != 1 or node.generators[0].conditions or node.kind not in ("list", "generator"):
        return None
    generator = node.generators[0]
    if not isinstance(generator.iterable, code.Name | code.Sequence):
        return None
    with frame.capture() as nodes:
        thing = evaluate(frame, generator.iterable).thing
        if not isinstance(thing, ContainerThing) or thing.items is not None or thing.is_open or not thing.entries:
            return None
        if len(thing.entries) > _APART_MAX or not all(entry.has_constant for entry in thing.entries):
            return None
        made = []
        for entry in thing.entries:
            assign(frame, generator.target, entry, frame.line)
            made.append(evaluate(frame, node.element))
    return (
        None if any(map(_does_something, nodes)) else Value(ContainerThing("list", entries=tuple(made), is_open=False))
    )


_APART_MAX = 12
"""Elements of a comprehension that are evaluated one by one."""


def _does_something(node: Node) -> bool:
    """Whether anything but branches and calls that lead to nothing stands in a tree."""
    if isinstance(node, BranchNode):
        return any(_does_something(inner) for arm in node.arms for inner in arm.nodes)
    if isinstance(node, CallNode):
        return any(map(_does_something, node.nodes))
    return True


def _generators(frame: Frame, node: code.Comprehension, left: list[code.Generator]) -> tuple[Value, Sources]:
    if not left:
        if node.key is not None:
            evaluate(frame, node.key)
        return evaluate(frame, node.element), NO_SOURCES
    generator = left[0]
    line = node.line or frame.line
    iterable = evaluate(frame, generator.iterable)
    element, sources = walk(frame, iterable, line, node.column)
    with frame.capture() as nodes:
        assign(frame, generator.target, element, line)
        for condition in generator.conditions:
            evaluate(frame, condition)
        value, inner = _generators(frame, node, left[1:])
    note_loop(frame, nodes, frame.place(line, node.column), sources, bound_of(iterable))
    return value, merge_sources(sources, inner)

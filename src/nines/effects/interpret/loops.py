"""Loops and comprehensions: their bodies once, noted as repeated."""

from __future__ import annotations

from nines.effects.interpret.assigning import assign
from nines.effects.interpret.entrances import attribute, call, evaluate, run_block
from nines.effects.interpret.fetching import materialise
from nines.effects.interpret.frame import Frame
from nines.effects.nodes import BranchNode, CallNode, ContextNode, LoopNode, Node, RetryDraft
from nines.effects.values import (
    NO_SOURCES,
    ContainerThing,
    InstanceThing,
    ObjectThing,
    Sources,
    Value,
    element_of,
    join,
    list_of,
    merge_sources,
)
from nines.model import code
from nines.model.effect import Known
from nines.model.origin import OriginKind
from nines.model.place import Place


def _bound(value: Value) -> int | None:
    """How many elements there are at most, when all of them are known."""
    thing = value.thing
    if isinstance(thing, ContainerThing) and thing.entries is not None and thing.items is None and not thing.is_open:
        return len(thing.entries)
    return None


def _walk(frame: Frame, iterable: Value, line: int, column: int = 1) -> tuple[Value, Sources]:
    """One element of what is walked, and the sources that decide how often."""
    thing = iterable.thing
    if isinstance(thing, InstanceThing) and not thing.row:
        method = frame.world.linked.find_method(thing.info, "__iter__") or frame.world.linked.find_method(
            thing.info, "__aiter__"
        )
        if method is not None:
            bound = attribute(frame, iterable, method.short, line, column)
            iterable = call(frame, bound, [], {}, line, column)
    value = materialise(frame, iterable, line, column)
    if isinstance(value.thing, ObjectThing) and value.thing.query is not None:
        value = materialise(frame, iterable, line, column, awaited=True)
    if isinstance(value.thing, ObjectThing) and value.thing.items is None:
        items = frame.world.signatures.trait(value.thing.type, "items")
        if isinstance(items, str):
            return Value(ObjectThing(items), value.sources), value.sources
    return element_of(value), value.sources


def run_for(frame: Frame, node: code.For) -> str:
    """A `for` statement."""
    frame.line = node.line
    iterable = evaluate(frame, node.iterable)
    element, sources = _walk(frame, iterable, node.line)
    before = dict(frame.env)
    _forget_constants(frame, node.body)
    with frame.capture() as nodes:
        assign(frame, node.target, element, node.line)
        ends = run_block(frame, node.body)
    nodes = _retried(frame, node, nodes, _bound(iterable), counts=_counts(node.iterable))
    _close(frame, nodes, frame.place(node.line), sources, _bound(iterable))
    frame.env = joined(before, frame.env)
    if node.otherwise:
        return run_block(frame, node.otherwise)
    del ends
    return ""


def _counts(iterable: code.Expression) -> bool:
    """Whether a loop only counts its rounds: `range(3)`, `count()`."""
    if not isinstance(iterable, code.Call):
        return False
    return getattr(iterable.function, "id", getattr(iterable.function, "name", "")) in ("range", "count")


def _retried(
    frame: Frame, node: code.For | code.While, nodes: list[Node], bound: int | None, *, counts: bool
) -> list[Node]:
    """A loop that leaves when it succeeded and goes round again when it failed is a retry."""
    if not counts or not nodes or not any(_tries_again(statement) for statement in node.body):
        return nodes
    known = Known.SET if bound is not None else Known.UNKNOWN
    draft = RetryDraft(frame.place(node.line), bound, known, source="a loop that tries again")
    return [ContextNode(nodes, retry=draft)]


def _tries_again(statement: code.Statement) -> bool:
    if not isinstance(statement, code.Try) or not statement.handlers:
        return False
    last = (*statement.body, *statement.otherwise)[-1:]
    leaves = bool(last) and (
        isinstance(last[0], code.Return) or (isinstance(last[0], code.Jump) and last[0].kind == "break")
    )
    stays = [h for h in statement.handlers if not h.body or not isinstance(h.body[-1], code.Raise | code.Return)]
    return leaves and bool(stays)


def _close(frame: Frame, nodes: list[Node], place: Place, sources: Sources, bound: int | None) -> None:
    if nodes:
        frame.nodes.append(LoopNode(nodes, place, telling(sources), bound))


def telling(sources: Sources) -> Sources:
    return tuple(source for source in sources if source.kind is not OriginKind.CONSTANT)


def run_while(frame: Frame, node: code.While) -> str:
    """A `while` statement."""
    frame.line = node.line
    before = dict(frame.env)
    _forget_constants(frame, node.body)
    with frame.capture() as nodes:
        test = evaluate(frame, node.test)
        run_block(frame, node.body)
    nodes = _retried(frame, node, nodes, None, counts=True)
    _close(frame, nodes, frame.place(node.line), test.sources, None)
    frame.env = joined(before, frame.env)
    return run_block(frame, node.otherwise) if node.otherwise else ""


def _forget_constants(frame: Frame, body: tuple[code.Statement, ...]) -> None:
    """What a loop assigns is not constant inside it."""
    for name in assigned_names(body):
        value = frame.env.get(name)
        if value is not None and value.has_constant:
            frame.env[name] = Value(sources=telling(value.sources))


def assigned_names(body: tuple[code.Statement, ...]) -> set[str]:
    """The names that a block assigns, nested blocks included."""
    found: set[str] = set()
    for statement in body:
        if isinstance(statement, code.Assign):
            found.update(name for target in statement.targets for name in _names(target))
        elif isinstance(statement, code.Augment):
            found.update(_names(statement.target))
        elif isinstance(statement, code.If):
            found |= assigned_names(statement.then) | assigned_names(statement.otherwise)
        elif isinstance(statement, code.For | code.While | code.With):
            found |= assigned_names(statement.body)
        elif isinstance(statement, code.Try):
            found |= assigned_names(statement.body)
            for handler in statement.handlers:
                found |= assigned_names(handler.body)
    return found


def _names(target: code.Expression) -> list[str]:
    if isinstance(target, code.Name):
        return [target.id]
    if isinstance(target, code.Sequence):
        return [name for item in target.items for name in _names(item)]
    return []


def joined(one: dict[str, Value], two: dict[str, Value]) -> dict[str, Value]:
    """The names after either of two ways."""
    merged = dict(two)
    for name, value in one.items():
        other = merged.get(name)
        if other is None:
            merged[name] = value
        elif other is not value and other != value:
            merged[name] = join([value, other])
    return merged


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
        None if any(map(does_something, nodes)) else Value(ContainerThing("list", entries=tuple(made), is_open=False))
    )


_APART_MAX = 12
"""Elements of a comprehension that are evaluated one by one."""


def does_something(node: Node) -> bool:
    """Whether anything but branches and calls that lead to nothing stands in a tree."""
    if isinstance(node, BranchNode):
        return any(does_something(inner) for arm in node.arms for inner in arm.nodes)
    if isinstance(node, CallNode):
        return any(map(does_something, node.nodes))
    return True


def _generators(frame: Frame, node: code.Comprehension, left: list[code.Generator]) -> tuple[Value, Sources]:
    if not left:
        if node.key is not None:
            evaluate(frame, node.key)
        return evaluate(frame, node.element), NO_SOURCES
    generator = left[0]
    line = node.line or frame.line
    iterable = evaluate(frame, generator.iterable)
    element, sources = _walk(frame, iterable, line, node.column)
    with frame.capture() as nodes:
        assign(frame, generator.target, element, line)
        for condition in generator.conditions:
            evaluate(frame, condition)
        value, inner = _generators(frame, node, left[1:])
    _close(frame, nodes, frame.place(line, node.column), sources, _bound(iterable))
    return value, merge_sources(sources, inner)

"""Interprets a project function once per kind of arguments, and calls it by that summary ever after."""

from __future__ import annotations

from typing import Any

from nines.effects.interpret.calling.anew import made_anew
from nines.effects.interpret.calling.late import bind_late
from nines.effects.interpret.state.entrances import run_block
from nines.effects.interpret.state.frame import Frame, WorkLimit
from nines.effects.interpret.state.records import Summary
from nines.effects.interpret.state.standing import NEVER
from nines.effects.interpret.state.world import World
from nines.effects.interpret.symbols.rewrite import Returns, Rewriter, Slots
from nines.effects.limits import CALL_DEPTH_MAX, CONTEXTS_PER_FUNCTION_MAX, SAME_FUNCTION_MAX
from nines.effects.link import ClassInfo, FunctionInfo
from nines.effects.nodes import BlindNode, CallNode, Node
from nines.effects.values import UNKNOWN, InstanceThing, ObjectThing, Value, join, list_of

Environment = dict[str, Value]


class Activation:
    """One call: the summary it uses, and how the summary's names read at the caller."""

    __slots__ = ("exports", "info", "result", "slots", "summary")

    def __init__(self, info: FunctionInfo, summary: Summary, slots: Slots, frame: Frame) -> None:
        self.info = info
        self.summary = summary
        self.slots = slots
        self.exports = Returns(slots, frame.world.fresh)
        self.result = Rewriter(self.exports.source, self.exports.token)

    def node(self, frame: Frame, line: int, column: int, hole: list[Node] | None = None) -> CallNode:
        summary = self.summary
        return CallNode(
            self.info.qualified,
            frame.place(line, column),
            summary.nodes,
            self.slots.sources,
            self.slots.tokens,
            self.exports.exports,
            hole,
        )


def activate(
    frame: Frame, info: FunctionInfo, env: Environment, closure: Environment | None = None, cls: ClassInfo | None = None
) -> Activation:
    """Finds or makes the summary of a function for these arguments."""
    world = frame.world
    slots = Slots()
    forgets = world.contexts.get(info, 0) >= CONTEXTS_PER_FUNCTION_MAX and not world.is_booting
    rewriter = Rewriter(slots.source, slots.token, forgets=forgets)
    inner = {name: rewriter.value(value) for name, value in env.items()}
    around = {name: rewriter.value(value) for name, value in (closure or {}).items()}
    key = (info, cls, tuple(inner.items()), tuple(around.items()))
    if forgets:
        # Where its contexts ran out depends on what this entry point did before.
        world.standing.look(0, 0)
    summary = _known(world, key) or _interpret(frame, info, inner, around, key)
    frame.facts.update(summary.facts)
    return Activation(info, summary, slots, frame)


def _known(world: World, key: Any) -> Summary | None:
    """The summary for this key, or for this key and the request's method, if it holds here."""
    for table in (world.passing, world.summaries):
        summary = table.get(key)
        if summary is not None and world.adopt(summary):
            return summary
        summary = table.get((key, world.method))
        if summary is not None and world.adopt(summary):
            world.method_reads += 1
            return summary
    return None


def _interpret(frame: Frame, info: FunctionInfo, env: Environment, closure: Environment, key: Any) -> Summary:
    world = frame.world
    if _is_cut(world, info, key):
        return _cut(world, info, key)
    world.note(info)
    standing = world.standing
    outer = (world.below, world.active, world.calls, world.unresolved)
    saved = standing.begin(key)
    world.below, world.calls, world.unresolved = [], 0, 0
    world.stack.append(info)
    world.levels.append(standing.level)
    world.active |= world.bit(info)
    inner = Frame(world, info.module, info)
    inner.env.update(env)
    inner.closure.update(closure)
    reads = world.method_reads
    summary = Summary()
    try:
        summary = _run(inner, info)
        _account(world, summary, inner)
        standing.look(0, _outermost(world, summary.functions & outer[1]))
    finally:
        world.stack.pop()
        world.levels.pop()
        summary.touched, summary.lowest = standing.end(key, saved)
        world.calls_below += world.calls
        world.unresolved_below += world.unresolved
        world.below, world.active, world.calls, world.unresolved = outer
    world.below.append(summary)
    # What asks for the request's method holds for this method alone.
    name = key if world.method_reads == reads else (key, world.method)
    table = world.summaries if summary.lowest == NEVER else world.passing
    earlier = world.summaries.get(name)
    summary.number = earlier.number if earlier is not None and summary.lowest == NEVER else world.fresh()
    world.adopted[summary.number] = summary
    table[name] = summary
    standing.passes(table, name, name, summary.lowest)
    return summary


def _is_cut(world: World, info: FunctionInfo, key: Any) -> bool:
    stack = world.stack
    return len(stack) >= CALL_DEPTH_MAX or stack.count(info) >= SAME_FUNCTION_MAX or key in world.standing.evaluating


def _cut(world: World, info: FunctionInfo, key: Any) -> Summary:
    """What stands for a call that leads too deep, or in a circle."""
    standing = world.standing
    if key in standing.evaluating:
        standing.cut(key)
    if len(world.stack) >= CALL_DEPTH_MAX:
        standing.look(0, 0)
    elif info in world.stack:
        standing.look(0, world.levels[world.stack.index(info)])
    reason = "recursion cut" if info in world.stack else "calls nested too deeply"
    return Summary(nodes=[BlindNode(reason, info.qualified, info.place)], is_cut=True)


def _account(world: World, summary: Summary, inner: Frame) -> None:
    """Notes what interpreting the function cost, and what it called."""
    info = inner.info
    assert info is not None
    summary.info, summary.work, summary.inner = info, inner.work, world.below
    summary.calls, summary.unresolved = world.calls, world.unresolved
    summary.functions = world.bit(info)
    for each in world.below:
        summary.functions |= each.functions
        summary.height = max(summary.height, each.height + 1)


def _outermost(world: World, functions: int) -> int:
    """The outermost level of the stack at which one of these functions stands."""
    if functions:
        for info, level in zip(world.stack, world.levels, strict=True):
            if world.bit(info) & functions:
                return level
    return NEVER


def _run(frame: Frame, info: FunctionInfo) -> Summary:
    before = dict(frame.env)
    summary = Summary()
    routes = len(frame.world.routes)
    try:
        ends = run_block(frame, info.body)
    except WorkLimit:
        frame.blind("function too long to be read to its end", info.qualified, info.node.line)
        ends = ""
    bind_late(frame, routes)
    summary.nodes = frame.nodes
    summary.has_hole = frame.has_hole
    summary.facts = frozenset(frame.facts)
    summary.yielded = join(frame.yields) if frame.yields else UNKNOWN
    if info.node.is_generator:
        summary.value = list_of(summary.yielded, kind="generator")
    elif frame.returns:
        summary.value = join(frame.returns)
    elif ends != "raise":
        summary.value = UNKNOWN
    if ends == "raise" and not frame.returns:
        summary.ends = "raise"
    for name, value in frame.env.items():
        if name in before and value is not before[name] and _is_changed(before[name], value):
            summary.after[name] = value
    return summary


def _is_changed(before: Value, after: Value) -> bool:
    """Whether an argument's object was changed in place, so that the caller sees it."""
    one, two = before.thing, after.thing
    if isinstance(one, InstanceThing) and isinstance(two, InstanceThing):
        return one.info is two.info and before != after
    return isinstance(one, ObjectThing) and isinstance(two, ObjectThing) and before != after


def call_function(  # noqa: PLR0917
    frame: Frame,
    info: FunctionInfo,
    env: Environment,
    line: int,
    column: int,
    closure: Environment | None = None,
) -> tuple[Value, dict[str, Value]]:
    """Calls a project function; gives its value and the arguments that it changed in place."""
    activation = activate(frame, info, env, closure)
    summary = activation.summary
    value = made_anew(frame, activation.result.value(summary.value), line, column)
    after = {name: activation.result.value(changed) for name, changed in summary.after.items()}
    if summary.nodes:
        frame.nodes.append(activation.node(frame, line, column))
    if summary.ends == "raise":
        frame.raised = True
    return value, after

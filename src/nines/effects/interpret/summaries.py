"""Interprets a project function once per kind of arguments, and calls it by that summary ever after."""

from __future__ import annotations

from typing import Any

from nines.effects.interpret.evaluate import run_block
from nines.effects.interpret.frame import Frame, WorkLimit
from nines.effects.interpret.rewrite import Returns, Rewriter, Slots
from nines.effects.interpret.world import Summary
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
    summary = world.summaries.get(key)
    if summary is None:
        summary = world.summaries.get((key, world.method))
        world.method_reads += summary is not None
    if summary is None:
        summary = _interpret(frame, info, inner, around, key)
    frame.facts.update(summary.facts)
    return Activation(info, summary, slots, frame)


def _interpret(frame: Frame, info: FunctionInfo, env: Environment, closure: Environment, key: Any) -> Summary:
    world = frame.world
    if len(world.stack) >= CALL_DEPTH_MAX or world.stack.count(info) >= SAME_FUNCTION_MAX or key in world.evaluating:
        reason = "recursion cut" if info in world.stack else "calls nested too deeply"
        return Summary(nodes=[BlindNode(reason, info.qualified, info.place)], is_cut=True)
    world.contexts[info] = world.contexts.get(info, 0) + 1
    world.stack.append(info)
    world.evaluating.add(key)
    inner = Frame(world, info.module, info)
    inner.env.update(env)
    inner.closure.update(closure)
    reads = world.method_reads
    try:
        summary = _run(inner, info)
    finally:
        world.stack.pop()
        world.evaluating.discard(key)
    # What asks for the request's method holds for this method alone.
    world.summaries[key if world.method_reads == reads else (key, world.method)] = summary
    return summary


def _run(frame: Frame, info: FunctionInfo) -> Summary:
    before = dict(frame.env)
    summary = Summary()
    try:
        ends = run_block(frame, info.body)
    except WorkLimit:
        frame.blind("function too long to be read to its end", info.qualified, info.node.line)
        ends = ""
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
    value = activation.result.value(summary.value)
    after = {name: activation.result.value(changed) for name, changed in summary.after.items()}
    if summary.nodes:
        frame.nodes.append(activation.node(frame, line, column))
    if summary.ends == "raise":
        frame.raised = True
    return value, after

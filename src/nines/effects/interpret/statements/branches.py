"""`if` and `match`: each arm on its own, with what it learned from the test."""

from __future__ import annotations

from nines.effects.interpret.expressions.conditions import branch, decided, note_checks
from nines.effects.interpret.expressions.tests import narrowed
from nines.effects.interpret.state.entrances import evaluate, run_block
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.symbols.environments import joined
from nines.effects.interpret.symbols.text import written
from nines.effects.nodes import Arm, BranchNode, Node
from nines.effects.values import Value, deep_sources, merge_sources
from nines.model import code


def run_if(frame: Frame, node: code.If) -> str:
    """An `if` statement."""
    frame.line = node.line
    value = evaluate(frame, node.test)
    if frame.raised:
        return ""
    certain = decided(frame, node.test, value)
    if certain is not None:
        narrowed(frame, node.test, certain)
        return run_block(frame, node.then if certain else node.otherwise)
    before = dict(frame.env)
    narrowed(frame, node.test, True)
    with frame.capture() as then_nodes:
        then_ends = run_block(frame, node.then)
    then_env, frame.env = frame.env, before
    narrowed(frame, node.test, False)
    with frame.capture() as else_nodes:
        else_ends = run_block(frame, node.otherwise)
    leaves = then_ends in ("raise", "return") or else_ends in ("raise", "return")
    if leaves:
        note_checks(frame, node.test, value)
    arms = [Arm(then_nodes, then_ends), Arm(else_nodes, else_ends)]
    if any(arm.nodes or arm.ends for arm in arms):
        frame.nodes.append(branch(frame, node.test, value, arms, node.line))
    if then_ends and not else_ends:
        return ""
    if else_ends and not then_ends:
        frame.env = then_env
        return ""
    frame.env = joined(then_env, frame.env)
    if then_ends and else_ends:
        return then_ends if then_ends == else_ends else "return" if "return" in (then_ends, else_ends) else then_ends
    return ""


def run_match(frame: Frame, node: code.Match) -> str:
    """A `match` statement: its cases are the arms of one branch."""
    frame.line = node.line
    subject = evaluate(frame, node.subject)
    before = dict(frame.env)
    arms: list[Arm] = []
    environments: list[dict[str, Value]] = []
    for arm in node.arms:
        frame.env = dict(before)
        with frame.capture() as nodes:
            for test in arm.tests:
                evaluate(frame, test)
            for name in arm.binds:
                frame.env[name] = Value(subject.thing, subject.sources)
            if arm.guard is not None:
                evaluate(frame, arm.guard)
            ends = run_block(frame, arm.body)
        arms.append(Arm(nodes, ends))
        if not ends:
            environments.append(frame.env)
    arms.append(Arm([]))
    sources = merge_sources(deep_sources(subject))
    if any(arm.nodes or arm.ends for arm in arms):
        kept: list[Node] = frame.nodes
        kept.append(BranchNode(arms, frame.place(node.line), written(node.subject), sources, ("",) * len(arms)))
    frame.env = before
    for env in environments:
        frame.env = joined(frame.env, env)
    return ""

"""Who runs which kind of statement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nines.effects.interpret.expressions.conditions import branch, note_checks
from nines.effects.interpret.expressions.tests import narrowed
from nines.effects.interpret.state.entrances import evaluate
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.statements.assignments import run_assign, run_augment
from nines.effects.interpret.statements.branches import run_if, run_match
from nines.effects.interpret.statements.contexts import run_with
from nines.effects.interpret.statements.definitions import bind_imports, define_class, define_function
from nines.effects.interpret.statements.loops import run_for, run_while
from nines.effects.interpret.statements.trying import run_try
from nines.effects.interpret.symbols.refusing import answers_no, denies
from nines.effects.nodes import Arm
from nines.model import code


def _evaluate(frame: Frame, node: code.Evaluate) -> str:
    frame.line = node.line
    evaluate(frame, node.value)
    return ""


def _return(frame: Frame, node: code.Return) -> str:
    frame.line = node.line
    if node.value is not None:
        value = evaluate(frame, node.value)
        if frame.raised:
            return ""
        frame.returns.append(value)
        if answers_no(value):
            frame.facts.update(("refuses", "denies"))
    return "return"


def _raise(frame: Frame, node: code.Raise) -> str:
    frame.line = node.line
    frame.facts.add("refuses")
    if node.error is not None:
        evaluate(frame, node.error)
        frame.raised = False
        frame.facts.update(("denies",) if denies(node.error) else ())
    return "raise"


def _assert(frame: Frame, node: code.Assert) -> str:
    frame.line = node.line
    value = evaluate(frame, node.test)
    note_checks(frame, node.test, value)
    narrowed(frame, node.test, True)
    frame.nodes.append(branch(frame, node.test, value, [Arm([]), Arm([], "raise")], node.line))
    return ""


def _delete(_frame: Frame, _node: code.Delete) -> str:
    return ""


def _jump(_frame: Frame, node: code.Jump) -> str:
    return node.kind


def _outer(_frame: Frame, _node: code.Outer) -> str:
    return ""


EXECUTORS: dict[type, Callable[[Frame, Any], str]] = {
    code.Evaluate: _evaluate,
    code.Assign: run_assign,
    code.Augment: run_augment,
    code.Return: _return,
    code.Raise: _raise,
    code.If: run_if,
    code.Match: run_match,
    code.For: run_for,
    code.While: run_while,
    code.With: run_with,
    code.Try: run_try,
    code.Assert: _assert,
    code.Delete: _delete,
    code.Jump: _jump,
    code.Outer: _outer,
    code.Import: bind_imports,
    code.Function: define_function,
    code.Class: define_class,
}

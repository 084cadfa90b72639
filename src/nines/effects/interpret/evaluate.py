"""The two entrances of the interpreter: an expression to its value, a block to how it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from nines.effects.interpret.frame import Frame
from nines.effects.values import Value
from nines.model.code import Expression, Statement

EVALUATORS: dict[type, Callable[[Frame, Any], Value]] = {}
EXECUTORS: dict[type, Callable[[Frame, Any], str]] = {}


def evaluate(frame: Frame, expression: Expression) -> Value:
    """The symbolic value of an expression; what it does is added to the frame."""
    frame.spend()
    return EVALUATORS[type(expression)](frame, expression)


def run_block(frame: Frame, statements: Iterable[Statement]) -> str:
    """Runs statements until one leaves; says how: "", return, raise, break or continue."""
    for statement in statements:
        frame.spend()
        ends = EXECUTORS[type(statement)](frame, statement)
        if frame.raised:
            frame.raised = False
            return "raise"
        if ends:
            return ends
    return ""

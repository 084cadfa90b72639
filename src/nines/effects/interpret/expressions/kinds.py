"""Who evaluates which kind of expression."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nines.effects.interpret.expressions.comprehensions import comprehension
from nines.effects.interpret.expressions.conditions import conditional
from nines.effects.interpret.expressions.invoke import call_expression
from nines.effects.interpret.expressions.items import subscript
from nines.effects.interpret.expressions.literals import constant_value, lambda_value, mapping, sequence, template
from nines.effects.interpret.expressions.names import attribute_of, name_value
from nines.effects.interpret.expressions.operators import binary, boolean, compare, unary
from nines.effects.interpret.expressions.waiting import await_value, yield_value
from nines.effects.interpret.objects.assigning import assign
from nines.effects.interpret.state.entrances import evaluate
from nines.effects.interpret.state.frame import Frame
from nines.effects.values import UNKNOWN, Value
from nines.model import code


def _spread(frame: Frame, node: code.Spread) -> Value:
    return evaluate(frame, node.value)


def _walrus(frame: Frame, node: code.Walrus) -> Value:
    value = evaluate(frame, node.value)
    assign(frame, node.target, value, frame.line)
    return value


def _slice(frame: Frame, node: code.Slice) -> Value:
    for bound in (node.lower, node.upper):
        if bound is not None:
            evaluate(frame, bound)
    return UNKNOWN


def _opaque(_frame: Frame, _node: code.Opaque) -> Value:
    return UNKNOWN


EVALUATORS: dict[type, Callable[[Frame, Any], Value]] = {
    code.Name: name_value,
    code.Constant: constant_value,
    code.Template: template,
    code.Attribute: attribute_of,
    code.Call: call_expression,
    code.Binary: binary,
    code.Compare: compare,
    code.Boolean: boolean,
    code.Unary: unary,
    code.Subscript: subscript,
    code.Slice: _slice,
    code.Sequence: sequence,
    code.Mapping: mapping,
    code.Lambda: lambda_value,
    code.Comprehension: comprehension,
    code.Conditional: conditional,
    code.Await: await_value,
    code.Yield: yield_value,
    code.Spread: _spread,
    code.Walrus: _walrus,
    code.Opaque: _opaque,
}

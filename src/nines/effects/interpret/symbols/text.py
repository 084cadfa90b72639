"""Expressions as text again, shortened, for people."""

from __future__ import annotations

from nines.model import code

_LENGTH = 80


def written(node: code.Expression) -> str:
    """Roughly how the expression was written."""
    text = _text(node, 4)
    return text if len(text) <= _LENGTH else text[: _LENGTH - 1] + "…"


def _text(node: code.Expression, depth: int) -> str:  # noqa: PLR0911
    if depth == 0:
        return "…"
    match node:
        case code.Name(id=name):
            return name
        case code.Constant(value=value):
            return repr(value)
        case code.Attribute(value=value, name=name):
            return f"{_text(value, depth)}.{name}"
        case code.Call(function=function, arguments=arguments):
            inner = ", ".join(_text(argument, depth - 1) for argument in arguments[:3])
            return f"{_text(function, depth)}({inner})"
        case code.Compare(left=left, operator=operator, right=right):
            return f"{_text(left, depth - 1)} {operator} {_text(right, depth - 1)}"
        case code.Boolean(operator=operator, values=values):
            return f" {operator} ".join(_text(value, depth - 1) for value in values)
        case code.Unary(operator=operator, value=value):
            return f"{operator} {_text(value, depth - 1)}" if operator == "not" else f"{operator}{_text(value, depth)}"
        case code.Await(value=value):
            return f"await {_text(value, depth)}"
        case code.Subscript(value=value, key=key):
            return f"{_text(value, depth - 1)}[{_text(key, depth - 1)}]"
        case code.Walrus(target=target, value=value):
            return f"{_text(target, depth)} := {_text(value, depth)}"
        case _:
            return "…"

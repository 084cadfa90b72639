"""Lowers the patterns of `match`."""

from __future__ import annotations

import ast

from nines.model.code import Constant, Expression
from nines.readers.python.expressions import Lower


def pattern(node: ast.pattern, lower: dict[type[ast.AST], Lower], tests: list[Expression], binds: list[str]) -> None:
    """Adds to `tests` what the pattern compares with, and to `binds` the names that it gives values to."""
    if isinstance(node, ast.MatchValue):
        tests.append(lower[type(node.value)](node.value))
    elif isinstance(node, ast.MatchSingleton):
        tests.append(Constant(node.value))
    elif isinstance(node, ast.MatchStar):
        _bind(node.name, binds)
    elif isinstance(node, ast.MatchAs):
        if node.pattern is not None:
            pattern(node.pattern, lower, tests, binds)
        _bind(node.name, binds)
    elif isinstance(node, ast.MatchMapping):
        tests.extend(lower[type(key)](key) for key in node.keys)
        for part in node.patterns:
            pattern(part, lower, tests, binds)
        _bind(node.rest, binds)
    elif isinstance(node, ast.MatchClass):
        tests.append(lower[type(node.cls)](node.cls))
        for part in [*node.patterns, *node.kwd_patterns]:
            pattern(part, lower, tests, binds)
    elif isinstance(node, ast.MatchSequence | ast.MatchOr):
        for part in node.patterns:
            pattern(part, lower, tests, binds)


def _bind(name: str | None, binds: list[str]) -> None:
    if name is not None and name not in binds:
        binds.append(name)

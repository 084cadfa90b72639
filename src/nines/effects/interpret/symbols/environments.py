"""The names of a function: what a block assigns, and what they hold after either of two ways."""

from __future__ import annotations

from nines.effects.values import Value, join
from nines.model import code


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

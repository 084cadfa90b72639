"""Walks over facts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from nines.model.code import Class, For, Function, If, Module, Node, Statement, Try, While, With, unpack


def nodes_of(start: Any) -> Iterator[Node]:
    """Every node below, the start included, in no particular order; a function's body stays packed."""
    pending = [start]
    while pending:
        item = pending.pop()
        if isinstance(item, tuple):
            pending.extend(item)
        elif isinstance(item, Node):
            yield item
            pending.extend(value for value in msgspec.structs.astuple(item) if isinstance(value, tuple | Node))


def statements_of(body: tuple[Statement, ...]) -> Iterator[Statement]:
    """The statements that run in one scope, those in its blocks included, in the order of the source."""
    for statement in body:
        yield statement
        if isinstance(statement, If | For | While):
            yield from statements_of(statement.body if not isinstance(statement, If) else statement.then)
            yield from statements_of(statement.otherwise)
        elif isinstance(statement, With):
            yield from statements_of(statement.body)
        elif isinstance(statement, Try):
            yield from statements_of(statement.body)
            for handler in statement.handlers:
                yield from statements_of(handler.body)
            yield from statements_of(statement.otherwise)
            yield from statements_of(statement.final)


def functions_of(module: Module) -> Iterator[tuple[Function, tuple[Statement, ...]]]:
    """Every function of a module with its statements, methods and inner functions included."""
    pending: list[tuple[Statement, ...]] = [module.body]
    while pending:
        for statement in statements_of(pending.pop()):
            if isinstance(statement, Function):
                body = unpack(statement)
                yield statement, body
                pending.append(body)
            elif isinstance(statement, Class):
                pending.append(statement.body)

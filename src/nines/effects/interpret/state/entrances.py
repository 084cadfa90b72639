"""The entrances of the interpreter: expressions, blocks, calls, attributes, and the tables of classes."""

from __future__ import annotations

from collections.abc import Iterable

from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.state.world import World
from nines.effects.link import ClassInfo
from nines.effects.mapped import Mapped
from nines.effects.values import Value
from nines.model.code import Expression, Statement


def evaluate(frame: Frame, expression: Expression) -> Value:
    """The symbolic value of an expression; what it does is added to the frame."""
    frame.spend()
    return frame.world.interpreter.evaluators[type(expression)](frame, expression)


def run_block(frame: Frame, statements: Iterable[Statement]) -> str:
    """Runs statements until one leaves; says how: "", return, raise, break or continue."""
    executors = frame.world.interpreter.executors
    for statement in statements:
        frame.spend()
        ends = executors[type(statement)](frame, statement)
        if frame.raised:
            frame.raised = False
            return "raise"
        if ends:
            return ends
    return ""


def call(  # noqa: PLR0917
    frame: Frame,
    callee: Value,
    arguments: list[Value],
    keywords: dict[str, Value],
    line: int,
    column: int = 1,
    changed: dict[str, Value] | None = None,
) -> Value:
    """The value of a call; `changed` collects the receiver ("self") and the arguments that were changed in place."""
    return frame.world.interpreter.call(
        frame, callee, arguments, keywords, line, column, {} if changed is None else changed
    )


def attribute(frame: Frame, receiver: Value, name: str, line: int, column: int = 1) -> Value:
    """The value of an attribute; reading it may call a property or load a relation."""
    return frame.world.interpreter.attribute(frame, receiver, name, line, column)


def table_of(world: World, info: ClassInfo) -> Mapped | None:
    """The table behind another class, while a table's own columns are read."""
    return world.interpreter.table(world, info)

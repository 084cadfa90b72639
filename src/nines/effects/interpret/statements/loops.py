"""`for` and `while`: their bodies once, noted as repeated."""

from __future__ import annotations

from nines.effects.interpret.expressions.walking import bound_of, note_loop, telling, walk
from nines.effects.interpret.objects.assigning import assign
from nines.effects.interpret.state.entrances import evaluate, run_block
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.symbols.environments import assigned_names, joined
from nines.effects.nodes import ContextNode, Node, RetryDraft
from nines.effects.values import Value
from nines.model import code
from nines.model.effect import Known


def run_for(frame: Frame, node: code.For) -> str:
    """A `for` statement."""
    frame.line = node.line
    iterable = evaluate(frame, node.iterable)
    element, sources = walk(frame, iterable, node.line)
    before = dict(frame.env)
    _forget_constants(frame, node.body)
    with frame.capture() as nodes:
        assign(frame, node.target, element, node.line)
        run_block(frame, node.body)
    nodes = _retried(frame, node, nodes, bound_of(iterable), counts=_counts(node.iterable))
    note_loop(frame, nodes, frame.place(node.line), sources, bound_of(iterable))
    frame.env = joined(before, frame.env)
    return run_block(frame, node.otherwise) if node.otherwise else ""


def _counts(iterable: code.Expression) -> bool:
    """Whether a loop only counts its rounds: `range(3)`, `count()`."""
    if not isinstance(iterable, code.Call):
        return False
    return getattr(iterable.function, "id", getattr(iterable.function, "name", "")) in ("range", "count")


def _retried(
    frame: Frame, node: code.For | code.While, nodes: list[Node], bound: int | None, *, counts: bool
) -> list[Node]:
    """A loop that leaves when it succeeded and goes round again when it failed is a retry."""
    if not counts or not nodes or not any(_tries_again(statement) for statement in node.body):
        return nodes
    known = Known.SET if bound is not None else Known.UNKNOWN
    draft = RetryDraft(frame.place(node.line), bound, known, source="a loop that tries again")
    return [ContextNode(nodes, retry=draft)]


def _tries_again(statement: code.Statement) -> bool:
    if not isinstance(statement, code.Try) or not statement.handlers:
        return False
    last = (*statement.body, *statement.otherwise)[-1:]
    leaves = bool(last) and (
        isinstance(last[0], code.Return) or (isinstance(last[0], code.Jump) and last[0].kind == "break")
    )
    stays = [h for h in statement.handlers if not h.body or not isinstance(h.body[-1], code.Raise | code.Return)]
    return leaves and bool(stays)


def run_while(frame: Frame, node: code.While) -> str:
    """A `while` statement."""
    frame.line = node.line
    before = dict(frame.env)
    _forget_constants(frame, node.body)
    with frame.capture() as nodes:
        test = evaluate(frame, node.test)
        run_block(frame, node.body)
    nodes = _retried(frame, node, nodes, None, counts=True)
    note_loop(frame, nodes, frame.place(node.line), test.sources, None)
    frame.env = joined(before, frame.env)
    return run_block(frame, node.otherwise) if node.otherwise else ""


def _forget_constants(frame: Frame, body: tuple[code.Statement, ...]) -> None:
    """What a loop assigns is not constant inside it."""
    for name in assigned_names(body):
        value = frame.env.get(name)
        if value is not None and value.has_constant:
            frame.env[name] = Value(sources=telling(value.sources))

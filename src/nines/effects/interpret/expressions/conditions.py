"""What a test decides, what branches on it, and what was compared with a fetched row."""

from __future__ import annotations

from nines.effects.interpret.expressions.tests import is_none, looks_at, narrowed, reads_result, truth, wants
from nines.effects.interpret.state.entrances import evaluate
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.symbols.text import written
from nines.effects.nodes import Arm, BranchNode, RefineNode
from nines.effects.values import Source, Sources, Value, deep_sources, join
from nines.model import code
from nines.model.origin import OriginKind


def decided(frame: Frame, test: code.Expression, value: Value) -> bool | None:
    """A test whose outcome is certain."""
    if isinstance(test, code.Compare) and isinstance(test.right, code.Constant) and test.right.value is None:
        if test.operator in ("is", "is not", "==", "!="):
            with frame.capture():
                none = is_none(evaluate(frame, test.left))
            if none is not None:
                return none == (test.operator in ("is", "=="))
        return None
    if isinstance(test, code.Name) and test.id == "TYPE_CHECKING":
        return False
    return truth(value)


def branch(frame: Frame, test: code.Expression, value: Value, arms: list[Arm], line: int) -> BranchNode:
    sources = tuple(s for s in deep_sources(value) if s.kind is not OriginKind.CONSTANT)
    meant = wants(test) if reads_result(value) else ("", "")
    return BranchNode(arms, frame.place(line), written(test), sources, meant)


def note_checks(frame: Frame, test: code.Expression, value: Value) -> None:
    """A fetched row that is compared before going on was checked by that comparison."""
    compared: list[tuple[Source, Sources]] = []
    with frame.capture():
        for comparison in looks_at(test):
            left, right = evaluate(frame, comparison.left), evaluate(frame, comparison.right)
            compared.extend(_pairs(left, right))
    rows = [s for s in value.sources if s.kind is OriginKind.DATABASE]
    callers = tuple(s for s in value.sources if s.kind is OriginKind.PRINCIPAL)
    if callers and not (reads_result(value) and any(wants(test))):
        frame.facts.add("decides")
    if callers:  # noqa: SIM102
        if not compared and _calls_in(test):
            compared = [(row, callers) for row in rows if not row.name]
    if compared:
        frame.nodes.append(RefineNode(0, checked=tuple(dict.fromkeys(compared))))


def _calls_in(test: code.Expression) -> bool:
    """Whether the test asks a function, which may look at more than can be seen."""
    if isinstance(test, code.Unary | code.Await):
        return _calls_in(test.value)
    if isinstance(test, code.Boolean):
        return any(_calls_in(value) for value in test.values)
    return isinstance(test, code.Call)


def _pairs(left: Value, right: Value) -> list[tuple[Source, Sources]]:
    found: list[tuple[Source, Sources]] = []
    for one, other in ((left, right), (right, left)):
        others = tuple(s for s in deep_sources(other) if s.kind is not OriginKind.CONSTANT)
        for source in one.sources:
            # A row compared with its own columns is not checked against anything from outside.
            outside = tuple(s for s in others if s.kind is not OriginKind.DATABASE or s.token != source.token)
            if outside and source.kind is OriginKind.DATABASE:
                found.append((source, outside))
    return found


def conditional(frame: Frame, node: code.Conditional) -> Value:
    """`a if test else b`."""
    test = evaluate(frame, node.test)
    certain = decided(frame, node.test, test)
    if certain is not None:
        return evaluate(frame, node.then if certain else node.otherwise)
    before = dict(frame.env)
    narrowed(frame, node.test, True)
    with frame.capture() as then_nodes:
        then = evaluate(frame, node.then)
    frame.env = dict(before)
    narrowed(frame, node.test, False)
    with frame.capture() as else_nodes:
        otherwise = evaluate(frame, node.otherwise)
    frame.env = before
    if then_nodes or else_nodes:
        frame.nodes.append(branch(frame, node.test, test, [Arm(then_nodes), Arm(else_nodes)], frame.line))
    return join([then, otherwise])

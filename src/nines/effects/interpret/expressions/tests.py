"""What a test says: known in advance, or about which value, and whether it asks for a row or for none."""

from __future__ import annotations

from nines.effects.interpret.naming.annotations import CHOSEN
from nines.effects.interpret.state.entrances import evaluate
from nines.effects.interpret.state.frame import Frame
from nines.effects.values import (
    NONE,
    NOTHING,
    PRESENT,
    UNKNOWN,
    ContainerThing,
    FunctionThing,
    InstanceThing,
    ObjectThing,
    ScalarThing,
    Source,
    UnionThing,
    Value,
    deep_sources,
    join,
    only_sources,
    sanitised,
)
from nines.model import code
from nines.model.origin import OriginKind


def truth(value: Value) -> bool | None:
    """Whether a value is certainly true or certainly false."""
    if value.has_constant:
        return bool(value.constant)
    thing = value.thing
    if isinstance(thing, UnionThing):
        known = {truth(each) for each in thing.values}
        return known.pop() if len(known) == 1 else None
    if isinstance(thing, FunctionThing) or thing == ScalarThing(PRESENT):
        return True
    if isinstance(thing, ObjectThing) and thing.site and not value.sources and thing.query is None:
        return True
    if isinstance(thing, ContainerThing) and not thing.is_open:
        return bool(thing.entries or thing.fields) if thing.entries is not None or thing.kind == "dict" else None
    return None


def is_none(value: Value) -> bool | None:
    """Whether a value is certainly None, or certainly not."""
    if value.has_constant:
        return value.constant is None
    if isinstance(value.thing, UnionThing):
        known = {is_none(each) for each in value.thing.values}
        return known.pop() if len(known) == 1 else None
    if isinstance(value.thing, FunctionThing) or value.thing == ScalarThing(PRESENT):
        return False
    if isinstance(value.thing, ObjectThing | InstanceThing) and not value.sources:
        return False
    return None


def _without_none(value: Value) -> Value:
    """The value where it is known not to be None."""
    if isinstance(value.thing, UnionThing):
        kept = [each for each in value.thing.values if each.constant is not None]
        return join(kept) if kept else UNKNOWN
    return UNKNOWN if value.constant is None else value


def wants(test: code.Expression) -> tuple[str, str]:  # noqa: PLR0911
    """What the two arms of a test want of an effect's result: "present", "absent" or ""."""
    if isinstance(test, code.Unary) and test.operator == "not":
        yes, no = wants(test.value)
        return no, yes
    if isinstance(test, code.Compare):
        against = test.right
        nothing = isinstance(against, code.Constant) and against.value is None
        zero = isinstance(against, code.Constant) and against.value == 0 and not isinstance(against.value, bool)
        if nothing and test.operator in ("is", "=="):
            return "absent", "present"
        if nothing and test.operator in ("is not", "!="):
            return "present", "absent"
        if zero and test.operator in (">", "!=") and _counts(test.left):
            return "present", "absent"
        if zero and test.operator == "==" and _counts(test.left):
            return "absent", "present"
        return "", ""
    if isinstance(test, code.Name | code.Attribute | code.Call | code.Await | code.Walrus | code.Subscript):
        return "present", "absent"
    if isinstance(test, code.Boolean):
        first = wants(test.values[0])
        return (first[0], "") if test.operator == "and" else ("", first[1])
    return "", ""


def _counts(expression: code.Expression) -> bool:
    return isinstance(expression, code.Name | code.Call | code.Await | code.Attribute | code.Subscript)


def reads_result(value: Value) -> bool:
    """Whether the value is an effect's own result, so that a test of it asks for a row."""
    kinds = (OriginKind.DATABASE, OriginKind.REMOTE)
    return any(source.kind in kinds and source.name == "" for source in value.sources)


def narrowed(frame: Frame, test: code.Expression, holds: bool) -> None:
    """Lets the names in the frame know what a test has shown."""
    if isinstance(test, code.Unary) and test.operator == "not":
        narrowed(frame, test.value, not holds)
        return
    if isinstance(test, code.Boolean):
        if (test.operator == "and") == holds:
            for part in test.values:
                narrowed(frame, part, holds)
        return
    if isinstance(test, code.Compare) and holds == (test.operator == "in") and test.operator in ("in", "not in"):
        _chosen(frame, test)
        return
    target: code.Expression = test
    none_when = False
    if isinstance(test, code.Compare) and isinstance(test.right, code.Constant) and test.right.value is None:
        target = test.left
        none_when = test.operator in ("is", "==")
    if isinstance(target, code.Walrus):
        target = target.target
    if not isinstance(target, code.Name) or target.id not in frame.env:
        return
    value = frame.env[target.id]
    if holds != none_when:
        narrowed_value = _without_none(value)
        frame.env[target.id] = narrowed_value
    elif isinstance(test, code.Compare) and value.thing is NOTHING and all(_is_sent(s) for s in value.sources):
        frame.env[target.id] = NONE


def _is_sent(source: Source) -> bool:
    return source.kind is OriginKind.CALLER


def _chosen(frame: Frame, test: code.Compare) -> None:
    """A name that was found among values which nobody outside chooses is one of them."""
    if not isinstance(test.left, code.Name) or test.left.id not in frame.env:
        return
    with frame.capture():
        among = evaluate(frame, test.right)
    outside = (OriginKind.CALLER, OriginKind.REMOTE, OriginKind.UNKNOWN)
    known = deep_sources(among)
    if (known or isinstance(among.thing, ContainerThing)) and not any(s.kind in outside for s in known):
        value = frame.env[test.left.id]
        frame.env[test.left.id] = only_sources(value, sanitised(value.sources, CHOSEN))


def looks_at(test: code.Expression) -> list[code.Compare]:
    """The comparisons inside a test."""
    if isinstance(test, code.Compare):
        return [test]
    if isinstance(test, code.Boolean):
        return [found for value in test.values for found in looks_at(value)]
    if isinstance(test, code.Unary):
        return looks_at(test.value)
    return []

"""What each kind of statement does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nines.effects.interpret.expressions.conditions import branch, note_checks
from nines.effects.interpret.expressions.tests import narrowed
from nines.effects.interpret.libraries.retrying import error_names
from nines.effects.interpret.naming.decorate import decorate
from nines.effects.interpret.naming.resolve import annotated, found_value, or_none
from nines.effects.interpret.objects.assigning import assign
from nines.effects.interpret.state.entrances import evaluate, run_block
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.statements.branches import run_if, run_match
from nines.effects.interpret.statements.contexts import run_with
from nines.effects.interpret.statements.loops import run_for, run_while
from nines.effects.interpret.symbols.criteria import binary_criterion
from nines.effects.interpret.symbols.environments import joined
from nines.effects.interpret.symbols.parts import concatenate
from nines.effects.interpret.symbols.refusing import answers_no
from nines.effects.interpret.symbols.text import written
from nines.effects.limits import ITEMS_MAX
from nines.effects.link import ClassInfo, FunctionInfo
from nines.effects.link.names import imported_names
from nines.effects.nodes import Arm, HandlerDraft, TryNode
from nines.effects.values import (
    ClassThing,
    ColumnThing,
    ContainerThing,
    FunctionThing,
    Sources,
    TextThing,
    Value,
    calculated,
    element_of,
    join,
    merge_sources,
    unknown,
)
from nines.model import code


def _evaluate(frame: Frame, node: code.Evaluate) -> str:
    frame.line = node.line
    evaluate(frame, node.value)
    return ""


def _assign(frame: Frame, node: code.Assign) -> str:
    frame.line = node.line
    if node.value is None:
        _declare(frame, node)
        return ""
    value = evaluate(frame, node.value)
    if frame.raised:
        return ""
    if node.annotation is not None and (value.is_vague or _is_set_later(node, value)):
        declared = or_none(annotated(frame.world, frame.module, node.annotation, value.sources), node.annotation)
        value = value if declared.is_unknown else declared
    for target in node.targets:
        assign(frame, target, value, node.line)
    return ""


def _is_set_later(node: code.Assign, value: Value) -> bool:
    """An attribute that starts as None is declared with what it will hold when it is used."""
    return value.constant is None and all(isinstance(target, code.Attribute) for target in node.targets)


def _declare(frame: Frame, node: code.Assign) -> None:
    """A bare annotation tells what a name that is already bound holds."""
    for target in node.targets:
        if isinstance(target, code.Name) and node.annotation is not None and target.id in frame.env:
            value = frame.env[target.id]
            if value.is_vague:
                declared = annotated(frame.world, frame.module, node.annotation, value.sources)
                frame.env[target.id] = value if declared.is_unknown else declared


def _augment(frame: Frame, node: code.Augment) -> str:
    frame.line = node.line
    before, added = evaluate(frame, node.target), evaluate(frame, node.value)
    value = binary_criterion(before, node.operator, added)
    sources = merge_sources(before.sources, added.sources)
    if isinstance(added.thing, ColumnThing):
        value = Value(added.thing, sources)
    if (
        value is None
        and node.operator == "+"
        and (isinstance(before.constant, str) or isinstance(before.thing, TextThing))
    ):
        value = concatenate([before, added])
    if value is None and isinstance(before.thing, ContainerThing):
        value = _longer(before, added, sources)
    if value is None and isinstance(before.thing, ContainerThing):
        items = join([element_of(before), element_of(added)])
        value = Value(ContainerThing(before.thing.kind, items, before.thing.fields), sources)
    assign(frame, node.target, calculated(value if value is not None else unknown(sources)), node.line)
    return ""


def _longer(before: Value, added: Value, sources: Sources) -> Value | None:
    """A list with another one behind it, where the elements of both are told apart."""
    one, two = before.thing, added.thing
    if not isinstance(one, ContainerThing) or not isinstance(two, ContainerThing):
        return None
    if one.entries is None or two.entries is None:
        return None
    entries = (*one.entries, *two.entries)
    if len(entries) > ITEMS_MAX * 20:
        return None
    others = [value for value in (one.items, two.items) if value is not None]
    items = join(others) if others else None
    return Value(ContainerThing(one.kind, items, one.fields, entries, one.is_open or two.is_open), sources)


def _return(frame: Frame, node: code.Return) -> str:
    frame.line = node.line
    if node.value is not None:
        value = evaluate(frame, node.value)
        if frame.raised:
            return ""
        frame.returns.append(value)
        if answers_no(value):
            frame.facts.add("refuses")
    return "return"


def _raise(frame: Frame, node: code.Raise) -> str:
    frame.line = node.line
    frame.facts.add("refuses")
    if node.error is not None:
        evaluate(frame, node.error)
        frame.raised = False
    return "raise"


def _assert(frame: Frame, node: code.Assert) -> str:
    frame.line = node.line
    value = evaluate(frame, node.test)
    note_checks(frame, node.test, value)
    narrowed(frame, node.test, True)
    frame.nodes.append(branch(frame, node.test, value, [Arm([]), Arm([], "raise")], node.line))
    return ""


def _try(frame: Frame, node: code.Try) -> str:
    frame.line = node.line
    before = dict(frame.env)
    with frame.capture() as body:
        ends = run_block(frame, node.body)
    after_body = frame.env
    reached = joined(before, after_body)
    handlers: list[HandlerDraft] = []
    finished: list[dict[str, Value]] = []
    how: list[str] = []
    for handler in node.handlers:
        frame.env = dict(reached)
        handlers.append(_handler(frame, handler, how))
        if not how[-1]:
            finished.append(frame.env)
    frame.env = after_body
    otherwise_nodes = []
    if node.otherwise and not ends:
        with frame.capture() as otherwise_nodes:
            ends = run_block(frame, node.otherwise)
    for env in finished:
        frame.env = joined(frame.env, env)
    if ends and finished:
        frame.env = finished[0]
        for env in finished[1:]:
            frame.env = joined(frame.env, env)
    with frame.capture() as final:
        final_ends = run_block(frame, node.final)
    if body or otherwise_nodes or final or any(h.nodes for h in handlers):
        place = frame.place(node.line)
        frame.nodes.append(TryNode(body, handlers, otherwise_nodes, final, place, ends))
    if final_ends:
        return final_ends
    return ends if ends and all(how) else ""


def _handler(frame: Frame, handler: code.Except, how: list[str]) -> HandlerDraft:
    frame.line = handler.line
    with frame.capture() as nodes:
        names: list[str] = []
        for error in handler.errors:
            value = evaluate(frame, error)
            names.extend(error_names(frame.world, value) or [written(error)])
        if handler.name:
            frame.env[handler.name] = unknown()
        ends = run_block(frame, handler.body)
    how.append(ends)
    words = {"raise": "raises", "return": "returns"}
    return HandlerDraft(tuple(names), frame.place(handler.line), words.get(ends, "continues"), nodes)


def _delete(_frame: Frame, _node: code.Delete) -> str:
    return ""


def _jump(_frame: Frame, node: code.Jump) -> str:
    return node.kind


def _outer(_frame: Frame, _node: code.Outer) -> str:
    return ""


def _import(frame: Frame, node: code.Import) -> str:
    for name, binding in imported_names(node, frame.module):
        if name == "*" or "\0" in name:
            continue
        found = frame.world.linked.imported(binding)
        if found:
            frame.env[name] = found_value(frame.world, found[0], frame.module)
    return ""


def _function(frame: Frame, node: code.Function) -> str:
    """A nested function: it takes the names around it with it."""
    info = nested_function(frame, node)
    raw = bytes(node.body)
    taken = {
        name: value
        for name, value in {**frame.closure, **frame.env}.items()
        if name.partition(".")[0].partition("[")[0].encode() in raw
    }
    taken.pop(node.name, None)
    value = Value(FunctionThing(info, closure=tuple(sorted(taken.items(), key=lambda item: item[0]))))
    if node.decorators:
        value = decorate(frame, value, info)
    frame.env[node.name] = value
    return ""


def nested_function(frame: Frame, node: code.Function) -> FunctionInfo:
    parent = frame.info.qualified if frame.info else frame.module.name
    key = (frame.module.name, node.line, f"{parent}.{node.name}")
    found = frame.world.nested.get(key)
    if found is None:
        found = FunctionInfo(node, frame.module, None, parent)
        frame.world.nested[key] = found
    info: FunctionInfo = found
    return info


def _class(frame: Frame, node: code.Class) -> str:
    parent = frame.info.qualified if frame.info else frame.module.name
    key = (frame.module.name, node.line, f"class {parent}.{node.name}")
    found = frame.world.nested.get(key)
    if found is None:
        found = ClassInfo(node, frame.module, parent)
        frame.world.nested[key] = found
    frame.env[node.name] = Value(ClassThing(found))
    return ""


EXECUTORS: dict[type, Callable[[Frame, Any], str]] = {
    code.Evaluate: _evaluate,
    code.Assign: _assign,
    code.Augment: _augment,
    code.Return: _return,
    code.Raise: _raise,
    code.If: run_if,
    code.Match: run_match,
    code.For: run_for,
    code.While: run_while,
    code.With: run_with,
    code.Try: _try,
    code.Assert: _assert,
    code.Delete: _delete,
    code.Jump: _jump,
    code.Outer: _outer,
    code.Import: _import,
    code.Function: _function,
    code.Class: _class,
}

"""What each kind of expression may be; calls and attributes have modules of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nines.effects.interpret.database.building import sliced
from nines.effects.interpret.database.fetching import materialise
from nines.effects.interpret.expressions.comprehensions import comprehension
from nines.effects.interpret.expressions.conditions import conditional
from nines.effects.interpret.expressions.invoke import call_expression
from nines.effects.interpret.expressions.tests import truth
from nines.effects.interpret.libraries.injecting import provided
from nines.effects.interpret.libraries.typed import type_origin
from nines.effects.interpret.naming.resolve import annotated_value, class_binding_value, global_value
from nines.effects.interpret.objects.assigning import assign
from nines.effects.interpret.state.entrances import attribute, call, evaluate
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.symbols.criteria import binary_criterion, compare_criterion, negate
from nines.effects.interpret.symbols.folding import folded
from nines.effects.interpret.symbols.parts import access_path, concatenate, item_at, merged_dict
from nines.effects.limits import ITEMS_MAX
from nines.effects.link import FunctionInfo
from nines.effects.nodes import Arm, BranchNode, EffectNode, HoleNode, Node, TransactionNode
from nines.effects.values import (
    MISSING,
    NONE,
    UNKNOWN,
    ClassThing,
    ContainerThing,
    FunctionThing,
    InstanceThing,
    LibraryThing,
    ObjectThing,
    TextThing,
    Value,
    calculated,
    constant,
    deep_sources,
    element_of,
    field,
    join,
    merge_sources,
    sorted_fields,
    unknown,
    with_sources,
)
from nines.model import code
from nines.model.origin import OriginKind


def _name(frame: Frame, node: code.Name) -> Value:
    found = frame.env.get(node.id)
    if found is None:
        found = frame.closure.get(node.id)
    if found is not None:
        return found
    if frame.cls is not None and frame.info is None:
        own = _class_scope(frame, node.id)
        if own is not None:
            return own
    return global_value(frame.world, frame.module, node.id)


def _class_scope(frame: Frame, name: str) -> Value | None:
    """A name used in a class body that the body itself defines."""
    cls = frame.cls
    assert cls is not None
    world = frame.world
    if name in cls.methods:
        return Value(FunctionThing(cls.methods[name]))
    key = (cls, name, "scope")
    if name not in cls.attributes:
        return None
    if key in world.standing.evaluating:
        world.standing.cut(key)
        return None
    saved = world.standing.begin(key)
    try:
        return class_binding_value(world, cls, cls.attributes[name])
    finally:
        world.standing.end(key, saved)


def _constant(_frame: Frame, node: code.Constant) -> Value:
    return constant(node.value)


def _template(frame: Frame, node: code.Template) -> Value:
    return calculated(concatenate([evaluate(frame, part) for part in node.parts]))


def _attribute(frame: Frame, node: code.Attribute) -> Value:
    dotted = _imported_path(frame, node)
    if dotted is not None:
        return dotted
    receiver = evaluate(frame, node.value)
    key = access_path(node)
    if key and key in frame.env:
        return frame.env[key]
    return attribute(frame, receiver, node.name, node.line, node.column)


def _imported_path(frame: Frame, node: code.Attribute) -> Value | None:
    """`import a.b` binds `a`, and makes `a.b` reachable below it."""
    if not isinstance(node.value, code.Name) or node.value.id in frame.env:
        return None
    bound = f"{node.value.id}\0{node.value.id}.{node.name}"
    return global_value(frame.world, frame.module, bound) if bound in frame.module.bindings else None


def _binary(frame: Frame, node: code.Binary) -> Value:
    return calculated(_combined(evaluate(frame, node.left), node, evaluate(frame, node.right)))


def _combined(left: Value, node: code.Binary, right: Value) -> Value:  # noqa: PLR0911
    criterion = binary_criterion(left, node.operator, right)
    if criterion is not None:
        return criterion
    if node.operator == "+" and _is_text(left, right):
        return concatenate([left, right])
    if node.operator == "%" and _is_text(left):
        return _formatted(left, right)
    sources = merge_sources(left.sources, deep_sources(right))
    if left.has_constant and right.has_constant:
        return _arithmetic(left.constant, node.operator, right.constant, sources)
    if node.operator == "|" and isinstance(left.thing, ContainerThing) and isinstance(right.thing, ContainerThing):
        return merged_dict(left, right)
    if node.operator == "+" and isinstance(left.thing, ContainerThing):
        return _joined_lists(left, right)
    if node.operator in "+-*/" and isinstance(left.thing, ObjectThing):
        return with_sources(left, sources)
    if isinstance(left.thing, ObjectThing) and left.thing.query is not None:
        return with_sources(left, sources)
    return unknown(sources)


def _is_text(*values: Value) -> bool:
    return any(isinstance(v.constant, str) or isinstance(v.thing, TextThing) for v in values)


def _formatted(left: Value, right: Value) -> Value:
    """`text % values`: the placeholders become unknown parts."""
    text = left.constant if isinstance(left.constant, str) else getattr(left.thing, "skeleton", "")
    for mark in ("%s", "%d", "%r", "%i", "%f"):
        text = text.replace(mark, "\0")
    return Value(TextThing(text), merge_sources(left.sources, deep_sources(right)))


_OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b if abs(a) < 1e12 and abs(b) < 1e12 else MISSING,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
}


def _arithmetic(left: Any, operator: str, right: Any, sources: Any) -> Value:
    plain = (int, float)
    if operator in _OPERATIONS and isinstance(left, plain) and isinstance(right, plain):
        try:
            return Value(sources=sources, constant=_OPERATIONS[operator](left, right))
        except (ArithmeticError, ValueError):
            return unknown(sources)
    return unknown(sources)


def _joined_lists(left: Value, right: Value) -> Value:
    one, two = left.thing, right.thing
    sources = merge_sources(left.sources, right.sources)
    if isinstance(one, ContainerThing) and isinstance(two, ContainerThing):
        entries = None
        if one.entries is not None and two.entries is not None:
            entries = (*one.entries, *two.entries)[: ITEMS_MAX * 20]
        items = [v for v in (one.items, two.items) if v is not None]
        return Value(ContainerThing(one.kind, join(items) if items else None, entries=entries), sources)
    return Value(ContainerThing("list", element_of(left), entries=None), sources)


def _compare(frame: Frame, node: code.Compare) -> Value:
    left, right = evaluate(frame, node.left), evaluate(frame, node.right)
    criterion = folded(left, node.operator, right) or compare_criterion(left, node.operator, right)
    if node.operator in ("in", "not in"):
        asked = type_origin(frame.world, right, str(left.constant) if left.has_constant else "")
        if any(source.kind is OriginKind.PRINCIPAL for source in asked):
            frame.facts.add("credential")
        right = with_sources(right, asked)
    return criterion if criterion is not None else unknown(merge_sources(left.sources, right.sources))


def _boolean(frame: Frame, node: code.Boolean) -> Value:
    """`a or b`: the later operands are evaluated only on one side of a branch."""
    values = [evaluate(frame, node.values[0])]
    for operand in node.values[1:]:
        known = truth(values[-1])
        if known is not None and known == (node.operator == "or"):
            break
        with frame.capture() as nodes:
            values.append(evaluate(frame, operand))
        if nodes:
            place = frame.place(frame.line)
            frame.nodes.append(BranchNode([Arm(nodes), Arm([])], place, sources=values[0].sources, wants=("", "")))
    if node.operator == "or":
        values = [v for v in values if truth(v) is not False] or values[-1:]
    elif len(values) > 1 and truth(values[0]) is True:
        values = values[1:]
    return join(values)


def _unary(frame: Frame, node: code.Unary) -> Value:
    value = evaluate(frame, node.value)
    if node.operator == "-" and isinstance(value.constant, int | float):
        return Value(sources=value.sources, constant=-value.constant)
    if node.operator == "not" and truth(value) is not None:
        return constant(not truth(value))
    criterion = negate(value, node.operator)
    return criterion if criterion is not None else unknown(value.sources)


def _subscript(frame: Frame, node: code.Subscript) -> Value:  # noqa: PLR0911
    receiver = evaluate(frame, node.value)
    if isinstance(receiver.thing, ClassThing):
        return receiver
    if isinstance(receiver.thing, LibraryThing):
        return _of_library(frame, receiver.thing.name, node)
    if isinstance(node.key, code.Slice):
        return _sliced(frame, receiver, node)
    key = evaluate(frame, node.key)
    path = access_path(node.value)
    if path and key.has_constant and f"{path}[{key.constant}]" in frame.env:
        return frame.env[f"{path}[{key.constant}]"]
    receiver = materialise(frame, receiver, node.line, node.column, single=isinstance(key.constant, int))
    if isinstance(key.constant, str):
        held = field(receiver, key.constant)
        if held is not None:
            return held
        for each in receiver.alternatives():
            if isinstance(each.thing, InstanceThing) and each.thing.row:
                return attribute(frame, receiver, key.constant, node.line, node.column)
    if isinstance(key.constant, int) and not isinstance(key.constant, bool):
        return item_at(receiver, key.constant)
    for each in receiver.alternatives():
        thing = each.thing
        if isinstance(thing, ContainerThing) and thing.kind == "dict":
            held_values = [v for _, v in thing.fields] + ([thing.items] if thing.items else [])
            return with_sources(join(held_values), receiver.sources) if held_values else unknown(receiver.sources)
    return _item_of_object(frame, receiver, key, node)


def _of_library(frame: Frame, name: str, node: code.Subscript) -> Value:
    """A type with parameters, or what a container provides."""
    signature = frame.world.signatures.calls.get(name)
    if signature is not None and signature.mechanism == "provided":
        return provided(frame, evaluate(frame, node.key), node.line)
    return annotated_value(frame, node)


def _item_of_object(frame: Frame, receiver: Value, key: Value, node: code.Subscript) -> Value:
    thing = receiver.thing
    if isinstance(thing, InstanceThing) or (isinstance(thing, ObjectThing) and _has_getitem(frame, thing)):
        method = attribute(frame, receiver, "__getitem__", node.line, node.column)
        return call(frame, method, [key], {}, node.line, node.column)
    return unknown(merge_sources(element_of(receiver).sources, receiver.sources))


def _has_getitem(frame: Frame, thing: ObjectThing) -> bool:
    return bool(frame.world.signatures.method(thing.type, "__getitem__"))


def _sliced(frame: Frame, receiver: Value, node: code.Subscript) -> Value:
    key = node.key
    assert isinstance(key, code.Slice)
    bounds = [evaluate(frame, bound) for bound in (key.lower, key.upper) if bound is not None]
    if key.upper is not None:
        limited = sliced(frame, receiver, bounds[-1])
        if limited is not None:
            return limited
    if isinstance(receiver.thing, ObjectThing) and receiver.thing.query is not None:
        return receiver
    if isinstance(receiver.thing, ContainerThing):
        return Value(ContainerThing("list", element_of(receiver)), receiver.sources)
    return unknown(receiver.sources)


def _sequence(frame: Frame, node: code.Sequence) -> Value:
    entries: list[Value] = []
    spread: list[Value] = []
    for item in node.items:
        if isinstance(item, code.Spread):
            inner = evaluate(frame, item.value)
            if isinstance(inner.thing, ContainerThing) and inner.thing.entries is not None:
                entries.extend(inner.thing.entries)
            else:
                spread.append(element_of(inner))
        else:
            entries.append(evaluate(frame, item))
    sources = merge_sources(*(e.sources for e in entries), *(s.sources for s in spread))
    if len(entries) > ITEMS_MAX * 20:
        return Value(ContainerThing(node.kind, join(entries[:ITEMS_MAX])), sources)
    items = join(spread) if spread else None
    return Value(ContainerThing(node.kind, items, entries=tuple(entries), is_open=bool(spread)), sources)


def _mapping(frame: Frame, node: code.Mapping) -> Value:
    fields: dict[str, Value] = {}
    others: list[Value] = []
    is_open = False
    sources = []
    for pair in node.pairs:
        value = evaluate(frame, pair.value)
        sources.append(value.sources)
        if pair.key is None:
            inner = value.thing
            if isinstance(inner, ContainerThing):
                fields.update(inner.fields)
                is_open = is_open or inner.is_open
            else:
                is_open = True
            continue
        key = evaluate(frame, pair.key)
        if isinstance(key.constant, str | int):
            fields[str(key.constant)] = value
        else:
            others.append(value)
            sources.append(key.sources)
    items = join(others) if others else None
    kept = tuple(sorted_fields(fields))
    return Value(ContainerThing("dict", items, kept, is_open=is_open or bool(others)), merge_sources(*sources))


def _lambda(frame: Frame, node: code.Lambda) -> Value:
    return Value(FunctionThing(lambda_info(frame, node), closure=tuple(sorted(frame.env.items(), key=lambda i: i[0]))))


def lambda_info(frame: Frame, node: code.Lambda) -> FunctionInfo:
    """A lambda as a function whose body returns its expression."""
    parent = frame.info.qualified if frame.info else frame.module.name
    key = (frame.module.name, id(node), parent)
    known = frame.world.nested.get(key)
    if known is None:
        body = code.pack((code.Return(node.body, frame.line),))
        function = code.Function("<lambda>", node.parameters, None, (), body, frame.line, frame.line)
        known = (FunctionInfo(function, frame.module, None, parent), node)
        frame.world.nested[key] = known
    info: FunctionInfo = known[0]
    return info


def _await(frame: Frame, node: code.Await) -> Value:
    nodes, start = frame.nodes, len(frame.nodes)
    value = evaluate(frame, node.value)
    _give_way(nodes[start:])
    return materialise(frame, value, frame.line, 1, awaited=True)


def _give_way(nodes: list[Node]) -> None:
    """What is awaited gives the event loop to others, whatever the library was taken for; its arguments need not."""
    own = nodes[-1] if nodes else None
    library = own.library if isinstance(own, EffectNode | TransactionNode) else ""
    for node in nodes:
        if isinstance(node, EffectNode | TransactionNode) and node.library == library:
            node.blocks_thread = False


def _yield(frame: Frame, node: code.Yield) -> Value:
    value = evaluate(frame, node.value) if node.value is not None else NONE
    frame.yields.append(element_of(value) if node.is_from else value)
    if not node.is_from:
        frame.has_hole = True
        frame.nodes.append(HoleNode())
    return UNKNOWN


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
    code.Name: _name,
    code.Constant: _constant,
    code.Template: _template,
    code.Attribute: _attribute,
    code.Call: call_expression,
    code.Binary: _binary,
    code.Compare: _compare,
    code.Boolean: _boolean,
    code.Unary: _unary,
    code.Subscript: _subscript,
    code.Slice: _slice,
    code.Sequence: _sequence,
    code.Mapping: _mapping,
    code.Lambda: _lambda,
    code.Comprehension: comprehension,
    code.Conditional: conditional,
    code.Await: _await,
    code.Yield: _yield,
    code.Spread: _spread,
    code.Walrus: _walrus,
    code.Opaque: _opaque,
}

"""What is written out: constants, templates, lists, mappings, lambdas."""

from __future__ import annotations

from nines.effects.interpret.state.entrances import evaluate
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.symbols.parts import concatenate
from nines.effects.limits import ITEMS_MAX
from nines.effects.link import FunctionInfo
from nines.effects.values import (
    ContainerThing,
    FunctionThing,
    Value,
    calculated,
    constant,
    element_of,
    join,
    merge_sources,
    sorted_fields,
)
from nines.model import code


def constant_value(_frame: Frame, node: code.Constant) -> Value:
    return constant(node.value)


def template(frame: Frame, node: code.Template) -> Value:
    return calculated(concatenate([evaluate(frame, part) for part in node.parts]))


def sequence(frame: Frame, node: code.Sequence) -> Value:
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


def mapping(frame: Frame, node: code.Mapping) -> Value:
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


def lambda_value(frame: Frame, node: code.Lambda) -> Value:
    return Value(FunctionThing(_lambda_info(frame, node), closure=tuple(sorted(frame.env.items(), key=lambda i: i[0]))))


def _lambda_info(frame: Frame, node: code.Lambda) -> FunctionInfo:
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

"""Puts the arguments of a call to the names of a project function's parameters."""

from __future__ import annotations

from nines.effects.interpret.libraries.arguments import OPEN, REST
from nines.effects.interpret.naming.annotations import annotated, or_none
from nines.effects.interpret.state.entrances import evaluate
from nines.effects.interpret.state.frame import Frame
from nines.effects.link import FunctionInfo
from nines.effects.values import (
    NOTHING,
    UNKNOWN,
    ContainerThing,
    Value,
    element_of,
    merge_sources,
    sorted_fields,
    unknown,
)


def bind(
    frame: Frame, info: FunctionInfo, arguments: list[Value], keywords: dict[str, Value], *, skip: int = 0
) -> dict[str, Value]:
    """The environment in which the function's body starts; `skip` leaves out leading parameters."""
    env: dict[str, Value] = {}
    keywords = dict(keywords)
    rest, spread = keywords.pop(OPEN, None), keywords.pop(REST, None)
    positional = list(arguments)
    for parameter in info.node.parameters[skip:]:
        if parameter.kind == "star":
            env[parameter.name] = _star(positional, spread)
            positional, spread = [], None
            continue
        if parameter.kind == "double_star":
            fields = tuple(sorted_fields(keywords))
            sources = merge_sources(*(v.sources for v in keywords.values()), rest.sources if rest else ())
            items = rest if rest is not None else None
            env[parameter.name] = Value(ContainerThing("dict", items, fields, is_open=rest is not None), sources)
            keywords = {}
            continue
        value: Value | None = None
        if positional and parameter.kind in ("positional", "any"):
            value = positional.pop(0)
        elif parameter.name in keywords:
            value = keywords.pop(parameter.name)
        elif spread is not None and parameter.kind in ("positional", "any"):
            value = element_of(spread)
        elif rest is not None and parameter.default is None:
            value = unknown(rest.sources)
        if value is None:
            value = (
                evaluate(Frame(frame.world, info.module), parameter.default)
                if parameter.default is not None
                else UNKNOWN
            )
        env[parameter.name] = _typed_argument(frame, info, parameter.annotation, value)
    return env


def _typed_argument(frame: Frame, info: FunctionInfo, annotation: object, value: Value) -> Value:
    """Lets the annotation say what the argument is, where the caller does not know."""
    if annotation is None or value.constant is None or value.has_constant:
        return value
    thing = value.thing
    is_vague = thing is NOTHING or (isinstance(thing, ContainerThing) and thing.items is None and not thing.entries)
    if not is_vague or (isinstance(thing, ContainerThing) and thing.fields):
        return value
    declared = annotated(frame.world, info.module, annotation, value.sources)  # type: ignore[arg-type]
    return value if declared.is_unknown else or_none(declared, annotation)


def _star(positional: list[Value], spread: Value | None) -> Value:
    items = element_of(spread) if spread is not None else None
    sources = merge_sources(*(v.sources for v in positional), spread.sources if spread else ())
    return Value(ContainerThing("tuple", items, entries=tuple(positional), is_open=spread is not None), sources)

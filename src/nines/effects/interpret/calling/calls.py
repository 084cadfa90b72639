"""Calls whatever a value stands for: project functions and classes, library things, partials, unions."""

from __future__ import annotations

from typing import Any

from nines.effects.interpret.calling.binding import bind
from nines.effects.interpret.calling.construct import construct
from nines.effects.interpret.calling.summaries import call_function
from nines.effects.interpret.calling.wrapped import call_wrapped
from nines.effects.interpret.libraries.library import call_library
from nines.effects.interpret.state.entrances import attribute
from nines.effects.interpret.state.frame import Frame
from nines.effects.limits import CANDIDATES_MAX
from nines.effects.link import FunctionInfo
from nines.effects.nodes import Arm, BranchNode
from nines.effects.values import (
    NOTHING,
    UNKNOWN,
    ClassThing,
    DecoratorThing,
    FunctionThing,
    InstanceThing,
    LibraryThing,
    ManagedThing,
    MethodThing,
    ObjectThing,
    PartialThing,
    Thing,
    UnionThing,
    Value,
    WrappedThing,
    deep_sources,
    join,
    merge_sources,
    unclear,
    unknown,
)


def call_value(  # noqa: PLR0911, PLR0917
    frame: Frame,
    callee: Value,
    arguments: list[Value],
    keywords: dict[str, Value],
    line: int,
    column: int = 1,
    changed: dict[str, Value] | None = None,
) -> Value:
    """What `entrances.call` enters."""
    changed = {} if changed is None else changed
    thing = callee.thing
    if isinstance(thing, FunctionThing):
        return _function(frame, thing, arguments, keywords, line, column, changed)
    if isinstance(thing, ClassThing):
        return construct(frame, thing.info, arguments, keywords, line, column)
    if isinstance(thing, LibraryThing):
        return call_library(frame, thing.name, None, arguments, keywords, line, column, changed)
    if isinstance(thing, MethodThing):
        if thing.name.startswith("?."):
            return _unknown_method(frame, thing, arguments, keywords, line, column)
        return call_library(frame, thing.name, thing.receiver, arguments, keywords, line, column, changed)
    if isinstance(thing, PartialThing):
        merged = dict(thing.keywords) | keywords
        return call_value(frame, thing.function, [*thing.arguments, *arguments], merged, line, column, changed)
    if isinstance(thing, WrappedThing | DecoratorThing):
        return call_wrapped(frame, callee, arguments, keywords, line, column)
    if isinstance(thing, UnionThing):
        return _each(frame, thing, arguments, keywords, line, column)
    if isinstance(thing, InstanceThing | ObjectThing):
        return _callable_object(frame, callee, arguments, keywords, line, column)
    sources = [deep_sources(value) for value in (*arguments, *keywords.values())]
    return unknown(merge_sources(callee.sources, *sources))


def _function(  # noqa: PLR0917
    frame: Frame,
    thing: FunctionThing,
    arguments: list[Value],
    keywords: dict[str, Value],
    line: int,
    column: int,
    changed: dict[str, Value],
) -> Value:
    info = thing.info
    if frame.world.kinds.get(info) == "context":
        return Value(ManagedThing(Value(thing), tuple(arguments), tuple(keywords.items()), line))
    if thing.bound is not None:
        arguments = [thing.bound, *arguments]
    env = bind(frame, info, arguments, keywords)
    value, after = call_function(frame, info, env, line, column, dict(thing.closure))
    names = [parameter.name for parameter in info.node.parameters]
    for name, held in after.items():
        position = names.index(name) if name in names else -1
        if thing.bound is not None:
            changed["self" if position == 0 else str(position - 1)] = held
        elif position >= 0:
            changed[str(position)] = held
        changed[f"={name}"] = held
    return value


def _each(  # noqa: PLR0917
    frame: Frame,
    thing: UnionThing,
    arguments: list[Value],
    keywords: dict[str, Value],
    line: int,
    column: int,
) -> Value:
    """Calls every alternative, each on its own arm."""
    arms: list[Arm] = []
    values: list[Value] = []
    raised = 0
    callees = [each for each in thing.values if each.thing is not NOTHING]
    for each in callees:
        with frame.capture() as nodes:
            values.append(call_value(frame, each, arguments, keywords, line, column))
        raised += frame.raised
        arms.append(Arm(nodes, "raise" if frame.raised else ""))
        frame.raised = False
    frame.raised = bool(arms) and raised == len(arms)
    if len(arms) == 1:
        frame.nodes.extend(arms[0].nodes)
    elif any(arm.nodes for arm in arms):
        frame.nodes.append(BranchNode(arms, frame.place(line, column), is_test=False))
    return join(values)


def _callable_object(  # noqa: PLR0917
    frame: Frame, callee: Value, arguments: list[Value], keywords: dict[str, Value], line: int, column: int
) -> Value:
    method = attribute(frame, callee, "__call__", line, column)
    if isinstance(method.thing, FunctionThing) or (
        isinstance(method.thing, MethodThing) and method.thing.name in frame.world.signatures.calls
    ):
        return call_value(frame, method, arguments, keywords, line, column)
    return unknown(merge_sources(callee.sources, *(deep_sources(v) for v in (*arguments, *keywords.values()))))


def _unknown_method(  # noqa: PLR0917
    frame: Frame, thing: MethodThing, arguments: list[Value], keywords: dict[str, Value], line: int, column: int
) -> Value:
    """A method of an unknown object: the project's own where only one class has such a method."""
    world = frame.world
    name = thing.name.removeprefix("?.")
    candidates = [] if _is_of_library(thing) else _candidates(frame, name, len(arguments) + len(keywords))
    world.calls += 1
    if candidates:
        things = [Value(FunctionThing(info, Value(InstanceThing(_owner(info))))) for info in candidates]
        return call_value(frame, things[0] if len(things) == 1 else join(things), arguments, keywords, line, column)
    given = (unclear(deep_sources(v)) for v in (*arguments, *keywords.values()))
    sources = merge_sources(thing.receiver.sources, *given)
    return Value(sources=sources) if sources else UNKNOWN


def _is_of_library(thing: Thing) -> bool:
    """Whether the object came out of a library's function, so that a method of the project's is not its own."""
    while isinstance(thing, MethodThing) and thing.name.startswith("?."):
        thing = thing.receiver.thing
    return isinstance(thing, LibraryThing)


def _owner(info: FunctionInfo) -> Any:
    assert info.cls is not None
    return info.cls


def _candidates(frame: Frame, name: str, count: int) -> list[FunctionInfo]:
    world = frame.world
    found = world.linked.by_method.get(name, [])
    if not found or len(found) > CANDIDATES_MAX or name.startswith("__") or name in world.common_names:
        return []
    roots = [info for info in found if len(info.node.parameters) > 0 and _accepts(info, count)]
    return roots if len(roots) == 1 else []


def _accepts(info: FunctionInfo, count: int) -> bool:
    parameters = info.node.parameters
    if any(parameter.kind in ("star", "double_star") for parameter in parameters):
        return True
    needed = sum(1 for parameter in parameters if parameter.default is None) - 1
    return needed <= count <= len(parameters) - 1

"""Calls of libraries: whatever their signature says, and nothing else."""

from __future__ import annotations

import sys

from nines.effects.interpret.libraries.arguments import named
from nines.effects.interpret.libraries.call import LibraryCall
from nines.effects.interpret.libraries.results import RESULT, result
from nines.effects.interpret.libraries.typed import type_origin
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.state.world import World
from nines.effects.interpret.symbols.refusing import is_refusal
from nines.effects.values import (
    NO_SOURCES,
    NONE,
    NOTHING,
    UNKNOWN,
    ContainerThing,
    InstanceThing,
    LibraryThing,
    MethodThing,
    ObjectThing,
    ScalarThing,
    Value,
    WrappedThing,
    deep_sources,
    library,
    merge_sources,
    sorted_fields,
    unclear,
    with_field,
)


def call_library(  # noqa: PLR0917
    frame: Frame,
    name: str,
    receiver: Value | None,
    arguments: list[Value],
    keywords: dict[str, Value],
    line: int,
    column: int,
    changed: dict[str, Value],
) -> Value:
    """The value of calling a library's function, method or class."""
    world = frame.world
    world.calls += 1
    signature = world.signatures.calls.get(name)
    if signature is None and name.endswith(".__init__") and receiver is not None:
        _initialised(frame, name.removesuffix(".__init__"), receiver, arguments, keywords, line, column)
        return NONE
    if signature is None:
        return _undescribed(frame, name, receiver, arguments, keywords, line, column)
    bound = named(signature.parameters, arguments, keywords)
    call = LibraryCall(frame, name, signature, receiver, arguments, keywords, bound, line, column, changed)
    if signature.guard:
        frame.facts.update(signature.guard.split())
    if signature.credential or (receiver is not None and _carries_credential(call)):
        frame.facts.add("credential")
        if world.is_nobody and receiver is not None:
            return NONE
    if signature.raises:
        frame.raised = True
        frame.facts.add("refuses")
        frame.facts.update(("denies",) if any(is_refusal(argument) for argument in arguments) else ())
    if signature.keep and receiver is not None:
        changed["self"] = _kept(call, receiver)
    for stage in world.interpreter.stages:
        value = stage(call)
        if value is not None:
            return value
    return result(call)


def _initialised(  # noqa: PLR0917
    frame: Frame,
    base: str,
    receiver: Value,
    arguments: list[Value],
    keywords: dict[str, Value],
    line: int,
    column: int,
) -> None:
    """`super().__init__(...)`: the object keeps what the library's constructor keeps."""
    if base not in frame.world.signatures.calls or frame.info is None or not frame.info.node.parameters:
        return
    made = call_library(frame, base, None, arguments, keywords, line, column, {})
    me = frame.info.node.parameters[0].name
    if isinstance(made.thing, ObjectThing) and isinstance(receiver.thing, InstanceThing):
        held = frame.env.get(me, receiver)
        for name, value in made.thing.fields:
            held = with_field(held, name, value)
        frame.env[me] = held


def _carries_credential(call: LibraryCall) -> bool:
    """Whether a header or cookie is asked for whose name speaks of a credential."""
    thing = call.receiver.thing if call.receiver is not None else None
    origin = call.world.signatures.trait(thing.type, "origin") if isinstance(thing, ObjectThing) else None
    if origin not in ("caller:header", "caller:cookie"):
        return False
    asked = [v.constant.lower() for v in call.bound.values() if isinstance(v.constant, str)]
    return any(word in name for name in asked for word in call.world.signatures.credential_words)


def _kept(call: LibraryCall, receiver: Value) -> Value:
    for field, text in call.signature.keep.items():
        held = call.argument(text) if text.startswith("@") else Value(constant=text)
        if held is not None:
            receiver = with_field(receiver, field, held)
            site = receiver.thing.site if isinstance(receiver.thing, ObjectThing) else ""
            if site and call.frame.info is None:
                call.world.shared[(site, field)] = held
    return receiver


def _undescribed(  # noqa: PLR0917
    frame: Frame,
    name: str,
    receiver: Value | None,
    arguments: list[Value],
    keywords: dict[str, Value],
    line: int,
    column: int,
) -> Value:
    """A library's function without a signature: harmless by its package or type, else a blind spot if it matters."""
    world = frame.world
    given = merge_sources(*(deep_sources(v) for v in (*arguments, *keywords.values())))
    own = receiver.sources if receiver is not None else NO_SOURCES
    asked = next((str(v.constant) for v in arguments if isinstance(v.constant, str)), "")
    asked_for = type_origin(world, receiver, asked) if receiver is not None else NO_SOURCES
    sources = merge_sources(asked_for, own, given)
    if name in world.signatures.types:
        fields = tuple(sorted_fields(named((), arguments, keywords)))
        return Value(ObjectThing(name, frame.site(line, column), fields), sources)
    type = ""
    if receiver is not None and isinstance(receiver.thing, ObjectThing):
        type = receiver.thing.type
    harmless = world.signatures.is_harmless(name) or (bool(type) and bool(world.signatures.trait(type, "is_harmless")))
    if not harmless:
        sources = merge_sources(asked_for, own, unclear(given))
    if not harmless and not isinstance(receiver.thing if receiver else None, ContainerThing | WrappedThing):
        world.unresolved += 1
        if matters(world, name):
            frame.blind("call into a library without a signature", name, line, column)
    if name.rpartition(".")[2][:1].isupper():
        return Value(ObjectThing(name, frame.site(line, column)), sources)
    if _is_its_own(world, name) and not any(_is_of_project(v) for v in (*arguments, *keywords.values())):
        return Value(MethodThing(library(name), RESULT), sources)
    return Value(sources=sources) if sources else UNKNOWN


def _is_its_own(world: World, name: str) -> bool:
    """Whether a function belongs to a library that is described: what it makes of library objects is the library's."""
    package = name.partition(".")[0]
    return package in world.signatures.packages and package not in sys.stdlib_module_names


def _is_of_project(value: Value) -> bool:
    """Whether a value, or an item of it, could come back as an object of the project."""
    thing = value.thing
    if isinstance(thing, ContainerThing):
        held = (*(thing.entries or ()), *(value for _, value in thing.fields))
        return thing.items is not None or any(_is_of_project(each) for each in held)
    return thing is not NOTHING and not isinstance(thing, LibraryThing | ObjectThing | ScalarThing | MethodThing)


def matters(world: World, name: str) -> bool:
    """Whether a name speaks of databases, networks, queues or the like."""
    lowered = name.lower()
    return any(word in lowered for word in world.signatures.words)

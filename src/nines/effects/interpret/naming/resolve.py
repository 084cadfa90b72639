"""Gives module-level names, functions and class attributes their values."""

from __future__ import annotations

from typing import Any

from nines.effects.interpret.libraries.typed import typed
from nines.effects.interpret.naming.annotations import annotated
from nines.effects.interpret.naming.decorate import decorate
from nines.effects.interpret.state.entrances import evaluate
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.state.world import World
from nines.effects.interpret.symbols.parts import item_at
from nines.effects.limits import ALTERNATIVES_MAX
from nines.effects.link import AssignBinding, ClassInfo, FunctionInfo, ModuleInfo
from nines.effects.values import (
    UNKNOWN,
    ClassThing,
    FunctionThing,
    LibraryThing,
    ModuleThing,
    ObjectThing,
    Value,
    library,
)
from nines.model.code import Call, Expression, Name, Subscript


def global_value(world: World, module: ModuleInfo, name: str) -> Value:
    """What a module's name holds; UNKNOWN while it is being evaluated."""
    key = (module.name, name)
    if key in world.globals:
        world.standing.recall(key)
        return world.globals[key]
    return world.work_out(world.globals, key, key, lambda: _global(world, module, name), UNKNOWN)


def _global(world: World, module: ModuleInfo, name: str) -> Value:
    found = world.linked.lookup(module, name)
    if not found:
        for star in world.linked.star_libraries(module):
            qualified = world.signatures.canonical(f"{star}.{name}")
            if qualified in world.signatures.calls or qualified in world.signatures.types:
                return library(qualified)
        return library(f"builtins.{name}") if name not in module.bindings else UNKNOWN
    # What only wraps the earlier value (`app = CORSMiddleware(app)`) tells less of the name than what it wraps.
    found = sorted(found[:ALTERNATIVES_MAX], key=lambda each: _wraps(each, name))
    values = [found_value(world, each, module) for each in found]
    telling = [value for value in values if not value.is_unknown and value.constant is not None]
    if any(isinstance(value.thing, LibraryThing) for value in telling) and len(telling) > 1:
        return telling[-1]
    return telling[0] if telling else values[0]


def _wraps(found: Any, name: str) -> bool:
    """Whether an assignment hands the name's own earlier value to a call."""
    value = found.value if isinstance(found, AssignBinding) else None
    if not isinstance(value, Call):
        return False
    given = (*value.arguments, *(argument.value for argument in value.keywords))
    return any(isinstance(each, Name) and each.id == name for each in given)


def found_value(world: World, found: Any, module: ModuleInfo) -> Value:
    """The value of what the linker found."""
    if isinstance(found, ModuleInfo):
        return Value(ModuleThing(found.name))
    if isinstance(found, ClassInfo):
        return Value(ClassThing(found))
    if isinstance(found, FunctionInfo):
        return function_value(world, found)
    if isinstance(found, AssignBinding):
        return binding_value(world, found, module)
    name = world.signatures.canonical(found)
    head, _, tail = name.rpartition(".")
    declared = world.signatures.attribute(head, tail)
    if declared:
        return typed(world, declared)
    return library(name)


def binding_value(world: World, binding: AssignBinding, module: ModuleInfo, cls: ClassInfo | None = None) -> Value:
    """The value of an assignment outside functions."""
    owner = world.linked.owners.get(id(binding), module)
    frame = Frame(world, owner)
    frame.cls = cls
    frame.line = binding.line
    value = evaluate(frame, binding.value) if binding.value is not None else UNKNOWN
    if binding.index >= 0:
        value = item_at(value, binding.index)
    if (value.is_unknown or value.constant is None) and binding.annotation is not None:
        declared = annotated(world, owner, binding.annotation, value.sources)
        value = declared if not declared.is_unknown else value
    return value


def function_value(world: World, info: FunctionInfo) -> Value:
    """The function behind its decorators."""
    if not info.node.decorators:
        return Value(FunctionThing(info))
    if info in world.functions:
        world.standing.recall(info)
        return world.functions[info]
    plain = Value(FunctionThing(info))
    return world.work_out(world.functions, info, info, lambda: _decorated(world, info), plain)


def _decorated(world: World, info: FunctionInfo) -> Value:
    frame = Frame(world, info.module)
    frame.cls = info.cls
    frame.line = info.node.line
    return decorate(frame, Value(FunctionThing(info)), info)


def class_value(world: World, info: ClassInfo, name: str) -> Value | None:
    """A class attribute's value, found along the bases; None where no class of the project has it."""
    found = world.linked.find_attribute(info, name)
    if found is None:
        return None
    owner, binding = found
    key = (owner, name)
    if key in world.class_values:
        world.standing.recall(key)
        return world.class_values[key]
    return world.work_out(world.class_values, key, key, lambda: class_binding_value(world, owner, binding), UNKNOWN)


def class_binding_value(world: World, owner: ClassInfo, binding: AssignBinding) -> Value:
    frame = Frame(world, owner.module)
    frame.cls = owner
    frame.line = binding.line
    value = evaluate(frame, binding.value) if binding.value is not None else UNKNOWN
    return item_at(value, binding.index) if binding.index >= 0 else value


def resolve_base(world: World, info: ClassInfo, expression: Expression) -> list[Any]:
    """The base classes that an expression in a class statement names."""
    if isinstance(expression, Subscript):
        expression = expression.value
    frame = Frame(world, info.module)
    frame.line = info.node.line
    bases: list[Any] = []
    outer, world.below = world.below, []
    named = evaluate(frame, expression)
    for summary in world.below:
        world.always |= summary.touched
    world.below = outer
    for value in named.alternatives():
        thing = value.thing
        if isinstance(thing, ClassThing):
            bases.append(thing.info)
        elif isinstance(thing, LibraryThing):
            bases.append(thing.name)
        elif isinstance(thing, ObjectThing):
            bases.append(thing.type)
        else:
            bases.append(None)
    return [base for base in bases if base is not info]

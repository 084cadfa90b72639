"""What `value.name` is: each kind of thing answers in its own way."""

from __future__ import annotations

from nines.effects.interpret.database.mapping import mapped
from nines.effects.interpret.libraries.typed import typed
from nines.effects.interpret.naming.resolve import global_value
from nines.effects.interpret.objects.classes import of_class
from nines.effects.interpret.objects.instances import of_instance
from nines.effects.interpret.objects.library_objects import library_method, of_object
from nines.effects.interpret.objects.methods import bound_method
from nines.effects.interpret.objects.rows import column_value, member_sources
from nines.effects.interpret.state.entrances import call
from nines.effects.interpret.state.frame import Frame
from nines.effects.values import (
    NO_SOURCES,
    UNKNOWN,
    ClassThing,
    ColumnThing,
    ContainerThing,
    CriterionThing,
    FunctionThing,
    InstanceThing,
    LibraryThing,
    MethodThing,
    ModuleThing,
    ObjectThing,
    PartialThing,
    SuperThing,
    TextThing,
    UnionThing,
    Value,
    WrappedThing,
    constant,
    field,
    join,
    library,
    with_sources,
)


def attribute_value(frame: Frame, receiver: Value, name: str, line: int, column: int = 1) -> Value:  # noqa: C901, PLR0911
    """What `entrances.attribute` enters."""
    thing = receiver.thing
    if frame.world.is_nobody and name == "is_authenticated":
        frame.facts.add("credential")
        return constant(False)
    if isinstance(thing, UnionThing):
        told = [each for each in _units_of_work_as_one(frame, thing.values) if each.constant is not None]
        return join([attribute_value(frame, each, name, line, column) for each in told])
    if isinstance(thing, InstanceThing):
        return of_instance(frame, receiver, thing, name, line, column)
    if isinstance(thing, ObjectThing):
        return of_object(frame, receiver, thing, name, line, column)
    if isinstance(thing, ModuleThing):
        module = frame.world.linked.module(thing.name)
        return global_value(frame.world, module, name) if module else UNKNOWN
    if isinstance(thing, ClassThing):
        return of_class(frame, receiver, thing.info, name)
    if isinstance(thing, LibraryThing):
        return _of_library(frame, thing.name, name)
    if isinstance(thing, ContainerThing) and thing.kind == "row":
        return with_sources(column_value(receiver.sources, name), NO_SOURCES)
    if isinstance(thing, SuperThing):
        return _of_super(frame, thing, name, line, column)
    if isinstance(thing, ColumnThing):
        return _of_column(frame, receiver, thing, name)
    if isinstance(thing, WrappedThing):
        signature = frame.world.signatures.calls.get(thing.signature)
        if signature is not None and signature.decorated_type:
            return library_method(frame, receiver, signature.decorated_type, name)
        return attribute_value(frame, thing.function, name, line, column)
    kind = _language_type(receiver)
    if kind:
        held = field(receiver, name)
        return held if held is not None else Value(MethodThing(receiver, f"{kind}.{name}"), receiver.sources)
    return Value(MethodThing(receiver, f"?.{name}"), member_sources(receiver.sources, name))


def _units_of_work_as_one(frame: Frame, values: tuple[Value, ...]) -> list[Value]:
    """Of several sessions that a name may stand for one is in use in any one request: rows, writes and commits are its.

    Told apart, each would commit its own transaction and leave the other's open for ever."""
    kept: dict[str, Value] = {}
    others: list[Value] = []
    for each in values:
        thing = each.thing
        if isinstance(thing, ObjectThing) and thing.query is None and _is_unit_of_work(frame, thing.type):
            kept.setdefault(thing.type, each)
        else:
            others.append(each)
    return [*kept.values(), *others]


def _is_unit_of_work(frame: Frame, type: str) -> bool:
    trait = frame.world.signatures.trait
    return bool(trait(type, "unit_of_work")) and not trait(type, "lazy")


def _language_type(value: Value) -> str:
    thing = value.thing
    if isinstance(thing, ContainerThing):
        return f"builtins.{'list' if thing.kind == 'generator' else thing.kind}"
    if isinstance(value.constant, str) or isinstance(thing, TextThing):
        return "builtins.str"
    if isinstance(thing, CriterionThing):
        return "builtins.object"
    if isinstance(thing, FunctionThing | PartialThing):
        return "builtins.function"
    return ""


def _of_library(frame: Frame, owner: str, name: str) -> Value:
    signatures = frame.world.signatures
    declared = signatures.attribute(owner, name)
    if declared:
        return typed(frame.world, declared)
    qualified = signatures.canonical(f"{owner}.{name}")
    if qualified not in signatures.calls:
        qualified = signatures.method(owner, name) or qualified
    return library(qualified)


def _of_super(frame: Frame, thing: SuperThing, name: str, line: int, column: int) -> Value:
    held = thing.receiver.thing
    info = held.info if isinstance(held, InstanceThing | ClassThing) else thing.after
    world = frame.world
    method = world.linked.find_method(info, name, after=thing.after)
    if method is not None:
        value = bound_method(frame, method, thing.receiver)
        return call(frame, value, [], {}, line, column) if world.kinds.get(method) == "property" else value
    for base in world.linked.ancestry(info)[1]:
        qualified = world.signatures.method(base, name)
        if name == "__init__" and base in world.signatures.calls:
            qualified = f"{base}.__init__"
        if qualified:
            return Value(MethodThing(thing.receiver, qualified), thing.receiver.sources)
        declared = world.signatures.attribute(base, name)
        if declared:
            return typed(world, declared, thing.receiver)
    return Value(MethodThing(thing.receiver, f"builtins.object.{name}"), thing.receiver.sources)


def _of_column(frame: Frame, receiver: Value, thing: ColumnThing, name: str) -> Value:
    """A column's method (`in_`, `desc`), or a column of the table behind a relation."""
    if thing.relation is not None:
        table = mapped(frame.world, thing.relation)
        if table is not None and name in table.columns:
            return Value(ColumnThing(thing.relation, table.columns[name].name, table.name))
    info = thing.info
    bases = frame.world.linked.ancestry(info)[1] if info is not None else []
    for base in bases:
        column_type = frame.world.signatures.trait(base, "column_type")
        if isinstance(column_type, str):
            return library_method(frame, receiver, column_type, name)
    return Value(MethodThing(receiver, f"builtins.object.{name}"), receiver.sources)

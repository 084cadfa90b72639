"""What annotations say of the values that they stand beside."""

from __future__ import annotations

from nines.effects.interpret.state.entrances import evaluate
from nines.effects.interpret.state.frame import Frame
from nines.effects.interpret.state.world import World
from nines.effects.link import ClassInfo, ModuleInfo
from nines.effects.values import (
    NO_SOURCES,
    NONE,
    UNKNOWN,
    ClassThing,
    ContainerThing,
    InstanceThing,
    LibraryThing,
    ObjectThing,
    ScalarThing,
    Sources,
    UnionThing,
    Value,
    instance,
    join,
    list_of,
    sanitised,
    unknown,
)
from nines.model.code import Attribute, Binary, Call, Constant, Expression, Name, Sequence, Subscript

CHOSEN = ("sql", "choice", "path", "html", "command", "url")
"""What a value is safe for when it is one of a few written in the code."""

_WRAPPERS = {"list": "list", "set": "set", "tuple": "tuple", "frozenset": "set", "dict": "dict"}


def annotated(world: World, module: ModuleInfo, expression: Expression, sources: Sources = NO_SOURCES) -> Value:
    """An object of the annotated type."""
    key = (module.name, expression)
    try:
        value = world.annotations.get(key)
    except TypeError:
        return unknown(sources)
    if value is None:
        value = world.work_out(
            world.annotations, key, ("annotation", key), lambda: _annotated(Frame(world, module), expression), UNKNOWN
        )
    else:
        world.standing.recall(("annotation", key))
    return _from(value, sources)


def _from(value: Value, sources: Sources) -> Value:
    """The same object, coming from `sources`, with what its type guarantees."""
    if not sources:
        return value
    if isinstance(value.thing, ContainerThing) and value.thing.items is not None:
        thing = ContainerThing(value.thing.kind, _from(value.thing.items, sources))
        return Value(thing, sources)
    if isinstance(value.thing, UnionThing):
        return Value(UnionThing(tuple(_from(each, sources) for each in value.thing.values)), sources)
    if isinstance(value.thing, ScalarThing):
        return Value(value.thing, sanitised(sources, value.thing.labels))
    return Value(value.thing, sources if not value.sources else (*value.sources, *sources))


def or_none(value: Value, annotation: object) -> Value:
    """The value, which may also be None where its annotation says so."""
    return join([value, NONE]) if not value.is_unknown and _allows_none(annotation) else value


def _allows_none(annotation: object) -> bool:
    if isinstance(annotation, Binary) and annotation.operator == "|":
        return any(_allows_none(side) for side in (annotation.left, annotation.right))
    if isinstance(annotation, Subscript):
        named = getattr(annotation.value, "id", getattr(annotation.value, "name", ""))
        return named == "Optional"
    return isinstance(annotation, Constant) and annotation.value is None


def annotated_value(frame: Frame, node: Subscript) -> Value:
    """A library's generic type with its arguments, used as a value: an alias of a type."""
    return _generic(frame, node)


def _annotated(frame: Frame, expression: Expression) -> Value:
    if isinstance(expression, Constant):
        return UNKNOWN
    if isinstance(expression, Binary) and expression.operator == "|":
        sides = [_annotated(frame, expression.left), _annotated(frame, expression.right)]
        telling = [side for side in sides if not side.is_unknown]
        return join(telling) if telling else UNKNOWN
    if isinstance(expression, Subscript):
        return _generic(frame, expression)
    if not isinstance(expression, Name | Attribute | Call):
        return UNKNOWN
    return instance_of(frame.world, evaluate(frame, expression))


def instance_of(world: World, type: Value) -> Value:  # noqa: PLR0911
    """An object of the type that a value names."""
    thing = type.thing
    if isinstance(thing, ClassThing):
        labels = _class_labels(world, thing.info)
        if labels:
            return Value(ScalarThing(labels))
        return instance(thing.info)
    if isinstance(thing, UnionThing):
        return join([instance_of(world, each) for each in thing.values])
    if isinstance(thing, LibraryThing):
        short = thing.name.removeprefix("builtins.")
        if short in _WRAPPERS:
            return Value(ContainerThing(_WRAPPERS[short]))
        known = world.signatures.trait(thing.name, "sanitises")
        if isinstance(known, tuple):
            return Value(ScalarThing(known))
        if thing.name.startswith("builtins."):
            return UNKNOWN
        return Value(ObjectThing(thing.name))
    if isinstance(thing, InstanceThing | ObjectThing | ContainerThing):
        return type
    return UNKNOWN


def _class_labels(world: World, info: ClassInfo) -> tuple[str, ...]:
    """What a project class, such as an enumeration, guarantees of its values."""
    for base in world.linked.ancestry(info)[1]:
        labels = world.signatures.trait(base, "sanitises")
        if isinstance(labels, tuple):
            return labels
    return ()


def _generic(frame: Frame, expression: Subscript) -> Value:  # noqa: PLR0911
    """`list[X]`, `Optional[X]`, `Annotated[X, ...]` and a project's own generic classes."""
    outer = evaluate(frame, expression.value)
    keys = expression.key.items if isinstance(expression.key, Sequence) else (expression.key,)
    name = outer.thing.name if isinstance(outer.thing, LibraryThing) else ""
    world = frame.world
    role = world.signatures.calls.get(name)
    verb = role.mechanism if role else ""
    if verb == "first_argument":
        return _annotated(frame, keys[0]) if keys else UNKNOWN
    if verb == "union":
        telling = [v for v in (_annotated(frame, key) for key in keys) if not v.is_unknown]
        return join(telling) if telling else UNKNOWN
    short = name.removeprefix("builtins.")
    if verb == "list_of" or short in ("list", "set", "frozenset", "tuple"):
        return list_of(_annotated(frame, keys[0]), kind=_WRAPPERS.get(short, "list"))
    if verb == "dict_of" or short == "dict":
        return Value(ContainerThing("dict", _annotated(frame, keys[-1])))
    if verb == "class_of" or short == "type":
        thing = _annotated(frame, keys[0]).thing
        return Value(ClassThing(thing.info)) if isinstance(thing, InstanceThing) else UNKNOWN
    if verb == "literal":
        return Value(ScalarThing(CHOSEN))
    if verb == "callable":
        return UNKNOWN
    value = instance_of(world, outer)
    if isinstance(value.thing, ObjectThing):
        return Value(ObjectThing(value.thing.type, items=_annotated(frame, keys[-1]) if keys else None))
    return value

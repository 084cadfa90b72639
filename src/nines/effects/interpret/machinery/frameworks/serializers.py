"""Serializers: a row as it is shown, the caller's data as it is let through."""

from __future__ import annotations

from nines.effects.interpret.database.fetching import materialise
from nines.effects.interpret.database.mapping import mapped, relation_of
from nines.effects.interpret.libraries.call import LibraryCall, Mechanism
from nines.effects.interpret.machinery.frameworks.fields import (
    declared_fields,
    field_values,
    kind_of,
    model_of,
    named_fields,
)
from nines.effects.interpret.machinery.frameworks.members import argument
from nines.effects.interpret.state.entrances import attribute
from nines.effects.interpret.state.entrances import call as call_value
from nines.effects.interpret.state.frame import Frame
from nines.effects.link import ClassInfo
from nines.effects.values import (
    ContainerThing,
    FunctionThing,
    InstanceThing,
    Source,
    Sources,
    Value,
    deep_sources,
    field,
    merge_sources,
    sorted_fields,
    unknown,
    with_field,
    with_sources,
)
from nines.model.origin import OriginKind


def _represent(call: LibraryCall) -> Value:
    """One row as a serializer shows it: its methods are called, nested serializers walk relations."""
    serializer, row = argument(call, 0), argument(call, 1)
    thing = serializer.thing
    if not isinstance(thing, InstanceThing):
        return unknown(deep_sources(row))
    frame = call.frame
    sources: list[Sources] = [row.sources]
    declared = declared_fields(frame, thing.info)
    for name, value in declared.items():
        sources.append(_shown(call, serializer, row, name, value))
    _undeclared(frame, thing.info, row, set(declared), call.line)
    return Value(ContainerThing("dict"), merge_sources(*sources))


def _shown(call: LibraryCall, serializer: Value, row: Value, name: str, value: Value) -> Sources:
    frame = call.frame
    kind = kind_of(frame, value)
    given = field(value, "source")
    path = given.constant if given is not None and isinstance(given.constant, str) else name
    if kind == "SerializerMethodField":
        named = field(value, "method_name")
        method = named.constant if named is not None and isinstance(named.constant, str) else f"get_{name}"
        bound = attribute(frame, serializer, method, call.line)
        if isinstance(bound.thing, FunctionThing):
            result = call_value(frame, bound, [row], {}, call.line)
            frame.raised = False
            return deep_sources(result)
        return ()
    if kind in ("BaseSerializer", "RelatedField"):
        held = walked(frame, row, path, call.line)
        if kind == "RelatedField":
            return materialise(frame, held, call.line).sources
        shown = attribute(frame, with_field(value, "instance", held), "data", call.line)
        return deep_sources(shown)
    if kind == "PrimaryKeyRelatedField":
        many = field(value, "many")
        if many is not None and many.constant is True:
            return materialise(frame, walked(frame, row, path, call.line), call.line).sources
        return ()
    return walked(frame, row, path, call.line).sources if "." in path else ()


def walked(frame: Frame, row: Value, path: str, line: int) -> Value:
    """`source="author.profile.name"`."""
    value = row
    for part in path.split("."):
        if part != "*":
            value = attribute(frame, value, part, line)
            if isinstance(value.thing, FunctionThing):
                value = call_value(frame, value, [], {}, line)
    return value


def _undeclared(frame: Frame, info: ClassInfo, row: Value, done: set[str], line: int) -> None:
    """Properties and many-to-many relations that Meta.fields names cost what looking at them costs."""
    model = model_of(frame, info)
    table = mapped(frame.world, model) if model is not None else None
    if model is None or table is None:
        return
    for name in named_fields(frame, info, table):
        if name in done or name in table.columns:
            continue
        relation = relation_of(frame.world, table, name)
        method = frame.world.linked.find_method(model, name)
        if (relation is not None and relation.is_many) or method is not None:
            materialise(frame, walked(frame, row, name, line), line)


def _data_of(call: LibraryCall) -> Value:
    """The caller's data as a serializer lets it through, by field; own `validate_x` methods are called."""
    serializer, given = argument(call, 0), argument(call, 1)
    thing = serializer.thing
    sources = deep_sources(given) or (Source(OriginKind.CALLER, "data", "body"),)
    if not isinstance(thing, InstanceThing):
        return unknown(sources)
    fields = field_values(call.frame, thing.info, sources)
    for name, value in list(fields.items()):
        method = call.world.linked.find_method(thing.info, f"validate_{name}")
        if method is not None:
            bound = attribute(call.frame, serializer, f"validate_{name}", call.line)
            made = call_value(call.frame, bound, [value], {}, call.line)
            call.frame.raised = False
            fields[name] = with_sources(made, value.sources) if not made.is_unknown else value
    return Value(ContainerThing("dict", None, tuple(sorted_fields(fields)), is_open=not fields), sources)


MECHANISMS: dict[str, Mechanism] = {
    "framework_represent": _represent,
    "framework_data_of": _data_of,
}

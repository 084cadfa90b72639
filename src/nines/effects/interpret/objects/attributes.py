"""What `value.name` is, for every kind of thing."""

from __future__ import annotations

from dataclasses import replace

from nines.effects.interpret.calling.initial import initial_fields, later_value
from nines.effects.interpret.database.building import start_entity
from nines.effects.interpret.database.fetching import Run, emit_query
from nines.effects.interpret.database.mapping import mapped, relation_of
from nines.effects.interpret.libraries.typed import type_origin, typed
from nines.effects.interpret.naming.overriding import implementations
from nines.effects.interpret.naming.resolve import annotated, class_value, function_value, global_value
from nines.effects.interpret.state.entrances import call
from nines.effects.interpret.state.frame import Frame
from nines.effects.link import ClassInfo, FunctionInfo
from nines.effects.mapped import Mapped, Relation
from nines.effects.queries import Condition
from nines.effects.values import (
    ANYTHING,
    NO_SOURCES,
    SITE,
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
    ScalarThing,
    Source,
    Sources,
    SuperThing,
    TextThing,
    UnionThing,
    Value,
    WrappedThing,
    field,
    join,
    library,
    list_of,
    merge_sources,
    sanitised,
    unknown,
    with_field,
    with_sources,
)
from nines.model.effect import Known, Rows
from nines.model.origin import OriginKind


def attribute_value(frame: Frame, receiver: Value, name: str, line: int, column: int = 1) -> Value:  # noqa: C901, PLR0911
    """What `entrances.attribute` enters."""
    thing = receiver.thing
    if isinstance(thing, UnionThing):
        return join(
            [attribute_value(frame, each, name, line, column) for each in thing.values if each.constant is not None]
        )
    if isinstance(thing, InstanceThing):
        return _of_instance(frame, receiver, thing, name, line, column)
    if isinstance(thing, ObjectThing):
        return _of_object(frame, receiver, thing, name, line, column)
    if isinstance(thing, ModuleThing):
        module = frame.world.linked.module(thing.name)
        return global_value(frame.world, module, name) if module else UNKNOWN
    if isinstance(thing, ClassThing):
        return _of_class(frame, receiver, thing.info, name, line, column)
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
            return _method(frame, receiver, signature.decorated_type, name)
        return attribute_value(frame, thing.function, name, line, column)
    kind = _language_type(receiver)
    if kind:
        held = field(receiver, name)
        return held if held is not None else Value(MethodThing(receiver, f"{kind}.{name}"), receiver.sources)
    return Value(MethodThing(receiver, f"?.{name}"), _member_sources(receiver.sources, name))


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


def _member_sources(sources: Sources, name: str) -> Sources:
    """The sources of a part: a column of a row is named, everything else stays what it was."""
    return tuple(s._replace(name=name) if s.kind is OriginKind.DATABASE and not s.name else s for s in sources)


def column_value(sources: Sources, name: str) -> Value:
    return unknown(_member_sources(sources, name))


def _of_library(frame: Frame, owner: str, name: str) -> Value:
    signatures = frame.world.signatures
    declared = signatures.attribute(owner, name)
    if declared:
        return typed(frame.world, declared)
    qualified = signatures.canonical(f"{owner}.{name}")
    if qualified not in signatures.calls:
        qualified = signatures.method(owner, name) or qualified
    return library(qualified)


def _method(frame: Frame, receiver: Value, type: str, name: str) -> Value:
    qualified = frame.world.signatures.method(type, name) or f"{type}.{name}"
    return Value(MethodThing(receiver, qualified), receiver.sources)


def _of_object(frame: Frame, receiver: Value, thing: ObjectThing, name: str, line: int, column: int) -> Value:  # noqa: PLR0911, PLR0917
    held = field(receiver, name)
    if held is not None:
        return held
    signatures = frame.world.signatures
    shared = frame.world.shared.get((thing.type, name))
    if shared is not None:
        return shared
    if signatures.trait(thing.type, "is_shared"):
        return UNKNOWN
    runs = signatures.trait(thing.type, "names_statements")
    if isinstance(runs, str):
        return Value(MethodThing(with_field(receiver, "statement", Value(constant=name)), runs))
    qualified = signatures.method(thing.type, name)
    declared = signatures.attribute(thing.type, name)
    if declared and not qualified:
        sources = merge_sources(type_origin(frame.world, receiver, name), receiver.sources)
        if declared == "fixed method":
            frame.world.method_reads += 1
            return Value(ScalarThing(("fixed",)), (), frame.world.method) if frame.world.method else unknown(sources)
        if declared == "run":
            return call(frame, Value(MethodThing(receiver, f"{thing.type}.{name}")), [], {}, line, column)
        value = typed(frame.world, declared, receiver, dict(thing.fields), sources, thing.site)
        return _origin_of_new(frame, value, name)
    if qualified:
        return Value(MethodThing(receiver, qualified), receiver.sources)
    if thing.query is not None and thing.query.entity is not None:
        custom = _manager_method(frame, receiver, thing.query.entity, name)
        if custom is not None:
            return custom
    if thing.items is not None and isinstance(thing.items.thing, InstanceThing) and not thing.type.rpartition(".")[0]:
        return attribute_value(frame, thing.items, name, line, column)
    own = type_origin(frame.world, receiver, name)
    return Value(
        MethodThing(receiver, f"{thing.type}.{name}"), merge_sources(own, _member_sources(receiver.sources, name))
    )


def _origin_of_new(frame: Frame, value: Value, name: str) -> Value:
    """An attribute's object may itself be a source: `request.query_params`."""
    own = type_origin(frame.world, value, name)
    return Value(value.thing, own, value.constant) if own else value


def _manager_method(frame: Frame, receiver: Value, info: ClassInfo, name: str) -> Value | None:
    """A method that a project's own query set or manager class adds."""
    world = frame.world
    for owner in world.linked.ancestry(info)[0]:
        for binding in owner.attributes:
            value = class_value(world, owner, binding)
            for each in value.alternatives() if value is not None else ():
                thing = each.thing
                if not isinstance(thing, InstanceThing):
                    continue
                method = world.linked.find_method(thing.info, name)
                if method is not None and any(
                    world.signatures.trait(b, "manager") for b in world.linked.ancestry(thing.info)[1]
                ):
                    return Value(FunctionThing(method, receiver))
    return None


def _of_class(frame: Frame, receiver: Value, info: ClassInfo, name: str, line: int, column: int) -> Value:  # noqa: ARG001, C901, PLR0911, PLR0917
    world = frame.world
    table = mapped(world, info)
    if table is not None:
        found = table.columns.get(name)
        if found is not None:
            return Value(ColumnThing(info, found.name, table.name))
        relation = relation_of(world, table, name)
        if relation is not None:
            return Value(ColumnThing(info, name, table.name, relation.target))
    method = world.linked.find_method(info, name)
    if method is not None:
        return bound_method(frame, method, receiver, info, on_class=True)
    value = class_value(world, info, name)
    if value is not None and not (value.is_unknown and table is not None):
        if isinstance(value.thing, InstanceThing) and table is not None:
            managed = _project_manager(frame, value, info)
            return managed if managed is not None else value
        thing = value.thing
        if isinstance(thing, ObjectThing) and table is not None and world.signatures.trait(thing.type, "manager"):
            query = start_entity(world, info, str(world.signatures.trait(thing.type, "connection_name") or ""))
            return Value(replace(thing, query=query))
        return value
    inner = world.linked.find_inner(info, name)
    if inner is not None:
        return Value(ClassThing(inner))
    for base in world.linked.ancestry(info)[1]:
        declared = world.signatures.attribute(base, name)
        if declared:
            made = typed(world, declared, receiver)
            thing = made.thing
            if table is not None and isinstance(thing, ObjectThing) and world.signatures.trait(thing.type, "manager"):
                query = start_entity(world, info, str(world.signatures.trait(thing.type, "connection_name") or ""))
                return Value(replace(thing, query=query))
            return made
        qualified = world.signatures.method(base, name)
        if qualified:
            return Value(MethodThing(receiver, qualified))
    if any(world.signatures.trait(base, "sanitises") for base in world.linked.ancestry(info)[1]):
        return UNKNOWN
    return Value(MethodThing(receiver, f"?.{name}"))


def _project_manager(frame: Frame, value: Value, info: ClassInfo) -> Value | None:
    """A project's manager or query set class on a mapped class: a query of that class, with extra methods."""
    thing = value.thing
    assert isinstance(thing, InstanceThing)
    world = frame.world
    for base in world.linked.ancestry(thing.info)[1]:
        if world.signatures.trait(base, "manager"):
            query = start_entity(world, info, str(world.signatures.trait(base, "connection_name") or ""))
            own = world.linked.find_method(thing.info, "get_queryset")
            made = Value(ObjectThing(base, query=query))
            if own is not None:
                found = call(frame, Value(FunctionThing(own, made)), [], {}, own.node.line)
                if isinstance(found.thing, ObjectThing) and found.thing.query is not None and found.thing.query.entity:
                    return found
            return made
    return None


def bound_method(
    frame: Frame, method: FunctionInfo, receiver: Value, info: ClassInfo, *, on_class: bool = False
) -> Value:
    """A method as it is reached through an object or a class, behind its decorators."""
    del info
    value = function_value(frame.world, method)
    kind = frame.world.kinds.get(method, "")
    if kind == "static":
        return value
    if kind == "class":
        owner = receiver
        if isinstance(receiver.thing, InstanceThing):
            owner = Value(ClassThing(receiver.thing.info))
        return rebound(value, owner)
    return value if on_class else rebound(value, receiver)


def rebound(value: Value, receiver: Value) -> Value:
    """The function with its first argument fixed, also inside decorators."""
    thing = value.thing
    if isinstance(thing, FunctionThing):
        return Value(replace(thing, bound=receiver), value.sources)
    if isinstance(thing, WrappedThing):
        return Value(replace(thing, function=rebound(thing.function, receiver)), value.sources)
    return Value(PartialThing(value, (receiver,)), value.sources)


def _of_instance(frame: Frame, receiver: Value, thing: InstanceThing, name: str, line: int, column: int) -> Value:  # noqa: PLR0911, PLR0917
    held = field(receiver, name)
    world = frame.world
    table = mapped(world, thing.info)
    if held is not None and (table is None or not thing.row or name not in table.columns):
        return _later(frame, thing, name, held) if table is None else held
    if table is not None:
        found = _of_row(frame, receiver, thing, table, name, line, column)
        if found is not None:
            return found
    method = world.linked.find_method(thing.info, name)
    if method is not None:
        value = bound_method(frame, method, receiver, thing.info)
        if world.kinds.get(method) == "property":
            return call(frame, value, [], {}, line, column)
        others = implementations(world, thing.info, method)
        return _any_of(frame, receiver, others) if others else value
    declared = _declared(frame, receiver, thing.info, name)
    if declared is not None:
        return declared
    for base in world.linked.ancestry(thing.info)[1]:
        text = world.signatures.attribute(base, name)
        if text:
            sources = merge_sources(receiver.sources, NO_SOURCES)
            return _origin_of_new(
                frame,
                typed(world, text, receiver, dict(thing.fields), sources, thing.connection or _site(receiver)),
                name,
            )
        qualified = world.signatures.method(base, name)
        if qualified:
            return Value(MethodThing(receiver, qualified), receiver.sources)
    if thing.row:
        return unknown(_member_sources(receiver.sources, name))
    return Value(MethodThing(receiver, f"?.{name}"), receiver.sources)


def _any_of(frame: Frame, receiver: Value, methods: list[FunctionInfo]) -> Value:
    """The methods that may stand behind a declared one, each with an object of its own class."""
    found = []
    for method in methods:
        assert method.cls is not None
        owner = Value(InstanceThing(method.cls), receiver.sources)
        found.append(bound_method(frame, method, owner, method.cls))
    return found[0] if len(found) == 1 else join(found)


def _later(frame: Frame, thing: InstanceThing, name: str, held: Value) -> Value:
    """A field that was empty when the object was made holds, while requests run, what start-up put there."""
    if not (held.has_constant and held.constant is None) or frame.module is not thing.info.module:
        return held
    found = later_value(frame, thing.info, name)
    return held if found is None else found


def _site(receiver: Value) -> str:
    """Where an object was made, for the kinds of which that is kept."""
    held = field(receiver, SITE)
    return str(held.constant) if held is not None and held.has_constant else ""


def _declared(frame: Frame, receiver: Value, info: ClassInfo, name: str) -> Value | None:
    """A field by its declaration in the class, or by what __init__ assigns."""
    world = frame.world
    found = world.linked.find_attribute(info, name)
    if found is not None:
        owner, binding = found
        if binding.annotation is not None:
            value = annotated(world, owner.module, binding.annotation, receiver.sources)
            if not value.is_unknown or binding.value is None:
                return value
        given = class_value(world, info, name)
        if given is not None:
            data = receiver.sources if binding.annotation is not None else NO_SOURCES
            return with_sources(Value(given.thing, given.sources) if data else given, data)
    inner = world.linked.find_inner(info, name)
    if inner is not None:
        return Value(ClassThing(inner))
    fields = initial_fields(frame, info)
    return fields.get(name)


_NUMBERS = ("integer", "bigint", "smallint", "numeric", "double precision")
"""Columns that hold no text, whatever the row was made of."""


def _of_row(  # noqa: PLR0917
    frame: Frame, receiver: Value, thing: InstanceThing, table: Mapped, name: str, line: int, column: int
) -> Value | None:
    """A column's value, or the rows behind a relation."""
    found = table.columns.get(name)
    if found is not None:
        held = field(receiver, name)
        base = [s for s in receiver.sources if s.kind is not OriginKind.DATABASE]
        own = (Source(OriginKind.DATABASE, found.name, token=thing.row),) if thing.row else ()
        if not thing.row:
            base = list(_member_sources(receiver.sources, found.name))
        if held is not None and not held.is_unknown:
            return held
        return unknown(sanitised((*own, *base), ("sql", "number")) if found.type in _NUMBERS else (*own, *base))
    relation = relation_of(frame.world, table, name)
    if relation is None:
        return None
    held = field(receiver, name)
    return held if held is not None else related(frame, receiver, thing, table, relation, line, column)


def related(  # noqa: PLR0917
    frame: Frame, receiver: Value, thing: InstanceThing, table: Mapped, relation: Relation, line: int, column: int
) -> Value:
    """What a relation's attribute gives: a further query, one lazily loaded row, or what was loaded with the parent."""
    world = frame.world
    target = mapped(world, relation.target) if relation.target is not None else None
    sources = (Source(OriginKind.DATABASE, relation.name, token=thing.row),) if thing.row else receiver.sources
    kept = tuple(s for s in receiver.sources if s.kind is OriginKind.PRINCIPAL)
    sources = merge_sources(sources, kept)
    if relation.target is None or target is None:
        return unknown(sources)
    manager = world.signatures.trait(table.base, "manager")
    key = relation.column or f"{table.name}_id"
    query = replace(
        start_entity(world, relation.target, thing.connection),
        conditions=(Condition(key if relation.is_many or relation.is_back else target.key or "id", "=", sources),),
        is_related=relation.is_many,
    )
    is_eager = relation.name in thing.eager or bool(thing.eager & ANYTHING)
    if relation.is_many and isinstance(manager, str):
        if is_eager:
            query = replace(query, is_column=False, is_loaded=True)
        return Value(ObjectThing(manager, thing.connection, query=query), sources)
    nested = frozenset(n[len(relation.name) + 2 :] for n in thing.eager if n.startswith(f"{relation.name}__"))
    nested |= thing.eager & ANYTHING
    if is_eager or not thing.row:
        loaded = Value(
            InstanceThing(relation.target, row=thing.row, eager=nested, connection=thing.connection), sources
        )
        return list_of(loaded) if relation.is_many else loaded
    type = _session_type(frame, thing, table)
    library_name = world.signatures.libraries.get(table.base, "") or table.base.partition(".")[0]
    run = Run(frame, frame.place(line, column), type, thing.connection, library_name, True)
    if not relation.is_many:
        query = replace(query, limit=Known.SET, limit_one=True)
    _, row = emit_query(run, query, rows=Rows.MANY if relation.is_many else Rows.ONE, held=relation.is_many, lazy=True)
    return list_of(row) if relation.is_many else row


def _session_type(frame: Frame, thing: InstanceThing, table: Mapped) -> str:
    del thing
    return table.base if frame.world.signatures.trait(table.base, "connection") else ""


def _of_super(frame: Frame, thing: SuperThing, name: str, line: int, column: int) -> Value:
    held = thing.receiver.thing
    info = held.info if isinstance(held, InstanceThing | ClassThing) else thing.after
    world = frame.world
    method = world.linked.find_method(info, name, after=thing.after)
    if method is not None:
        value = bound_method(frame, method, thing.receiver, info)
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
            return _method(frame, receiver, column_type, name)
    return Value(MethodThing(receiver, f"builtins.object.{name}"), receiver.sources)

"""The ways in which an owner changes a blueprint, each as a function of the blueprint and of chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, TypeAlias, TypeVar

from msgspec.structs import replace

from nines.model.blueprint import (
    Action,
    Blueprint,
    Dependency,
    DependencyKind,
    Event,
    Field,
    FieldKind,
    Idempotency,
    Limit,
    Operation,
    Page,
    Resource,
    ResourceKind,
    State,
    Tenancy,
)
from nines.model.design.ddl import literal
from nines.model.record import Record
from nines.planning import plan
from nines.planning.data.looking import demanded, remembering, values_of

DAY_S = 86_400.0
T = TypeVar("T")


class Changed(Record):
    """The next version of a blueprint, and what its owner tells of the change."""

    blueprint: Blueprint
    fills: Mapping[str, str] = {}
    renames: Mapping[str, str] = {}


Kind: TypeAlias = Callable[[Blueprint, Random], Changed | None]
"""None: nothing of this blueprint can be changed like this."""


def _optional(blueprint: Blueprint, chance: Random) -> Changed | None:
    return grown(blueprint, chance, kind=FieldKind.INT64, is_optional=True)


def _default(blueprint: Blueprint, chance: Random) -> Changed | None:
    return grown(blueprint, chance, kind=FieldKind.INT32, default=7)


def _required(blueprint: Blueprint, chance: Random) -> Changed | None:
    """A field that every new request has to carry, with a value for what exists."""
    found = grown(blueprint, chance, kind=FieldKind.STRING, length_max=40)
    return found and filled(blueprint, found)


def _indexed(blueprint: Blueprint, chance: Random) -> Changed | None:
    """A list that is filtered by one more field."""
    lists = [each for each in blueprint.operations if each.do is Action.LIST]
    for operation in shuffled(lists, chance):
        resource = blueprint.resource(operation.on)
        fields = [field for field in resource.fields if is_plain(field) and not field.is_encrypted] if resource else []
        more = [field.name for field in fields if field.name not in operation.filters and not field.is_personal]
        if more:
            after = replace(operation, filters=(*operation.filters, chance.choice(more)))
            return Changed(blueprint=with_operation(blueprint, after))
    return None


def _dropped(blueprint: Blueprint, chance: Random) -> Changed | None:
    resource, field = a_field(blueprint, chance, is_free=True)
    if resource is None or field is None:
        return None
    kept = tuple(each for each in resource.fields if each is not field)
    return Changed(blueprint=with_resource(blueprint, replace(resource, fields=kept)))


def _loosened(blueprint: Blueprint, chance: Random) -> Changed | None:
    return altered(blueprint, chance, lambda each: None if each.is_optional else replace(each, is_optional=True))


def _demanded(blueprint: Blueprint, chance: Random) -> Changed | None:
    """What was optional has to be there, and rows without it get a value."""
    found = altered(blueprint, chance, lambda each: replace(each, is_optional=False) if each.is_optional else None)
    return found and filled(blueprint, found)


def _renamed(blueprint: Blueprint, chance: Random) -> Changed | None:
    resource, field = a_field(blueprint, chance, is_free=True)
    if resource is None or field is None:
        return None
    name = f"{field.name}_anew"
    fields = tuple(replace(each, name=name) if each is field else each for each in resource.fields)
    after = with_resource(blueprint, replace(resource, fields=fields))
    columns = {f"{table.name}.{field.name}": name for table in plan(after).tables if table.column(name)}
    return Changed(blueprint=after, renames=columns)


def _widened(blueprint: Blueprint, chance: Random) -> Changed | None:
    return altered(blueprint, chance, _wider)


def _wider(field: Field) -> Field | None:
    if field.kind is FieldKind.INT32:
        return replace(field, kind=FieldKind.INT64)
    if field.kind in (FieldKind.STRING, FieldKind.TEXT) and field.length_max:
        return replace(field, length_max=field.length_max + 20)
    return replace(field, values=(*field.values, "other")) if field.kind is FieldKind.ENUM else None


def _narrowed(blueprint: Blueprint, chance: Random) -> Changed | None:
    found = altered(blueprint, chance, _narrower)
    return found and moved(blueprint, found)


def _narrower(field: Field) -> Field | None:
    if field.kind is FieldKind.INT64:
        return replace(field, kind=FieldKind.INT32)
    if field.kind in (FieldKind.STRING, FieldKind.TEXT) and (field.length_max or 0) > 10:
        return replace(field, length_max=(field.length_max or 0) - 8)
    return replace(field, values=field.values[:-1]) if field.kind is FieldKind.ENUM and field.values[1:] else None


def _state(blueprint: Blueprint, chance: Random) -> Changed | None:
    """One more, with the operation that leads there."""
    for resource in shuffled(blueprint.resources, chance):
        if resource.states:
            name = f"extra_{len(resource.states)}"
            at = chance.randrange(len(resource.states))
            states = [*resource.states, State(name=name)]
            states[at] = replace(states[at], to=(*states[at].to, name))
            after = with_resource(blueprint, replace(resource, states=tuple(states)))
            operation = _moving(blueprint, resource, f"move{resource.name}To{name.title().replace('_', '')}", name)
            return Changed(blueprint=replace(after, operations=(*after.operations, operation)))
    return None


def _stateless(blueprint: Blueprint, chance: Random) -> Changed | None:
    """One less, and nothing leads there any more."""
    for resource in shuffled(blueprint.resources, chance):
        ends = [each for each in resource.states[1:] if not each.to]
        if ends:
            gone = chance.choice(ends).name
            kept = [each for each in resource.states if each.name != gone]
            states = tuple(replace(each, to=tuple(name for name in each.to if name != gone)) for each in kept)
            after = with_resource(blueprint, replace(resource, states=states))
            left = tuple(each for each in after.operations if (each.on, each.to_state) != (resource.name, gone))
            jobs = tuple(each for each in after.jobs if (each.on, each.to_state) != (resource.name, gone))
            more = without_untold(replace(after, operations=left, jobs=jobs))
            return moved(blueprint, Changed(blueprint=more))
    return None


def _operation(blueprint: Blueprint, chance: Random) -> Changed | None:
    for resource in shuffled(blueprint.resources, chance):
        reads = [each for each in blueprint.operations if each.on == resource.name and each.do is Action.READ]
        if not reads and resource.kind is not ResourceKind.LEDGER:
            roles = tuple(role.name for role in blueprint.roles)[-1:]
            more = Operation(name=f"lookAt{resource.name}", on=resource.name, do=Action.READ, roles=roles)
            return Changed(blueprint=replace(blueprint, operations=(*blueprint.operations, more)))
    return None


def _less(blueprint: Blueprint, chance: Random) -> Changed | None:
    gone = chance.choice(blueprint.operations)
    kept = tuple(each for each in blueprint.operations if each is not gone)
    return Changed(blueprint=without_untold(replace(blueprint, operations=kept))) if kept else None


def _resourceless(blueprint: Blueprint, chance: Random) -> Changed | None:
    referred = {field.of for resource in blueprint.resources for field in resource.fields}
    posted = {each.posts for each in blueprint.operations}
    free = [each for each in blueprint.resources if each.name not in referred | posted]
    if len(blueprint.resources) < 2 or not free:
        return None
    gone = chance.choice(free).name
    after = replace(
        blueprint,
        resources=tuple(each for each in blueprint.resources if each.name != gone),
        operations=tuple(each for each in blueprint.operations if each.on != gone),
        jobs=tuple(each for each in blueprint.jobs if each.on != gone),
    )
    return Changed(blueprint=without_untold(after)) if after.operations else None


def _roleless(blueprint: Blueprint, chance: Random) -> Changed | None:
    several = [each for each in blueprint.operations if len(each.roles) > 1]
    if not several:
        return None
    operation = chance.choice(several)
    gone = chance.choice(operation.roles)
    after = replace(operation, roles=tuple(each for each in operation.roles if each != gone))
    return Changed(blueprint=with_operation(blueprint, after))


def _ungranted(blueprint: Blueprint, chance: Random) -> Changed | None:
    """One way less to reach an object."""
    for resource in shuffled(blueprint.resources, chance):
        for part in shuffled(("read", "list", "write"), chance):
            grants = getattr(resource.access, part)
            if len(grants) > 1:
                access = replace(resource.access, **{part: grants[:-1]})
                return Changed(blueprint=with_resource(blueprint, replace(resource, access=access)))
    return None


def _limited(blueprint: Blueprint, chance: Random) -> Changed | None:
    """Fewer calls, so few that whoever went on as before would notice."""
    operation = chance.choice(blueprint.operations)
    others = tuple(each for each in blueprint.limits if each.operation != operation.name)
    after = (*others, Limit(operation=operation.name, count=1, period_s=3_600.0))
    return Changed(blueprint=replace(blueprint, limits=after))


def _paged(blueprint: Blueprint, chance: Random) -> Changed | None:
    lists = [each for each in blueprint.operations if each.do is Action.LIST]
    if not lists:
        return None
    return Changed(blueprint=with_operation(blueprint, replace(chance.choice(lists), page=Page(default=5, max=10))))


def _asking(blueprint: Blueprint, chance: Random) -> Changed | None:
    """Somebody else is asked before a thing may change its state."""
    name = "auditor"
    moves = [each for each in blueprint.operations if each.do is Action.TRANSITION and not each.calls]
    if blueprint.dependency(name) or not moves:
        return None
    operation = chance.choice(moves)
    other = Dependency(
        name=name, kind=DependencyKind.HTTP, url="${AUDITOR_URL}", timeout_s=0.1, latency_p95_s=0.05, bulkhead=16,
        availability=0.9999,
    )  # fmt: skip
    after = replace(operation, calls=(f"{name}.approve",), idempotency=operation.idempotency or Idempotency())
    return Changed(blueprint=replace(with_operation(blueprint, after), dependencies=(*blueprint.dependencies, other)))


def _event(blueprint: Blueprint, chance: Random) -> Changed | None:
    if not blueprint.events.types:
        return None
    at = chance.randrange(len(blueprint.events.types))
    types = list(blueprint.events.types)
    types[at] = replace(types[at], version=types[at].version + 1)
    return Changed(blueprint=replace(blueprint, events=replace(blueprint.events, types=tuple(types))))


def _telling(blueprint: Blueprint, chance: Random) -> Changed | None:
    """One more event."""
    silent = [
        each
        for each in blueprint.operations
        if each.do in (Action.CREATE, Action.TRANSITION) and not each.emits and not each.is_asynchronous
    ]
    if not silent:
        return None
    operation = chance.choice(silent)
    name = f"{operation.on.lower()}.{operation.to_state or 'created'}_anew"
    event = Event(name=name, resource=operation.on)
    events = replace(blueprint.events, types=(*blueprint.events.types, event))
    after = with_operation(blueprint, replace(operation, emits=(name,)))
    return Changed(blueprint=replace(after, events=events))


def _audited(blueprint: Blueprint, chance: Random) -> Changed | None:
    quiet = [each for each in blueprint.resources if each.audit != "all" and each.kind is ResourceKind.ENTITY]
    if not quiet:
        return None
    return Changed(blueprint=with_resource(blueprint, replace(chance.choice(quiet), audit="all")))


def _encrypted(blueprint: Blueprint, chance: Random) -> Changed | None:
    def sealed(field: Field) -> Field | None:
        is_text = field.kind in (FieldKind.STRING, FieldKind.TEXT, FieldKind.EMAIL, FieldKind.PHONE)
        return replace(field, is_encrypted=True, is_personal=True) if is_text and not field.is_encrypted else None

    return altered(blueprint, chance, sealed)


def _shortened(blueprint: Blueprint, chance: Random) -> Changed | None:
    kept = [each for each in blueprint.resources if (each.retention_s or 0) > DAY_S]
    if not kept:
        return None
    resource = chance.choice(kept)
    return Changed(blueprint=with_resource(blueprint, replace(resource, retention_s=30 * DAY_S)))


def _tenanted(blueprint: Blueprint, _: Random) -> Changed | None:
    if blueprint.tenancy is not None:
        return None
    after = replace(blueprint, tenancy=Tenancy(key="tenant_id"))
    had = {table.name for table in plan(blueprint).tables}
    tables = [table for table in plan(after).tables if table.name in had and table.column("tenant_id")]
    fills = {f"{table.name}.tenant_id": "'tenant-of-owner'" for table in tables}
    return Changed(blueprint=after, fills=fills)


def _unique(blueprint: Blueprint, chance: Random) -> Changed | None:
    """Rows that exist may well collide."""
    resource, field = a_field(blueprint, chance)
    if resource is None or field is None or field.is_encrypted or not is_plain(field):
        return None
    return Changed(blueprint=with_resource(blueprint, replace(resource, unique=(*resource.unique, (field.name,)))))


def _keyed(blueprint: Blueprint, chance: Random) -> Changed | None:
    """A key that every request has to carry from now on."""
    free = [
        each
        for each in blueprint.operations
        if each.do in (Action.CREATE, Action.TRANSITION) and not (each.idempotency and each.idempotency.is_required)
    ]
    if not free:
        return None
    return Changed(
        blueprint=with_operation(blueprint, replace(chance.choice(free), idempotency=Idempotency(is_required=True)))
    )


def _versioned(blueprint: Blueprint, chance: Random) -> Changed | None:
    """A version that every change has to name from now on."""
    changing = (Action.UPDATE, Action.TRANSITION, Action.DELETE)
    free = [each for each in blueprint.operations if each.do in changing and not each.needs_if_match]
    if not free:
        return None
    return Changed(blueprint=with_operation(blueprint, replace(chance.choice(free), needs_if_match=True)))


KINDS: Mapping[str, Kind] = {
    "optional": _optional,
    "default": _default,
    "required": _required,
    "indexed": _indexed,
    "dropped": _dropped,
    "loosened": _loosened,
    "demanded": _demanded,
    "renamed": _renamed,
    "widened": _widened,
    "narrowed": _narrowed,
    "state": _state,
    "stateless": _stateless,
    "operation": _operation,
    "less": _less,
    "resourceless": _resourceless,
    "roleless": _roleless,
    "ungranted": _ungranted,
    "limited": _limited,
    "paged": _paged,
    "asking": _asking,
    "event": _event,
    "telling": _telling,
    "audited": _audited,
    "encrypted": _encrypted,
    "shortened": _shortened,
    "tenanted": _tenanted,
    "unique": _unique,
    "keyed": _keyed,
    "versioned": _versioned,
}


def grown(blueprint: Blueprint, chance: Random, **field: Any) -> Changed | None:
    resource = chance.choice([each for each in blueprint.resources if each.kind is not ResourceKind.LEDGER])
    name = next(name for name in (f"extra_{number}" for number in range(20)) if resource.field(name) is None)
    more = replace(Field(name=name), **field)
    return Changed(blueprint=with_resource(blueprint, replace(resource, fields=(*resource.fields, more))))


def altered(blueprint: Blueprint, chance: Random, change: Callable[[Field], Field | None]) -> Changed | None:
    """Any one field that the change is possible for."""
    possible = [
        (resource, field, after)
        for resource in blueprint.resources
        if resource.kind is not ResourceKind.LEDGER
        for field in resource.fields
        if not field.is_read_only and not field.is_list and (after := change(field)) is not None
    ]
    if not possible:
        return None
    resource, field, after = chance.choice(possible)
    fields = tuple(after if each is field else each for each in resource.fields)
    return Changed(blueprint=with_resource(blueprint, replace(resource, fields=fields)))


def filled(before: Blueprint, found: Changed) -> Changed:
    """With a value for every column that is required from now on."""
    values = {"text": "'as before'", "bigint": "7", "integer": "7", "date": "'2030-01-01'", "boolean": "false"}
    old = {table.name: table for table in plan(before).tables}
    fills = {}
    for table in plan(found.blueprint).tables:
        for column in table.columns:
            was = old[table.name].column(column.name) if table.name in old else None
            is_new = table.name in old and (was is None or was.is_nullable)
            if is_new and not column.is_nullable and not column.default:
                fills[f"{table.name}.{column.name}"] = values.get(column.type, "'as before'")
    return replace(found, fills={**found.fills, **fills})


def moved(before: Blueprint, found: Changed) -> Changed:
    """With a value for every row that has one which is no longer there."""
    old = {table.name: table for table in plan(before).tables}
    fills = {}
    for table in plan(found.blueprint).tables:
        was = old.get(table.name, table)
        for column, value in demanded(was, remembering(was, table)):
            left = next(each for check in table.checks for name, each in (values_of(check),) if name == column)
            fills[f"{table.name}.{column}.{value}"] = literal(left[0])
    return replace(found, fills={**found.fills, **fills})


def a_field(blueprint: Blueprint, chance: Random, *, is_free: bool = False) -> tuple[Resource | None, Field | None]:
    """A field that callers give; with `is_free` one that nothing else of the blueprint speaks of."""
    possible = [
        (resource, field)
        for resource in blueprint.resources
        if resource.kind is not ResourceKind.LEDGER
        for field in resource.fields
        if not field.is_read_only and is_plain(field) and not (is_free and is_named(resource, blueprint, field))
    ]
    return chance.choice(possible) if possible else (None, None)


def is_plain(field: Field) -> bool:
    kinds = (FieldKind.STRING, FieldKind.TEXT, FieldKind.INT32, FieldKind.INT64, FieldKind.BOOLEAN, FieldKind.DATE)
    return field.kind in kinds and not field.is_list


def is_named(resource: Resource, blueprint: Blueprint, field: Field) -> bool:
    keys = {name for key in resource.unique for name in key}
    keys |= {part.column for index in resource.indexes for part in index.parts}
    spoken = any(field.name in (*each.filters, *(part.column for part in each.order)) for each in blueprint.operations)
    told = any(field.name in event.fields for event in blueprint.events.types)
    ruled = any(field.name in text for text in resource.invariants)
    return field.name in keys or spoken or told or ruled


def _moving(blueprint: Blueprint, resource: Resource, name: str, state: str) -> Operation:
    movers = [each for each in blueprint.operations if each.on == resource.name and each.roles]
    roles = movers[-1].roles if movers else tuple(role.name for role in blueprint.roles)
    key = Idempotency(is_required=True)
    return Operation(
        name=name, on=resource.name, do=Action.TRANSITION, to_state=state, roles=roles, idempotency=key, share=0.0
    )


def without_untold(blueprint: Blueprint) -> Blueprint:
    """Events that nobody tells any more go as well, and limits of what is gone."""
    told = {name for each in blueprint.operations for name in each.emits}
    told |= {name for each in blueprint.jobs for name in each.emits}
    types = tuple(each for each in blueprint.events.types if each.name in told)
    names = {each.name for each in blueprint.operations}
    limits = tuple(each for each in blueprint.limits if not each.operation or each.operation in names)
    return replace(blueprint, events=replace(blueprint.events, types=types), limits=limits)


def with_resource(blueprint: Blueprint, resource: Resource) -> Blueprint:
    changed = tuple(resource if each.name == resource.name else each for each in blueprint.resources)
    return replace(blueprint, resources=changed)


def with_operation(blueprint: Blueprint, operation: Operation) -> Blueprint:
    changed = tuple(operation if each.name == operation.name else each for each in blueprint.operations)
    return replace(blueprint, operations=changed)


def shuffled(given: Sequence[T], chance: Random) -> list[T]:
    return chance.sample(given, len(given))

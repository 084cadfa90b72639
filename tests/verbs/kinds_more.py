"""More ways in which an owner changes a blueprint: every word of the vocabulary that kinds.py leaves out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from msgspec.structs import replace

from nines.model.blueprint import (
    Access,
    Action,
    Blueprint,
    Deprecation,
    Field,
    FieldKind,
    Grant,
    GrantKind,
    Idempotency,
    Identifier,
    IndexPart,
    Job,
    Limit,
    Module,
    OnDelete,
    Operation,
    Resource,
    ResourceKind,
    WantedIndex,
)
from nines.model.design.ddl import literal
from nines.planning import plan
from nines.planning.data.looking import demanded
from tests.verbs.kinds import (
    DAY_S,
    KINDS,
    Changed,
    Kind,
    a_field,
    altered,
    filled,
    is_named,
    is_plain,
    shuffled,
    with_operation,
    with_resource,
    without_untold,
)

_WRITES = (Action.CREATE, Action.UPDATE, Action.TRANSITION, Action.DELETE)


def _major(blueprint: Blueprint, _: Random) -> Changed | None:
    """Every path has another beginning."""
    return Changed(blueprint=replace(blueprint, service=replace(blueprint.service, api="v2")))


def _offered(blueprint: Blueprint, chance: Random) -> Changed | None:
    """One more way to ask."""
    card = blueprint.service
    more = [each for each in ("graphql", "grpc") if each not in card.interfaces]
    if not more:
        return None
    after = replace(card, interfaces=(*card.interfaces, chance.choice(more)))
    return Changed(blueprint=replace(blueprint, service=after))


def _withdrawn(blueprint: Blueprint, chance: Random) -> Changed | None:
    card = blueprint.service
    extra = [each for each in card.interfaces if each != "rest"]
    if not extra:
        return None
    gone = chance.choice(extra)
    after = replace(card, interfaces=tuple(each for each in card.interfaces if each != gone))
    return Changed(blueprint=replace(blueprint, service=after))


def _described(blueprint: Blueprint, _: Random) -> Changed | None:
    card = replace(blueprint.service, owner="team-other", purpose="Does what it did, in other words.")
    resources = tuple(replace(each, says=f"{each.name}, in other words.") for each in blueprint.resources)
    return Changed(blueprint=replace(blueprint, service=card, resources=resources))


def _promised(blueprint: Blueprint, _: Random) -> Changed | None:
    return Changed(blueprint=replace(blueprint, budgets=replace(blueprint.budgets, latency_p95_s=0.4, recovery_s=60.0)))


def _busier(blueprint: Blueprint, _: Random) -> Changed | None:
    load = blueprint.load
    after = replace(load, steady_hz=load.steady_hz * 1.5, peak_hz=load.peak_hz * 1.2, payload_bytes=4_096)
    return Changed(blueprint=replace(blueprint, load=after))


def _deployed(blueprint: Blueprint, _: Random) -> Changed | None:
    deploy = replace(blueprint.deploy, platform="compose", replicas_min=1, replicas_max=1)
    return Changed(blueprint=replace(blueprint, deploy=deploy))


def _auth(**change: Any) -> Kind:
    def kind(blueprint: Blueprint, _: Random) -> Changed | None:
        if blueprint.auth is None or all(getattr(blueprint.auth, name) == value for name, value in change.items()):
            return None
        return Changed(blueprint=replace(blueprint, auth=replace(blueprint.auth, **change)))

    return kind


def _second_factor(blueprint: Blueprint, chance: Random) -> Changed | None:
    return _role(blueprint, chance, lambda role: replace(role, needs_second_factor=not role.needs_second_factor))


def _role(blueprint: Blueprint, chance: Random, change: Callable[[Any], Any]) -> Changed | None:
    if not blueprint.roles:
        return None
    gone = chance.choice(blueprint.roles)
    return Changed(blueprint=replace(blueprint, roles=tuple(change(r) if r is gone else r for r in blueprint.roles)))


def _role_renamed(blueprint: Blueprint, chance: Random) -> Changed | None:
    """Tokens that were issued still tell the old name."""
    if not blueprint.roles:
        return None
    old = chance.choice(blueprint.roles).name
    new = f"{old}_anew"

    def grants(given: tuple[Grant, ...]) -> tuple[Grant, ...]:
        return tuple(replace(each, role=new) if each.role == old else each for each in given)

    def opened(access: Access) -> Access:
        return Access(read=grants(access.read), list=grants(access.list), write=grants(access.write))

    roles = tuple(replace(each, name=new) if each.name == old else each for each in blueprint.roles)
    resources = tuple(replace(each, access=opened(each.access)) for each in blueprint.resources)
    operations = tuple(
        replace(each, roles=tuple(new if role == old else role for role in each.roles)) for each in blueprint.operations
    )
    after = replace(blueprint, roles=roles, resources=resources, operations=operations)
    tables = {table.name: table for table in plan(blueprint).tables}
    lost = ((each.name, demanded(tables.get(each.name, each), each)) for each in plan(after).tables)
    # Whoever was granted the old one has the new one.
    fills = {
        f"{table}.{column}.{old}": literal(new)
        for table, all_of_it in lost
        for column, value in all_of_it
        if value == old
    }
    return Changed(blueprint=after, fills=fills)


def _untenanted(blueprint: Blueprint, _: Random) -> Changed | None:
    tenancy = blueprint.tenancy
    if tenancy is None:
        return None
    resources = tuple(
        replace(
            each,
            unique=tuple(tuple(n for n in key if n != tenancy.key) for key in each.unique),
            indexes=(),
        )
        for each in blueprint.resources
    )
    limits = tuple(each for each in blueprint.limits if each.per != "tenant")
    return Changed(blueprint=replace(blueprint, tenancy=None, resources=resources, limits=limits))


def _part(blueprint: Blueprint, chance: Random, *, is_optional: bool) -> Changed | None:
    """One more part of every value of a type."""
    if not blueprint.types:
        return None
    grown = chance.choice(blueprint.types)
    part = Field(name="extra_part", kind=FieldKind.INT32, is_optional=is_optional)
    after = replace(grown, fields=(*grown.fields, part))
    found = Changed(
        blueprint=replace(blueprint, types=tuple(after if each is grown else each for each in blueprint.types))
    )
    return found if is_optional else filled(blueprint, found)


def _part_optional(blueprint: Blueprint, chance: Random) -> Changed | None:
    return _part(blueprint, chance, is_optional=True)


def _part_required(blueprint: Blueprint, chance: Random) -> Changed | None:
    return _part(blueprint, chance, is_optional=False)


def _listed(blueprint: Blueprint, chance: Random) -> Changed | None:
    """Several where there was one."""
    resource, field = a_field(blueprint, chance, is_free=True)
    if resource is None or field is None or field.default is not None:
        return None
    fields = tuple(replace(each, is_list=True) if each is field else each for each in resource.fields)
    return Changed(blueprint=with_resource(blueprint, replace(resource, fields=fields)))


def _read_only(blueprint: Blueprint, chance: Random) -> Changed | None:
    """Callers may no longer say it."""

    def held(field: Field) -> Field | None:
        return replace(field, is_read_only=True) if field.is_optional or field.default is not None else None

    return altered(blueprint, chance, held)


def _defaulted(blueprint: Blueprint, chance: Random) -> Changed | None:
    return altered(blueprint, chance, lambda f: replace(f, default=3) if _is_number(f) and f.default is None else None)


def _undefaulted(blueprint: Blueprint, chance: Random) -> Changed | None:
    found = altered(blueprint, chance, lambda f: replace(f, default=None) if f.default is not None else None)
    return found and filled(blueprint, found)


def _redefaulted(blueprint: Blueprint, chance: Random) -> Changed | None:
    return altered(
        blueprint, chance, lambda f: replace(f, default=5) if _is_number(f) and f.default not in (None, 5) else None
    )


def _bounded(blueprint: Blueprint, chance: Random) -> Changed | None:
    """Rows that exist may lie outside."""
    return altered(
        blueprint, chance, lambda f: replace(f, minimum=2, maximum=40) if _is_number(f) and not f.default else None
    )


def _unbounded(blueprint: Blueprint, chance: Random) -> Changed | None:
    def freed(field: Field) -> Field | None:
        is_bounded = field.minimum is not None or field.maximum is not None
        return replace(field, minimum=None, maximum=None, is_minimum_exclusive=False) if is_bounded else None

    return altered(blueprint, chance, freed)


def _personal(blueprint: Blueprint, chance: Random) -> Changed | None:
    return altered(
        blueprint, chance, lambda f: replace(f, is_personal=True) if is_plain(f) and not f.is_personal else None
    )


def _retyped(blueprint: Blueprint, chance: Random) -> Changed | None:
    """The same column, and other values."""

    def other(field: Field) -> Field | None:
        if field.kind is FieldKind.STRING and not field.is_encrypted:
            return replace(field, kind=FieldKind.COUNTRY, length_max=None)
        return replace(field, kind=FieldKind.STRING, length_max=300) if field.kind is FieldKind.EMAIL else None

    return altered(blueprint, chance, other)


def _referring(blueprint: Blueprint, chance: Random) -> Changed | None:
    """One thing leads to another, from now on."""
    entities = [each for each in blueprint.resources if each.kind is ResourceKind.ENTITY]
    if len(entities) < 2:
        return None
    one, other = chance.sample(entities, 2)
    field = Field(
        name="beside",
        kind=FieldKind.REFERENCE,
        of=other.name,
        is_optional=True,
        on_delete=chance.choice(list(OnDelete)),
    )
    return Changed(blueprint=with_resource(blueprint, replace(one, fields=(*one.fields, field))))


def _cascading(blueprint: Blueprint, chance: Random) -> Changed | None:
    def other(field: Field) -> Field | None:
        return replace(field, on_delete=OnDelete.CASCADE) if field.kind is FieldKind.REFERENCE else None

    return altered(blueprint, chance, other)


def _resource(blueprint: Blueprint, _: Random) -> Changed | None:
    """A thing that was not there, with all that may be done to it."""
    if blueprint.resource("Remark") is not None:
        return None
    first = blueprint.resources[0]
    fields = (Field(name="words", kind=FieldKind.STRING, length_max=80),
              Field(name="about", kind=FieldKind.REFERENCE, of=first.name, is_optional=True))  # fmt: skip
    owner = (Grant(kind=GrantKind.OWNER),)
    thing = Resource(
        name="Remark", identifier=Identifier(prefix="rem"), fields=fields, retention_s=365 * DAY_S,
        access=Access(read=owner, list=owner, write=owner),
    )  # fmt: skip
    roles = tuple(role.name for role in blueprint.roles)
    key = Idempotency(is_required=True)
    operations = (
        Operation(name="createRemark", on="Remark", do=Action.CREATE, roles=roles, idempotency=key),
        Operation(name="getRemark", on="Remark", do=Action.READ, roles=roles),
        Operation(name="listRemarks", on="Remark", do=Action.LIST, roles=roles),
        Operation(name="updateRemark", on="Remark", do=Action.UPDATE, roles=roles),
        Operation(name="deleteRemark", on="Remark", do=Action.DELETE, roles=roles),
    )
    resources = (*blueprint.resources, thing)
    modules = (
        (replace(blueprint.modules[0], resources=(*blueprint.modules[0].resources, "Remark")), *blueprint.modules[1:])
        if blueprint.modules
        else ()
    )
    after = replace(blueprint, resources=resources, operations=(*blueprint.operations, *operations), modules=modules)
    return Changed(blueprint=after)


def _prefixed(blueprint: Blueprint, chance: Random) -> Changed | None:
    """Identifiers that callers keep begin otherwise."""
    named = [each for each in blueprint.resources if each.identifier.prefix]
    if not named:
        return None
    resource = chance.choice(named)
    after = replace(resource, identifier=replace(resource.identifier, prefix=f"{resource.identifier.prefix}n"))
    return Changed(blueprint=with_resource(blueprint, after))


def _identified(blueprint: Blueprint, chance: Random) -> Changed | None:
    """New rows are named by chance alone."""
    timely = [each for each in blueprint.resources if each.identifier.kind is FieldKind.UUID7]
    if not timely:
        return None
    resource = chance.choice(timely)
    after = replace(resource, identifier=replace(resource.identifier, kind=FieldKind.UUID))
    return Changed(blueprint=with_resource(blueprint, after))


def _shared(blueprint: Blueprint, chance: Random) -> Changed | None:
    """A key that several may share from now on."""
    keyed = [each for each in blueprint.resources if each.unique and each.kind is ResourceKind.ENTITY]
    if not keyed:
        return None
    resource = chance.choice(keyed)
    return Changed(blueprint=with_resource(blueprint, replace(resource, unique=resource.unique[1:])))


def _wanted(blueprint: Blueprint, chance: Random) -> Changed | None:
    resource, field = a_field(blueprint, chance)
    if resource is None or field is None or field.is_encrypted:
        return None
    more = WantedIndex(parts=(IndexPart(column=field.name), IndexPart(column="created_at", is_descending=True)))
    return Changed(blueprint=with_resource(blueprint, replace(resource, indexes=(*resource.indexes, more))))


def _ruled(blueprint: Blueprint, chance: Random) -> Changed | None:
    """A condition that rows which exist may not keep."""
    for resource in shuffled(blueprint.resources, chance):
        numbers = [field for field in resource.fields if _is_number(field) and not field.is_list]
        if numbers and resource.kind is ResourceKind.ENTITY:
            rule = f"{chance.choice(numbers).name} <= 1000000"
            after = replace(resource, invariants=(*resource.invariants, rule))
            return Changed(blueprint=with_resource(blueprint, after))
    return None


def _unruled(blueprint: Blueprint, chance: Random) -> Changed | None:
    ruled = [each for each in blueprint.resources if each.invariants]
    if not ruled:
        return None
    resource = chance.choice(ruled)
    return Changed(blueprint=with_resource(blueprint, replace(resource, invariants=resource.invariants[1:])))


def _granted(blueprint: Blueprint, chance: Random) -> Changed | None:
    """One way more to reach an object."""
    roles = [role.name for role in blueprint.roles]
    for resource in shuffled(blueprint.resources, chance):
        held = {grant.role for grant in resource.access.read}
        more = [role for role in roles if role not in held]
        if more and not any(grant.kind is GrantKind.AUTHENTICATED for grant in resource.access.read):
            grant = Grant(kind=GrantKind.ROLE, role=chance.choice(more))
            access = replace(resource.access, read=(*resource.access.read, grant))
            return Changed(blueprint=with_resource(blueprint, replace(resource, access=access)))
    return None


def _kept(blueprint: Blueprint, chance: Random) -> Changed | None:
    resource = chance.choice(blueprint.resources)
    if resource.retention_s == float("inf"):
        return None
    return Changed(blueprint=with_resource(blueprint, replace(resource, retention_s=float("inf"))))


def _operation_renamed(blueprint: Blueprint, chance: Random) -> Changed | None:
    """What clients are generated from, and often the path."""
    operation = chance.choice(blueprint.operations)
    name = f"{operation.name}Anew"
    operations = tuple(replace(each, name=name) if each is operation else each for each in blueprint.operations)
    limits = tuple(
        replace(each, operation=name) if each.operation == operation.name else each for each in blueprint.limits
    )
    return Changed(blueprint=replace(blueprint, operations=operations, limits=limits))


def _public(blueprint: Blueprint, chance: Random) -> Changed | None:
    """Anybody may read it from now on."""
    for operation in shuffled(blueprint.operations, chance):
        resource = blueprint.resource(operation.on)
        if (
            operation.do is Action.READ
            and not operation.is_public
            and resource
            and resource.kind is ResourceKind.ENTITY
        ):
            access = replace(resource.access, read=(Grant(kind=GrantKind.PUBLIC),))
            after = with_resource(blueprint, replace(resource, access=access))
            return Changed(blueprint=with_operation(after, replace(operation, is_public=True, roles=())))
    return None


def _taking(blueprint: Blueprint, chance: Random, *, is_optional: bool) -> Changed | None:
    moves = [each for each in blueprint.operations if each.do is Action.TRANSITION]
    if not moves:
        return None
    operation = chance.choice(moves)
    more = Field(name="reason_anew", kind=FieldKind.STRING, length_max=50, is_optional=is_optional)
    return Changed(blueprint=with_operation(blueprint, replace(operation, takes=(*operation.takes, more))))


def _taking_optional(blueprint: Blueprint, chance: Random) -> Changed | None:
    return _taking(blueprint, chance, is_optional=True)


def _taking_required(blueprint: Blueprint, chance: Random) -> Changed | None:
    return _taking(blueprint, chance, is_optional=False)


def _hooked(blueprint: Blueprint, chance: Random) -> Changed | None:
    """A function of the owner's that was not there, in a file that is theirs already or is new."""
    free = [
        each
        for each in blueprint.operations
        if each.do in (Action.CREATE, Action.TRANSITION) and not each.hook and not each.is_asynchronous
    ]
    if not free:
        return None
    operation = chance.choice(free)
    return Changed(blueprint=with_operation(blueprint, replace(operation, hook="decide_anew")))


def _unhooked(blueprint: Blueprint, chance: Random) -> Changed | None:
    hooked = [each for each in blueprint.operations if each.hook and each.do is not Action.CUSTOM]
    if not hooked:
        return None
    return Changed(blueprint=with_operation(blueprint, replace(chance.choice(hooked), hook="")))


def _custom(blueprint: Blueprint, chance: Random) -> Changed | None:
    if blueprint.operation("countAnew") is not None:
        return None
    roles = tuple(role.name for role in blueprint.roles)[:1]
    more = Operation(
        name="countAnew", do=Action.CUSTOM, roles=roles, hook="count_anew", share=0.0,
        takes=(Field(name="since", kind=FieldKind.DATE),), gives=(Field(name="found", kind=FieldKind.INT64),),
    )  # fmt: skip
    return Changed(blueprint=replace(blueprint, operations=(*blueprint.operations, more)))


def _deprecated(blueprint: Blueprint, chance: Random) -> Changed | None:
    free = [each for each in blueprint.operations if each.deprecation is None]
    if not free:
        return None
    told = Deprecation(since="2030-01-31", sunset="2031-01-31")
    return Changed(blueprint=with_operation(blueprint, replace(chance.choice(free), deprecation=told)))


def _forgetting(blueprint: Blueprint, chance: Random) -> Changed | None:
    """Answers are kept for repetitions for another time."""
    keyed = [each for each in blueprint.operations if each.idempotency]
    if not keyed:
        return None
    operation = chance.choice(keyed)
    after = replace(operation.idempotency or Idempotency(), ttl_s=2 * DAY_S)
    return Changed(blueprint=with_operation(blueprint, replace(operation, idempotency=after)))


def _unkeyed(blueprint: Blueprint, chance: Random) -> Changed | None:
    """Keys are optional from now on."""
    keyed = [each for each in blueprint.operations if each.idempotency and each.idempotency.is_required]
    if not keyed:
        return None
    operation = chance.choice(keyed)
    return Changed(blueprint=with_operation(blueprint, replace(operation, idempotency=Idempotency())))


def _unversioned(blueprint: Blueprint, chance: Random) -> Changed | None:
    named = [each for each in blueprint.operations if each.needs_if_match]
    if not named:
        return None
    return Changed(blueprint=with_operation(blueprint, replace(chance.choice(named), needs_if_match=False)))


def _ordered(blueprint: Blueprint, chance: Random) -> Changed | None:
    """Cursors that callers hold belong to another order."""
    lists = [each for each in blueprint.operations if each.do is Action.LIST]
    if not lists:
        return None
    order = (IndexPart(column="created_at"),)
    return Changed(blueprint=with_operation(blueprint, replace(chance.choice(lists), order=order)))


def _unfiltered(blueprint: Blueprint, chance: Random) -> Changed | None:
    lists = [each for each in blueprint.operations if each.filters]
    if not lists:
        return None
    operation = chance.choice(lists)
    return Changed(blueprint=with_operation(blueprint, replace(operation, filters=operation.filters[1:])))


def _excluded(blueprint: Blueprint, chance: Random) -> Changed | None:
    operation = chance.choice(blueprint.operations)
    after = replace(operation, is_excluded=not operation.is_excluded, is_critical=False)
    return Changed(blueprint=with_operation(blueprint, after))


def _asynchronous(blueprint: Blueprint, chance: Random) -> Changed | None:
    """What was done at once is done later, or the other way round."""
    free = [each for each in blueprint.operations if each.do in (Action.CREATE, Action.TRANSITION)]
    if not free:
        return None
    operation = chance.choice(free)
    after = replace(operation, is_asynchronous=not operation.is_asynchronous)
    return Changed(blueprint=with_operation(blueprint, after))


def _job(blueprint: Blueprint, chance: Random) -> Changed | None:
    """Something that is done every hour, by a function of the owner's."""
    entities = [each for each in blueprint.resources if each.kind is ResourceKind.ENTITY]
    if not entities:
        return None
    job = Job(name="tidyAnew", on=chance.choice(entities).name, every_s=3_600.0, hook="tidy_anew")
    return Changed(blueprint=replace(blueprint, jobs=(*blueprint.jobs, job)))


def _jobless(blueprint: Blueprint, chance: Random) -> Changed | None:
    if not blueprint.jobs:
        return None
    gone = chance.choice(blueprint.jobs)
    after = replace(blueprint, jobs=tuple(each for each in blueprint.jobs if each is not gone))
    return Changed(blueprint=without_untold(after))


def _patient(blueprint: Blueprint, chance: Random) -> Changed | None:
    if not blueprint.jobs:
        return None
    at = chance.choice(blueprint.jobs)
    after = replace(at, attempts_max=at.attempts_max + 3, concurrency=2)
    return Changed(blueprint=replace(blueprint, jobs=tuple(after if each is at else each for each in blueprint.jobs)))


def _dependency(**change: Any) -> Kind:
    def kind(blueprint: Blueprint, chance: Random) -> Changed | None:
        others = [each for each in blueprint.dependencies if each is not blueprint.database]
        if not others:
            return None
        at = chance.choice(others)
        after = tuple(replace(each, **change) if each is at else each for each in blueprint.dependencies)
        return Changed(blueprint=replace(blueprint, dependencies=after))

    return kind


def _dependency_renamed(blueprint: Blueprint, chance: Random) -> Changed | None:
    """Its adapter is another file of the owner's, and so is its setting."""
    others = [each for each in blueprint.dependencies if each is not blueprint.database]
    if not others:
        return None
    old = chance.choice(others).name
    new = f"{old}anew"

    def calls(given: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(f"{new}.{each.partition('.')[2]}" if each.partition(".")[0] == old else each for each in given)

    after = replace(
        blueprint,
        dependencies=tuple(replace(each, name=new) if each.name == old else each for each in blueprint.dependencies),
        operations=tuple(replace(each, calls=calls(each.calls)) for each in blueprint.operations),
        jobs=tuple(replace(each, calls=calls(each.calls)) for each in blueprint.jobs),
    )
    return Changed(blueprint=after)


def _uncalled(blueprint: Blueprint, chance: Random) -> Changed | None:
    calling = [each for each in blueprint.operations if each.calls]
    if not calling:
        return None
    return Changed(blueprint=with_operation(blueprint, replace(chance.choice(calling), calls=())))


def _limited_all(blueprint: Blueprint, _: Random) -> Changed | None:
    after = (Limit(count=3_000, period_s=60.0, per="address"), *(each for each in blueprint.limits if each.operation))
    return Changed(blueprint=replace(blueprint, limits=after))


def _telling_more(blueprint: Blueprint, chance: Random) -> Changed | None:
    for event in shuffled(blueprint.events.types, chance):
        subject = event.resource or next(
            (each.name for each in blueprint.resources if each.name.lower() == event.name.partition(".")[0]), ""
        )
        resource = blueprint.resource(subject)
        fields = resource.fields if resource else ()
        more = [each.name for each in fields if is_plain(each) and not (each.is_personal or each.is_encrypted)]
        more = [name for name in more if name not in event.fields]
        if more:
            after = replace(event, fields=(*event.fields, chance.choice(more)))
            types = tuple(after if each is event else each for each in blueprint.events.types)
            return Changed(blueprint=replace(blueprint, events=replace(blueprint.events, types=types)))
    return None


def _untold(blueprint: Blueprint, chance: Random) -> Changed | None:
    if not blueprint.events.types:
        return None
    gone = chance.choice(blueprint.events.types).name

    def left(given: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(each for each in given if each != gone)

    after = replace(
        blueprint,
        operations=tuple(replace(each, emits=left(each.emits)) for each in blueprint.operations),
        jobs=tuple(replace(each, emits=left(each.emits)) for each in blueprint.jobs),
    )
    return Changed(blueprint=without_untold(after))


def _modules(blueprint: Blueprint, _: Random) -> Changed | None:
    """The same service, cut into parts."""
    if blueprint.modules or len(blueprint.resources) < 2:
        return None
    names = [each.name for each in blueprint.resources]
    parts = (Module(name="first", resources=tuple(names[:1])), Module(name="others", resources=tuple(names[1:])))
    return Changed(blueprint=replace(blueprint, modules=parts))


def _is_number(field: Field) -> bool:
    return field.kind in (FieldKind.INT32, FieldKind.INT64) and not field.is_list


def _append_only(blueprint: Blueprint, chance: Random) -> Changed | None:
    changed = {each.on for each in blueprint.operations if each.do in _WRITES[1:]} | {
        each.on for each in blueprint.jobs
    }
    free = [each for each in blueprint.resources if each.name not in changed and each.kind is ResourceKind.ENTITY]
    if not free:
        return None
    return Changed(blueprint=with_resource(blueprint, replace(chance.choice(free), is_append_only=True)))


def _moved_field(blueprint: Blueprint, chance: Random) -> Changed | None:
    """The same fields in another order, which changes nothing for anybody."""
    resource = chance.choice(blueprint.resources)
    if len(resource.fields) < 2:
        return None
    fields = tuple(reversed(resource.fields))
    return Changed(blueprint=with_resource(blueprint, replace(resource, fields=fields)))


def _swapped(blueprint: Blueprint, chance: Random) -> Changed | None:
    """Two columns of one type that take each other's name in two steps would be lost in one."""
    for resource in shuffled(blueprint.resources, chance):
        free = [each for each in resource.fields if is_plain(each) and not is_named(resource, blueprint, each)]
        if len(free) > 1 and resource.kind is ResourceKind.ENTITY:
            gone = free[0]
            fields = tuple(each for each in resource.fields if each is not gone)
            again = replace(gone, name=f"{gone.name}_again", is_optional=True, default=None)
            return Changed(blueprint=with_resource(blueprint, replace(resource, fields=(*fields, again))))
    return None


MORE: Mapping[str, Kind] = {
    "major": _major,
    "offered": _offered,
    "withdrawn": _withdrawn,
    "described": _described,
    "promised": _promised,
    "busier": _busier,
    "deployed": _deployed,
    "shorter-tokens": _auth(token_ttl_s=300.0, refresh_ttl_s=10 * DAY_S),
    "more-algorithms": _auth(algorithms=("EdDSA", "ES256")),
    "other-algorithms": _auth(algorithms=("ES256",)),
    "audience": _auth(audience="somebody-else"),
    "roles-claim": _auth(roles_claim="realm_access.roles"),
    "api-keys": _auth(scheme="api-key", issuer=""),
    "sessions": _auth(scheme="session", issuer=""),
    "second-factor": _second_factor,
    "role-renamed": _role_renamed,
    "untenanted": _untenanted,
    "part": _part_optional,
    "part-required": _part_required,
    "listed": _listed,
    "read-only": _read_only,
    "defaulted": _defaulted,
    "undefaulted": _undefaulted,
    "redefaulted": _redefaulted,
    "bounded": _bounded,
    "unbounded": _unbounded,
    "personal": _personal,
    "retyped": _retyped,
    "referring": _referring,
    "cascading": _cascading,
    "resource": _resource,
    "prefixed": _prefixed,
    "identified": _identified,
    "shared": _shared,
    "wanted": _wanted,
    "ruled": _ruled,
    "unruled": _unruled,
    "granted": _granted,
    "kept": _kept,
    "append-only": _append_only,
    "reordered": _moved_field,
    "swapped": _swapped,
    "operation-renamed": _operation_renamed,
    "public": _public,
    "taking": _taking_optional,
    "taking-required": _taking_required,
    "hooked": _hooked,
    "unhooked": _unhooked,
    "custom": _custom,
    "deprecated": _deprecated,
    "forgetting": _forgetting,
    "unkeyed": _unkeyed,
    "unversioned": _unversioned,
    "ordered": _ordered,
    "unfiltered": _unfiltered,
    "excluded": _excluded,
    "asynchronous": _asynchronous,
    "job": _job,
    "jobless": _jobless,
    "patient": _patient,
    "slower": _dependency(timeout_s=1.0, latency_p95_s=0.5, retry=None),
    "narrower-bulkhead": _dependency(bulkhead=4),
    "softer": _dependency(is_hard=False),
    "dependency-renamed": _dependency_renamed,
    "uncalled": _uncalled,
    "limited-all": _limited_all,
    "telling-more": _telling_more,
    "untold": _untold,
    "modules": _modules,
}
EVERY: Mapping[str, Kind] = {**KINDS, **MORE}

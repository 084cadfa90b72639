"""What consumers are told, and what of it goes where: the object that is found, and the fields that are set."""

from __future__ import annotations

import re

from nines.model.blueprint import Action, Blueprint, Consumer, DependencyKind, Event, Field, FieldKind, Resource
from nines.model.design.graph import member_of
from nines.planning.data import facts
from nines.planning.data.columns import is_child
from nines.planning.data.names import snake

_TOLD_BY_NINES = re.compile(r"(?P<service>[a-z][a-z0-9-]*)\.(?P<about>[a-z][a-z0-9_]*)(?:\.[a-z][a-z0-9_]*)+\.v\d+")
_LOGS = (DependencyKind.KAFKA, DependencyKind.REDIS)


def is_own(consumer: Consumer) -> bool:
    """Whether the service tells the event itself."""
    return not consumer.source


def own_event(blueprint: Blueprint, consumer: Consumer) -> Event | None:
    return next((each for each in blueprint.events.types if is_own(consumer) and each.name == consumer.event), None)


def type_of(blueprint: Blueprint, consumer: Consumer) -> str:
    """The type of the CloudEvent that is taken."""
    event = own_event(blueprint, consumer)
    return f"{blueprint.service.name}.{event.name}.v{event.version}" if event else consumer.event


def address(blueprint: Blueprint, consumer: Consumer) -> str:
    """Where it is told: as said, else as a service that nines built tells it; "": nobody knows."""
    if consumer.address or is_own(consumer):
        return consumer.address
    broker = blueprint.dependency(consumer.source)
    if broker is None or broker.kind not in _LOGS:
        return consumer.event
    found = _TOLD_BY_NINES.fullmatch(consumer.event)
    return f"{found['service']}.{found['about']}" if found else ""


def members(blueprint: Blueprint, consumer: Consumer) -> dict[str, Field]:
    """What its data holds, by the member's name; of an own event what that tells, if nobody says less."""
    if consumer.data:
        return {_member(each): each for each in consumer.data}
    event = own_event(blueprint, consumer)
    resource = blueprint.resource(event.resource) if event else None
    if event is None or resource is None:
        return {}
    found = {"id": Field(name="id", kind=FieldKind.REFERENCE, of=resource.name)}
    tenant = facts.tenant_column(blueprint, resource)
    if tenant not in ("", "id"):
        holder = facts.tenant_resource(blueprint)
        found[tenant] = Field(name=tenant, kind=FieldKind.REFERENCE, of=holder.name) if holder else Field(name=tenant)
    for name in event.fields:
        field = resource.field(name)
        if field is not None and not field.is_personal:
            found[_member(field)] = field
    return found


def found_by(blueprint: Blueprint, consumer: Consumer) -> tuple[tuple[str, str], ...]:
    """By which member the object is found, as (field, member); empty: nothing says so."""
    if consumer.finds or not consumer.on or consumer.do is Action.CREATE:
        return consumer.finds
    refers = [
        name
        for name, field in members(blueprint, consumer).items()
        if field.kind is FieldKind.REFERENCE and field.of == consumer.on and not field.is_list
    ]
    return (("id", refers[0]),) if len(refers) == 1 else ()


def finding(blueprint: Blueprint, consumer: Consumer) -> tuple[tuple[str, str], ...]:
    """By which members the object is found, the tenant's key among them where the event tells it."""
    found = found_by(blueprint, consumer)
    resource = blueprint.resource(consumer.on)
    tenant = facts.tenant_column(blueprint, resource) if resource else ""
    is_told = found and tenant not in ("", "id") and tenant in members(blueprint, consumer)
    return (*found, (tenant, tenant)) if is_told and tenant not in dict(found) else found


def taken_over(blueprint: Blueprint, consumer: Consumer, resource: Resource) -> tuple[tuple[str, str], ...]:
    """What goes into which field, or into owner_id and the tenancy's key, as (field, member)."""
    found = dict(consumer.sets)
    if consumer.do in (Action.CREATE, Action.UPDATE):
        told = members(blueprint, consumer)
        finding = {member for _, member in found_by(blueprint, consumer)}
        for field in resource.fields:
            member = _member(field)
            if member in told and member not in finding and is_same_kind(told[member], field) and not is_child(field):
                found.setdefault(field.name, member)
        for column in made_with(blueprint, resource) if consumer.do is Action.CREATE else ():
            if column in told:
                found.setdefault(column, column)
    return tuple(found.items())


def made_with(blueprint: Blueprint, resource: Resource) -> tuple[str, ...]:
    """What a new row has beside its fields: whose it is."""
    tenant = facts.tenant_column(blueprint, resource)
    owner = ("owner_id",) if facts.has_owner(resource) and resource.field("owner_id") is None else ()
    return (*((tenant,) if tenant not in ("", "id") else ()), *owner)


def is_same_kind(told: Field, kept: Field) -> bool:
    """Whether the one can be kept as the other."""
    if told.is_list != kept.is_list:
        return False
    texts = (FieldKind.STRING, FieldKind.TEXT)
    if FieldKind.REFERENCE in (told.kind, kept.kind) or FieldKind.VALUE in (told.kind, kept.kind):
        return (told.kind, told.of) == (kept.kind, kept.of)
    return told.kind == kept.kind or {told.kind, kept.kind} <= set(texts)


def taking(blueprint: Blueprint) -> tuple[Consumer, ...]:
    """Those whose events come through a broker."""
    return tuple(each for each in blueprint.consumers if not is_own(each))


def rate_hz(blueprint: Blueprint, consumer: Consumer, *, at_peak: bool = False) -> float:
    """As said, or as much as the service is asked; of its own events as many as it tells."""
    whole, steady = blueprint.load.peak_hz, blueprint.load.steady_hz
    if consumer.peak_hz is not None:
        return consumer.peak_hz if at_peak else consumer.peak_hz * min(1.0, steady / whole if whole else 1.0)
    if is_own(consumer):
        told = [each for each in blueprint.operations if consumer.event in each.emits]
        told += [
            each for job in blueprint.jobs if consumer.event in job.emits for each in facts.feeding(blueprint, job)
        ]
        of_events = [each for each in blueprint.consumers if not is_own(each) and consumer.event in each.emits]
        asked = sum(blueprint.rate_hz(each, at_peak=at_peak) for each in told)
        return asked + sum(rate_hz(blueprint, each, at_peak=at_peak) for each in of_events)
    return whole if at_peak else steady


def _member(field: Field) -> str:
    return member_of(field) if field.kind is FieldKind.REFERENCE else snake(field.name)

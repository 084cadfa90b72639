"""Every operation of the blueprint as callers meet it, and the shapes of the bodies."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from nines.model.blueprint import OF_ACCOUNTS, Action, Blueprint, Grant, GrantKind, Operation, Resource
from nines.model.design import Design, PlannedEndpoint, PlannedParameter, Shape
from nines.planning.data import consuming
from nines.planning.data.names import words
from nines.planning.interface import accounts, naming, paths, problems, shapes
from nines.planning.interface.answers import answers, of_progress
from nines.planning.interface.events import of_events
from nines.planning.interface.parameters import page_of, parameters

MERGE_PATCH = "application/merge-patch+json"
"""What a PATCH carries, so that its meaning is defined (RFC 5789, 2; RFC 7396)."""
BODY_BYTES_MIN = 65_536
BODY_PAYLOADS = 16
"""The cap on a body is at least this many usual payloads."""
PUBLIC_AGE_S = 60
"""How long a shared cache may answer for the service; a change is seen after this time at the latest."""
_STATUS_ID = "getOperationStatus"
_STATUS_PATH = "asynchronous-operations/{operation_id}"
"""Below the version; of work whose resource has no states that could tell how it went."""


def endpoints(design: Design) -> Design:
    """The design with its endpoints and shapes; without a blueprint there is nothing to derive them from."""
    blueprint = design.blueprint
    if blueprint is None:
        return design
    routes = paths.routes(blueprint)
    made = [_endpoint(each, routes, blueprint) for each in blueprint.operations]
    apart = f"/{blueprint.service.api}/{_STATUS_PATH}"
    waiting = [each for each in blueprint.operations if _progress_path(each, routes, blueprint) == apart]
    if waiting:
        made.append(_status_endpoint(waiting, blueprint))
    wanted = _shapes(blueprint, with_progress=any(each.id == _STATUS_ID for each in made))
    return naming.published(replace(design, endpoints=tuple(made), shapes=tuple(wanted)))


def _endpoint(operation: Operation, routes: dict[str, paths.Route], blueprint: Blueprint) -> PlannedEndpoint:
    route = routes[operation.name]
    resource = blueprint.resource(operation.on)
    module = blueprint.module_of(operation.on)
    body = _request(operation, blueprint)
    endpoint = PlannedEndpoint(
        id=operation.name,
        method=route.method,
        path=route.path,
        action=operation.do,
        summary=operation.says or _summary(operation),
        resource=operation.on,
        module=module.name if module else "",
        parameters=parameters(operation, route, blueprint),
        request=body.name if body else "",
        request_media_type=("" if body is None else MERGE_PATCH if route.method == "PATCH" else "application/json"),
        request_example=body.example if body else None,
        body_bytes_max=_body_bytes_max(blueprint) if body else 0,
        cache_control=_cache_control(operation, blueprint),
        is_public=blueprint.is_open(operation),
        roles=operation.roles,
        grants=grants(operation, resource, blueprint),
        idempotency=operation.idempotency,
        needs_if_match=operation.needs_if_match,
        limit=blueprint.limit_of(operation.name),
        page=page_of(operation) if operation.do is Action.LIST else None,
        is_critical=operation.is_critical,
        is_asynchronous=operation.is_asynchronous,
        steady_hz=blueprint.rate_hz(operation),
        peak_hz=blueprint.rate_hz(operation, at_peak=True),
        latency_p95_s=operation.latency_p95_s or blueprint.budgets.latency_p95_s,
        emits=operation.emits,
        deprecation=operation.deprecation,
        place=operation.place,
    )
    progress = _progress_path(operation, routes, blueprint)
    return replace(endpoint, answers=answers(operation, endpoint, blueprint, progress))


def grants(operation: Operation, resource: Resource | None, blueprint: Blueprint) -> tuple[Grant, ...]:
    """What the object must allow, one of which is enough.

    A new object is nobody's yet, so only roles can stand in its way. A change follows the rule of writing; a role that
    may read every object and that the operation names may change it, too. Without a rule of writing, whose object it
    is decides, as in reading."""
    if resource is None or operation.is_public or operation.do in OF_ACCOUNTS:
        return ()
    access = resource.access
    if operation.do is Action.LIST:
        return access.list or access.read
    if operation.do is Action.READ:
        return access.read
    if operation.do is Action.CREATE:
        return access.write if all(grant.kind is GrantKind.ROLE for grant in access.write) else ()
    by_role = tuple(g for g in access.read if g.kind is GrantKind.ROLE and g.role in operation.roles)
    if access.write:
        return tuple(dict.fromkeys((*access.write, *by_role)))
    if operation.roles and blueprint.tenancy is not None:
        return (Grant(kind=GrantKind.TENANT), *by_role)
    return (*(g for g in access.read if g.kind in (GrantKind.OWNER, GrantKind.TENANT)), *by_role)


def _cache_control(operation: Operation, blueprint: Blueprint) -> str:
    """Shared caches keep public things for a short while; others ask again with the ETag each time."""
    if operation.do in OF_ACCOUNTS or operation.gives:
        return "no-store"
    if operation.do in (Action.READ, Action.LIST) and blueprint.is_open(operation):
        return f"public, max-age={PUBLIC_AGE_S}"
    return "private, no-cache"


def _request(operation: Operation, blueprint: Blueprint) -> Shape | None:
    resource = blueprint.resource(operation.on)
    if operation.do in OF_ACCOUNTS:
        return accounts.request(operation.do, blueprint)
    if operation.do is Action.CREATE and resource is not None:
        return shapes.of_create(resource, blueprint)
    if operation.do is Action.UPDATE and resource is not None:
        return shapes.of_update(resource, blueprint)
    return shapes.of_body(operation, blueprint) if operation.takes else None


def _shapes(blueprint: Blueprint, *, with_progress: bool) -> Iterator[Shape]:
    yield from shapes.of_values(blueprint)
    for resource in blueprint.resources:
        yield shapes.of_resource(resource, blueprint)
        mine = [each for each in blueprint.operations if each.on == resource.name]
        if any(each.do is Action.LIST for each in mine):
            yield from shapes.of_page(resource, blueprint)
    for operation in blueprint.operations:
        body = _request(operation, blueprint)
        if body is not None:
            yield body
        if operation.gives:
            yield shapes.of_result(operation, blueprint)
    yield from accounts.shapes(blueprint)
    if with_progress:
        yield shapes.of_progress()
    yield problems.shape()
    yield from of_events(blueprint)
    for consumer in blueprint.consumers:
        if consuming.members(blueprint, consumer):
            yield shapes.of_taken(consumer, blueprint)


def _body_bytes_max(blueprint: Blueprint) -> int:
    """Well above the usual payload, and a power of two."""
    limit = BODY_BYTES_MIN
    while limit < blueprint.load.payload_bytes * BODY_PAYLOADS:
        limit *= 2
    return limit


def _summary(operation: Operation) -> str:
    said = " ".join(words(operation.name))
    return said[:1].upper() + said[1:]


def _progress_path(operation: Operation, routes: dict[str, paths.Route], blueprint: Blueprint) -> str:
    """Where a caller of asynchronous work learns how it went; "" for work that is done when it is answered."""
    if not operation.is_asynchronous or operation.do in (Action.READ, Action.LIST, *OF_ACCOUNTS):
        return ""
    resource = blueprint.resource(operation.on)
    reading = next((o for o in blueprint.operations if o.do is Action.READ and o.on == operation.on), None)
    if resource is not None and resource.states and reading is not None:
        return routes[reading.name].path
    return f"/{blueprint.service.api}/{_STATUS_PATH}"


def _status_endpoint(waiting: list[Operation], blueprint: Blueprint) -> PlannedEndpoint:
    """The status resource of everything that has none of its own."""
    shape = shapes.of_progress()
    says = "How work went that was accepted with 202."
    operation = Operation(name=_STATUS_ID, do=Action.READ, is_public=all(blueprint.is_open(o) for o in waiting))
    identifier = PlannedParameter(
        name="operation_id",
        location="path",
        schema=shape.schema["properties"]["id"],
        is_required=True,
        example=shape.example["id"],
    )
    endpoint = PlannedEndpoint(
        id=_STATUS_ID,
        method="GET",
        path=f"/{blueprint.service.api}/{_STATUS_PATH}",
        action=Action.READ,
        summary=says,
        parameters=(identifier,),
        cache_control="no-store",
        is_public=operation.is_public,
        grants=(Grant(kind=GrantKind.OWNER),),
        limit=blueprint.limit_of(_STATUS_ID),
        is_critical=False,
        steady_hz=sum(blueprint.rate_hz(each) for each in waiting),
        peak_hz=sum(blueprint.rate_hz(each, at_peak=True) for each in waiting),
        latency_p95_s=blueprint.budgets.latency_p95_s,
    )
    return replace(endpoint, answers=of_progress(operation, endpoint, blueprint))

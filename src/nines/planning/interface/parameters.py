"""What a caller says beside the body: in the path, in the query, in headers."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from nines.model.blueprint import Action, Blueprint, Field, FieldKind, Operation, Page, Resource
from nines.model.contract import Schema
from nines.model.design import PlannedParameter
from nines.planning.interface import accounts, examples, paths
from nines.planning.interface.schemas import name_of, of_field, of_identifier
from nines.planning.interface.shapes import of_resource

CURSOR_LENGTH_MAX = 512
KEY_LENGTH_MAX = 255
FIELDS_LENGTH_MAX = 1_024
_RANGED = (FieldKind.TIMESTAMP, FieldKind.DATE)
_CHANGING = (Action.UPDATE, Action.DELETE, Action.TRANSITION)
_ETAG: Schema = {"type": "string", "pattern": '^"[^"]{1,64}"$'}
ETAG = '"3"'


def parameters(operation: Operation, route: paths.Route, blueprint: Blueprint) -> tuple[PlannedParameter, ...]:
    """Path, then query, then headers."""
    resource = blueprint.resource(operation.on)
    found = [*_in_path(operation, route, resource)]
    if operation.do is Action.LIST and resource is not None:
        found += _in_query(operation, resource, blueprint)
    return (*found, *_in_headers(operation, route))


def _in_path(operation: Operation, route: paths.Route, resource: Resource | None) -> Iterator[PlannedParameter]:
    for name in route.parameters:
        if name == "challenge_id":
            schema = accounts.challenge().schema["properties"][name]
            example: str | int = accounts.CHALLENGE
        elif name == "session_id" and operation.do is Action.END_SESSION:
            schema, example = accounts.SESSION_ID, accounts.SESSION
        elif resource is not None:
            schema, example = of_identifier(resource.identifier), examples.of_resource(resource)
        else:
            continue
        yield PlannedParameter(name=name, location="path", schema=schema, is_required=True, example=example)


def _in_query(operation: Operation, resource: Resource, blueprint: Blueprint) -> Iterator[PlannedParameter]:
    for name in operation.filters:
        yield from _filter(name, resource, blueprint)
    page = page_of(operation)
    yield PlannedParameter(
        name="page_size",
        location="query",
        schema={"type": "integer", "minimum": 1, "maximum": page.max, "default": page.default},
        example=page.default,
        says="How many at most.",
    )
    yield PlannedParameter(
        name="cursor",
        location="query",
        schema={"type": "string", "maxLength": CURSOR_LENGTH_MAX},
        says="The `next_cursor` of the page before, with the same filters; its inside is nobody's business.",
    )
    members = of_resource(resource, blueprint).schema["properties"]
    chosen = tuple(members)[:2]
    yield PlannedParameter(
        name="fields",
        location="query",
        schema={
            "type": "array",
            "items": {"type": "string", "enum": list(members)},
            "uniqueItems": True,
            "maxItems": len(members),
        },
        example=list(chosen),
        says="Only these members of each item, separated by commas; `id` always comes along.",
    )


def page_of(operation: Operation) -> Page:
    return operation.page or Page()


def of_pages() -> tuple[str, ...]:
    """By what every list is asked for."""
    return ("page_size", "cursor", "fields")


def asked_by(name: str, resource: Resource) -> tuple[str, ...]:
    """What callers narrow a list by, where a filter is called so in the blueprint."""
    head = name.partition(".")[0]
    field = resource.field(head) or _by_member(head, resource)
    ranged = field.kind in _RANGED if field else name in ("created_at", "updated_at")
    flat = name.replace(".", "_") if field is None or "." in name else name_of(field)
    return tuple(f"{flat.removesuffix('_at')}_{suffix}" for suffix in ("from", "before")) if ranged else (flat,)


def _filter(name: str, resource: Resource, blueprint: Blueprint) -> Iterator[PlannedParameter]:
    """One value to be equal to; of a time or a day a range, of which the end is not a part."""
    head = name.partition(".")[0]
    field = resource.field(head) or _by_member(head, resource)
    schema = _schema_of(name, field, resource, blueprint)
    known = of_resource(resource, blueprint)
    example = known.example.get(head if field is None else name_of(field))
    if isinstance(example, dict):
        example = example.get(name.partition(".")[2])
    asked = asked_by(name, resource)
    for each, says in zip(asked, ("Not before this.", "Before this.") if len(asked) > 1 else ("",), strict=True):
        yield PlannedParameter(name=each, location="query", schema=schema, example=example, says=says)


def _by_member(name: str, resource: Resource) -> Field | None:
    return next((field for field in resource.fields if name_of(field) == name), None)


def _schema_of(name: str, field: Field | None, resource: Resource, blueprint: Blueprint) -> Schema:
    if field is None:
        members: dict[str, Schema] = of_resource(resource, blueprint).schema["properties"]
        found = members.get(name, {"type": "string", "maxLength": 255})
        return {key: value for key, value in found.items() if key != "readOnly"}
    value = blueprint.value_type(field.of) if field.kind is FieldKind.VALUE else None
    inner = next((part for part in value.fields if part.name == name.partition(".")[2]), None) if value else None
    plain = inner or field
    bare = replace(plain, is_optional=False, is_list=False, default=None, says="", is_personal=False)
    return of_field(bare, blueprint, is_request=True)


def _in_headers(operation: Operation, route: paths.Route) -> Iterator[PlannedParameter]:
    if operation.idempotency is not None:
        hours = operation.idempotency.ttl_s / 3_600
        yield PlannedParameter(
            name="Idempotency-Key",
            location="header",
            schema={"type": "string", "minLength": 1, "maxLength": KEY_LENGTH_MAX},
            is_required=operation.idempotency.is_required,
            example=examples.KEY,
            says=f"Names this request; the same key with the same body is answered the same for {hours:g} hours.",
        )
    if operation.do in _CHANGING:
        yield PlannedParameter(
            name="If-Match",
            location="header",
            schema=_ETAG,
            is_required=operation.needs_if_match,
            example=ETAG,
            says="The ETag that was read; nothing changes when it is no longer the newest.",
        )
    if operation.do is Action.READ and route.parameters:
        yield PlannedParameter(
            name="If-None-Match",
            location="header",
            schema=_ETAG,
            example=ETAG,
            says="The ETag that you have; 304 when it is still the newest.",
        )

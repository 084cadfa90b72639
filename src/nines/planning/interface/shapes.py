"""The bodies of the contract: what is answered is open and complete, what is sent is closed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nines.model import words as wording
from nines.model.blueprint import Blueprint, Consumer, Field, FieldKind, Operation, Resource, ResourceKind
from nines.model.contract import Schema
from nines.model.design import Shape
from nines.planning.data import consuming, facts
from nines.planning.data.columns import SUBJECT_LENGTH_MAX
from nines.planning.data.names import words
from nines.planning.interface import examples
from nines.planning.interface.agreeing import agreeing, is_compared
from nines.planning.interface.naming import derived, own
from nines.planning.interface.schemas import closed, name_of, nullable, of_field, of_identifier, opened, reference

_TIME: Schema = {"type": "string", "format": "date-time", "readOnly": True}


def of_values(blueprint: Blueprint) -> Iterator[Shape]:
    """Each composite type twice: as it is answered, and as it is sent."""
    for each in blueprint.types:
        example = {name_of(field): examples.value(field, blueprint) for field in each.fields}
        answered = {name_of(field): of_field(field, blueprint, is_request=False) for field in each.fields}
        sent = {name_of(field): of_field(field, blueprint, is_request=True) for field in each.fields}
        yield Shape(name=each.name, schema=opened(answered, tuple(answered)), example=example)
        yield Shape(name=derived(each.name, "Input"), schema=closed(sent, required(each.fields)), example=example)


def required(fields: tuple[Field, ...]) -> tuple[str, ...]:
    """What a caller cannot leave out."""
    return tuple(name_of(field) for field in fields if not field.is_optional and field.default is None)


def writable(resource: Resource, blueprint: Blueprint) -> tuple[Field, ...]:
    """What a caller may set; never the tenant, which the token tells (OWASP API3:2023)."""
    tenant = blueprint.tenancy.key if blueprint.tenancy else ""
    return tuple(field for field in resource.fields if not field.is_read_only and name_of(field) != tenant)


_ENTRY = (
    Field(name="posting_id", kind=FieldKind.UUID, says="The entries of one posting stand or fall together."),
    Field(name="debit_account_id", kind=FieldKind.UUID),
    Field(name="credit_account_id", kind=FieldKind.UUID),
    Field(name="amount_minor", kind=FieldKind.INT64, minimum=0, is_minimum_exclusive=True),
    Field(name="currency", kind=FieldKind.CURRENCY),
)
"""What every entry of a ledger holds; an amount moves between two accounts, so that the ledger sums to zero."""


def kept(resource: Resource) -> tuple[Field, ...]:
    """The fields of the blueprint, after those that come with the kind of resource."""
    named = {field.name for field in resource.fields}
    own = _ENTRY if resource.kind is ResourceKind.LEDGER else ()
    return (*(field for field in own if field.name not in named), *resource.fields)


def of_resource(resource: Resource, blueprint: Blueprint) -> Shape:
    """The whole of one object; an optional member that has no value is null, and there all the same."""
    members: dict[str, Schema] = {"id": of_identifier(resource.identifier) | {"readOnly": True}}
    members |= {name: schema | {"readOnly": True} for name, schema in _belonging(resource, blueprint).items()}
    for field in kept(resource):
        if field.is_answered:
            members[name_of(field)] = of_field(field, blueprint, is_request=False)
    if resource.states:
        members["status"] = {"type": "string", "enum": [state.name for state in resource.states], "readOnly": True}
    members["created_at"] = _TIME
    if not is_append_only(resource):
        members["updated_at"] = _TIME
    schema = opened(members, tuple(members))
    said = {"description": resource.says} if resource.says else {}
    return Shape(name=resource.name, schema=said | schema, example=whole(resource, blueprint), resource=resource.name)


def is_append_only(resource: Resource) -> bool:
    return resource.is_append_only or resource.kind is ResourceKind.LEDGER


def whole(resource: Resource, blueprint: Blueprint, state: str = "") -> dict[str, Any]:
    """The object that all examples speak of, in a state."""
    found: dict[str, Any] = {"id": examples.of_resource(resource)}
    for name in _belonging(resource, blueprint):
        found[name] = _whose(name, blueprint)
    first = resource.states[0].name if resource.states else ""
    for field in kept(resource):
        if field.is_answered:
            is_unset = field.is_read_only and field.is_optional and state in ("", first)
            unset: Any = [] if field.is_list else None
            found[name_of(field)] = unset if is_unset else examples.value(field, blueprint)
    if resource.states:
        found["status"] = state or first
    found["created_at"] = examples.CREATED_AT
    if not is_append_only(resource):
        found["updated_at"] = examples.UPDATED_AT if state not in ("", first) else examples.CREATED_AT
    return agreeing(found, resource, blueprint)


def _belonging(resource: Resource, blueprint: Blueprint) -> dict[str, Schema]:
    """Whose it is: the owner where access speaks of one, and the tenant."""
    found: dict[str, Schema] = {}
    own = {name_of(field) for field in resource.fields}
    tenant = facts.tenant_column(blueprint, resource)
    if tenant not in {"", "id", *own}:
        found[tenant] = _known_by(facts.tenant_resource(blueprint))
    if facts.has_owner(resource) and "owner_id" not in own:
        found["owner_id"] = _known_by(facts.account_of(blueprint))
    return found


def _known_by(resource: Resource | None) -> Schema:
    """The identifier of a resource, or what the token calls somebody whom this service does not keep."""
    return of_identifier(resource.identifier) if resource else {"type": "string", "maxLength": SUBJECT_LENGTH_MAX}


def _whose(name: str, blueprint: Blueprint) -> Any:
    found = facts.account_of(blueprint) if name == "owner_id" else facts.tenant_resource(blueprint)
    if found is not None:
        return examples.of_resource(found)
    return examples.SUBJECT if name == "owner_id" else examples.TENANT


def of_create(resource: Resource, blueprint: Blueprint) -> Shape:
    fields = writable(resource, blueprint)
    members = {name_of(field): of_field(field, blueprint, is_request=True) for field in fields}
    example = agreeing({name_of(field): examples.value(field, blueprint) for field in fields}, resource, blueprint)
    schema = closed(members, required(fields))
    return Shape(name=derived(resource.name, "Create"), schema=schema, example=example, resource=resource.name)


def of_update(resource: Resource, blueprint: Blueprint) -> Shape:
    """A merge patch (RFC 7396): what is left out stays, and null takes an optional value away.

    The name that somebody signs in with is not changed by the way: whoever has a session for a minute would keep the
    account."""
    kept = facts.login_field(resource)
    fields = tuple(
        each for each in writable(resource, blueprint) if each.kind is not FieldKind.PASSWORD and each != kept
    )
    members = {name_of(field): of_field(field, blueprint, is_request=True) for field in fields}
    for schema in members.values():
        schema.pop("default", None)
    schema = closed(members, ()) | ({"minProperties": 1} if members else {})
    chosen = _best_change(tuple(each for each in fields if not is_compared(each, resource)) or fields)
    example = {name_of(chosen): examples.value(chosen, blueprint)} if chosen else {}
    return Shape(name=derived(resource.name, "Update"), schema=schema, example=example, resource=resource.name)


def _best_change(fields: tuple[Field, ...]) -> Field | None:
    """People change texts and flags, rarely whom something belongs to."""
    plain = (field for field in fields if field.kind not in (FieldKind.REFERENCE, FieldKind.VALUE))
    return next(plain, next(iter(fields), None))


def of_page(resource: Resource, blueprint: Blueprint) -> tuple[Shape, Shape]:
    """The members of a list, which callers may ask for in part, and a page of them."""
    one = of_resource(resource, blueprint)
    item = Shape(
        name=derived(resource.name, "Item"),
        schema=one.schema
        | {"required": ["id"], "description": f"{an(resource.name).capitalize()}; with `fields`, those members only."},
        example=one.example,
        resource=resource.name,
    )
    members: dict[str, Schema] = {
        "items": {"type": "array", "items": reference(item.name)},
        "next_cursor": nullable({"type": "string"})
        | {"description": "Where the next page begins; null: there is none."},
    }
    page = Shape(
        name=derived(resource.name, "Page"),
        schema=opened(members, tuple(members)),
        example={"items": [one.example], "next_cursor": examples.CURSOR},
        resource=resource.name,
    )
    return item, page


def of_body(operation: Operation, blueprint: Blueprint) -> Shape:
    """What a transition or a custom operation carries."""
    members = {name_of(field): of_field(field, blueprint, is_request=True) for field in operation.takes}
    example = {name_of(field): examples.value(field, blueprint) for field in operation.takes}
    schema = closed(members, required(operation.takes))
    return Shape(name=derived(pascal(operation.name), "Request"), schema=schema, example=example, resource=operation.on)


def of_result(operation: Operation, blueprint: Blueprint) -> Shape:
    members = {name_of(field): of_field(field, blueprint, is_request=False) for field in operation.gives}
    example = {name_of(field): examples.value(field, blueprint) for field in operation.gives}
    schema = opened(members, tuple(members))
    return Shape(name=derived(pascal(operation.name), "Result"), schema=schema, example=example, resource=operation.on)


def of_taken(consumer: Consumer, blueprint: Blueprint) -> Shape:
    """What of an event is looked at; whatever else it tells is no concern of ours."""
    told = consuming.members(blueprint, consumer)
    members = {name: of_field(field, blueprint, is_request=False) for name, field in told.items()}
    example = {name: examples.value(field, blueprint) for name, field in told.items()}
    needed = tuple(name for name, field in told.items() if not field.is_optional and not field.is_list)
    return Shape(name=derived(pascal(consumer.name), "Data"), schema=opened(members, needed), example=example)


def spoken(resource: str) -> str:
    """In a sentence: "RefundRequest" is a "refund request"."""
    return " ".join(words(resource))


def an(resource: str) -> str:
    """With its article: "an order"."""
    return wording.an(spoken(resource))


def pascal(name: str) -> str:
    return name[:1].upper() + name[1:]


def of_progress() -> Shape:
    """The status resource of work that outlives its request."""
    members: dict[str, Schema] = {
        "id": {"type": "string", "format": "uuid"},
        "status": {"type": "string", "enum": ["running", "succeeded", "failed"]},
        "created_at": _TIME,
        "completed_at": nullable({"type": "string", "format": "date-time"}),
        "problem": {"anyOf": [reference(own("Problem")), {"type": "null"}]},
    }
    example = {
        "id": examples.OPERATION,
        "status": "running",
        "created_at": examples.CREATED_AT,
        "completed_at": None,
        "problem": None,
    }
    return Shape(name=own("OperationStatus"), schema=opened(members, tuple(members)), example=example)

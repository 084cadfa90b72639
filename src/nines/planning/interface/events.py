"""What is told to others: one CloudEvent for each event of the blueprint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nines.model.blueprint import Blueprint, Event, Resource
from nines.model.contract import Schema
from nines.model.design import Shape
from nines.planning.data import facts
from nines.planning.data.names import snake, words
from nines.planning.interface import examples, shapes
from nines.planning.interface.naming import derived, own
from nines.planning.interface.schemas import name_of, opened, reference

SPECIFICATION = "1.0"
"""Of CloudEvents, whose members the envelope has."""


def of_events(blueprint: Blueprint) -> Iterator[Shape]:
    """The envelope's and the data's shape of each event."""
    for event in blueprint.events.types:
        resource = resource_of(event, blueprint)
        data = _data(event, resource, blueprint)
        yield data
        yield _envelope(event, data, resource, blueprint)


def resource_of(event: Event, blueprint: Blueprint) -> Resource | None:
    """What it happened to: said, or the first part of its name."""
    about = event.name.partition(".")[0]
    named = (each for each in blueprint.resources if snake(each.name) == snake(about))
    return blueprint.resource(event.resource) or next(named, None)


def shape_name(event: Event) -> str:
    """ "payment.authorized" in its first version is "PaymentAuthorizedV1"."""
    return "".join(word.title() for part in event.name.split(".") for word in words(part)) + f"V{event.version}"


def _data(event: Event, resource: Resource | None, blueprint: Blueprint) -> Shape:
    """Identifiers and states, and the fields that were asked for, never personal ones."""
    name = derived(shape_name(event), "Data")
    if resource is None:
        return Shape(name=name, schema=opened({}, ()), example={})
    answered: dict[str, Schema] = shapes.of_resource(resource, blueprint).schema["properties"]
    chosen = [name for name in ("id", facts.tenant_column(blueprint, resource), "status") if name in answered]
    for wanted in event.fields:
        field = resource.field(wanted)
        known = name_of(field) if field else wanted
        if known in answered and not (field and field.is_personal):
            chosen.append(known)
    members = {each: _plain(answered[each]) for each in dict.fromkeys(chosen)}
    whole = shapes.whole(resource, blueprint, _state(event, resource))
    example = {each: whole[each] for each in members}
    return Shape(name=name, schema=opened(members, tuple(members)), example=example, resource=resource.name)


def _plain(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key != "readOnly"}


def _state(event: Event, resource: Resource) -> str:
    happened = event.name.rpartition(".")[2]
    return happened if any(state.name == happened for state in resource.states) else ""


def _envelope(event: Event, data: Shape, resource: Resource | None, blueprint: Blueprint) -> Shape:
    kind = f"{blueprint.service.name}.{event.name}.v{event.version}"
    source = f"/{blueprint.service.name}"
    members: dict[str, Schema] = {
        "specversion": {"type": "string", "const": SPECIFICATION},
        "id": {"type": "string", "format": "uuid", "description": "The same when it is delivered again."},
        "source": {"type": "string", "const": source},
        "type": {"type": "string", "const": kind},
        "subject": {"type": "string", "description": "The identifier of what it happened to."},
        "time": {"type": "string", "format": "date-time", "description": "When it was committed."},
        "datacontenttype": {"type": "string", "const": "application/json"},
        "data": reference(data.name),
    }
    example: dict[str, Any] = {
        "specversion": SPECIFICATION,
        "id": examples.event_id(kind),
        "source": source,
        "type": kind,
        "subject": str(examples.of_resource(resource)) if resource else "",
        "time": examples.UPDATED_AT,
        "datacontenttype": "application/json",
        "data": data.example,
    }
    return Shape(
        name=own(shape_name(event)),
        schema=opened(members, tuple(members)),
        example=example,
        resource=resource.name if resource else "",
    )

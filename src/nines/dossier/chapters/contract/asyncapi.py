"""The events as an AsyncAPI 3.0 document."""

from __future__ import annotations

from typing import Any

from nines.dossier.chapters.contract import openapi
from nines.model.blueprint import Dependency, DependencyKind, Event
from nines.model.design import Design, Shape

VERSION = "3.0.0"
MEDIA_TYPE = "application/cloudevents+json"
DELIVERY = (
    "Each event is delivered at least once: it may arrive twice, and two events may arrive in another order than they "
    "happened. `id` tells a repetition, `subject` and `time` tell what is newer. No event holds personal data."
)
_PROTOCOLS = {
    DependencyKind.KAFKA: "kafka",
    DependencyKind.NATS: "nats",
    DependencyKind.RABBITMQ: "amqp",
    DependencyKind.REDIS: "redis",
}
_MESSAGES = "#/components/messages/"

Json = dict[str, Any]


def document(design: Design) -> Json:
    """A channel, a message and a sending operation for each event that has a shape."""
    told = [(event, shape) for event in design.events if (shape := shape_of(event, design)) is not None]
    contact = {"contact": {"name": design.card.owner}} if design.card.owner else {}
    return {
        "asyncapi": VERSION,
        "info": {
            "title": f"{design.card.name} events",
            "version": "1.0.0",
            "description": f"What {design.card.name} tells others. {DELIVERY}",
            **contact,
        },
        "defaultContentType": MEDIA_TYPE,
        "servers": {"broker": _server(broker(design))},
        "channels": {shape.name: _channel(event, shape, design) for event, shape in told},
        "operations": {f"send{shape.name}": _operation(event, shape) for event, shape in told},
        "components": {
            "messages": {shape.name: _message(event, shape) for event, shape in told},
            "schemas": {each.name: each.schema for each in openapi.reached(design, (shape.name for _, shape in told))},
        },
    }


def shape_of(event: Event, design: Design) -> Shape | None:
    """The shape whose `type` is this event's."""
    kind = kind_of(event, design)
    for shape in design.shapes:
        if shape.schema.get("properties", {}).get("type", {}).get("const") == kind:
            return shape
    return None


def kind_of(event: Event, design: Design) -> str:
    """The event's type, and where it is sent to: "payments.payment.authorized.v1"."""
    return f"{design.card.name}.{event.name}.v{event.version}"


def broker(design: Design) -> Dependency | None:
    """What carries the events; None where they are delivered to subscribers over HTTP."""
    name = design.blueprint.events.broker if design.blueprint else ""
    found = design.dependency(name)
    return found if found and found.kind in _PROTOCOLS else None


def _server(carrier: Dependency | None) -> Json:
    if carrier is None:
        return {
            "host": "{subscriber}",
            "protocol": "https",
            "description": "Events are POSTed to each subscriber from the outbox; 2xx says that it was taken.",
            "variables": {"subscriber": {"description": "The host that a subscriber registered."}},
        }
    return {
        "host": "{host}",
        "protocol": _PROTOCOLS[carrier.kind],
        "description": f"The dependency {carrier.name}.",
        "variables": {"host": {"description": f"Comes from {carrier.url}." if carrier.url else "Comes from settings."}},
    }


def _channel(event: Event, shape: Shape, design: Design) -> Json:
    return {
        "address": kind_of(event, design),
        "description": f"{event.name}, version {event.version}.",
        "messages": {shape.name: {"$ref": _MESSAGES + shape.name}},
    }


def _operation(event: Event, shape: Shape) -> Json:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{shape.name}"},
        "summary": f"Sent after {event.name} is committed.",
        "messages": [{"$ref": f"#/channels/{shape.name}/messages/{shape.name}"}],
    }


def _message(event: Event, shape: Shape) -> Json:
    return {
        "name": shape.name,
        "title": _spoken(event),
        "contentType": MEDIA_TYPE,
        "payload": {"$ref": f"#/components/schemas/{shape.name}"},
        "examples": [{"name": "example", "payload": shape.example}],
    }


def _spoken(event: Event) -> str:
    return event.name.replace(".", " ").replace("_", " ")

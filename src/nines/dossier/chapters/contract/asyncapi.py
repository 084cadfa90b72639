"""The events as an AsyncAPI 3.0 document."""

from __future__ import annotations

from typing import Any

from nines.dossier.chapters.contract import openapi, taking
from nines.dossier.chapters.contract.taking import PROTOCOLS
from nines.model.blueprint import Dependency, DependencyKind, Event
from nines.model.design import Design, Shape, telling

VERSION = "3.0.0"
MEDIA_TYPE = "application/cloudevents+json"
_UNORDERED = (
    "Each event is delivered at least once: it may arrive twice, and two events may arrive in another order than they "
    "happened. `id` tells a repetition, `subject` and `time` tell what is newer. No event holds personal data."
)
_ORDERED = (
    "Each event is delivered at least once: it may arrive twice, and `id` tells a repetition. The events of one object "
    "(`subject`) leave in the order in which they happened, each when the one before it was taken; those of two in any "
    "order. No event holds personal data."
)
_MESSAGES = "#/components/messages/"

Json = dict[str, Any]


def document(design: Design) -> Json:
    """A channel, a message and a sending operation for each event that has a shape."""
    told = [(event, shape) for event in design.events if (shape := shape_of(event, design)) is not None]
    taken = [each for each in design.jobs if each.receives is not None and each.receives.dependency]
    contact = {"contact": {"name": design.card.owner}} if design.card.owner else {}
    return {
        "asyncapi": VERSION,
        "info": {
            "title": f"{design.card.name} events",
            "version": "1.0.0",
            "description": _says(design, is_told=bool(told), is_taken=bool(taken)),
            **contact,
        },
        "defaultContentType": MEDIA_TYPE,
        "servers": ({"broker": _server(broker(design))} if told else {}) | taking.servers(design),
        "channels": _channels(told, design) | taking.channels(design),
        "operations": {f"send{shape.name}": _operation(event, shape, design) for event, shape in told}
        | taking.operations(design),
        "components": {
            "messages": {shape.name: _message(event, shape, design) for event, shape in told} | taking.messages(design),
            "schemas": {
                each.name: each.schema
                for each in openapi.reached(design, (*(shape.name for _, shape in told), *taking.shapes(design)))
            },
        },
    }


def _says(design: Design, *, is_told: bool, is_taken: bool) -> str:
    told = f"What {design.card.name} tells others. {delivery(design)}" if is_told else ""
    taken = f"What {design.card.name} takes of others: each once, by its source and `id`." if is_taken else ""
    return " ".join(each for each in (told, taken) if each)


def shape_of(event: Event, design: Design) -> Shape | None:
    """The shape whose `type` is this event's."""
    kind = kind_of(event, design)
    for shape in design.shapes:
        if shape.schema.get("properties", {}).get("type", {}).get("const") == kind:
            return shape
    return None


def kind_of(event: Event, design: Design) -> str:
    """The event's type: "payments.payment.authorized.v1"."""
    return telling.type_of(event, design)


def broker(design: Design) -> Dependency | None:
    """What carries the events; None where they are delivered to subscribers over HTTP."""
    return telling.broker(design)


def delivery(design: Design) -> str:
    """What a reader may rely on: a broker is told in order, where the outbox is between."""
    is_kept = design.blueprint is not None and design.blueprint.events.transport == "outbox"
    return _ORDERED if is_kept and broker(design) else _UNORDERED


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
        "protocol": PROTOCOLS[carrier.kind],
        "description": f"The dependency {carrier.name}.",
        "variables": {"host": {"description": f"Comes from {carrier.url}." if carrier.url else "Comes from settings."}},
    }


def _channels(told: list[tuple[Event, Shape]], design: Design) -> Json:
    """One for each address: of a log that of a resource, which carries all that happens to it."""
    found: Json = {}
    for event, shape in told:
        address = telling.address_of(event, design)
        is_own = address == kind_of(event, design)
        says = f"{event.name}, version {event.version}." if is_own else "All that happens to it, in one order each."
        name = _channel(event, shape, design)
        channel = found.setdefault(name, {"address": address, "description": says, "messages": {}})
        channel["messages"][shape.name] = {"$ref": _MESSAGES + shape.name}
        if (carrier := broker(design)) and carrier.kind is DependencyKind.KAFKA:
            channel["bindings"] = {"kafka": {"topic": address}}
    return found


def _channel(event: Event, shape: Shape, design: Design) -> str:
    address = telling.address_of(event, design)
    if address == kind_of(event, design):
        return shape.name
    return "".join(part.capitalize() for part in address.rpartition(".")[2].split("_"))


def _operation(event: Event, shape: Shape, design: Design) -> Json:
    channel = _channel(event, shape, design)
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": f"Sent after {event.name} is committed.",
        "messages": [{"$ref": f"#/channels/{channel}/messages/{shape.name}"}],
    }


def _message(event: Event, shape: Shape, design: Design) -> Json:
    carrier = broker(design)
    key = {"type": "string", "description": "The subject of the event: the object's identifier."}
    keyed = {"bindings": {"kafka": {"key": key}}} if carrier and carrier.kind is DependencyKind.KAFKA else {}
    return {
        "name": shape.name,
        "title": _spoken(event),
        "contentType": MEDIA_TYPE,
        **keyed,
        "payload": {"$ref": f"#/components/schemas/{shape.name}"},
        "examples": [{"name": "example", "payload": shape.example}],
    }


def _spoken(event: Event) -> str:
    return event.name.replace(".", " ").replace("_", " ")

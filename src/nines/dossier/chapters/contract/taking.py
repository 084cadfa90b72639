"""What a service takes of others, for its contract of events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nines.model.blueprint import DependencyKind
from nines.model.design import Design, PlannedJob, Reception

PROTOCOLS = {
    DependencyKind.KAFKA: "kafka",
    DependencyKind.NATS: "nats",
    DependencyKind.RABBITMQ: "amqp",
    DependencyKind.REDIS: "redis",
}
_TEXT = {"type": "string"}
_LONG = {"type": "string", "minLength": 1, "maxLength": 255}

Json = dict[str, Any]


def taken(design: Design) -> Iterator[tuple[PlannedJob, Reception]]:
    """What comes through a broker; the service's own events are no contract with anybody."""
    for job in design.jobs:
        if job.receives is not None and job.receives.dependency:
            yield job, job.receives


def servers(design: Design) -> Json:
    found: Json = {}
    for _, received in taken(design):
        broker = design.dependency(received.dependency)
        if broker is not None:
            found[_server(received)] = {
                "host": "{host}",
                "protocol": PROTOCOLS[broker.kind],
                "description": f"The dependency {broker.name}.",
                "variables": {
                    "host": {"description": f"Comes from {broker.url}." if broker.url else "Comes from settings."}
                },
            }
    return found


def channels(design: Design) -> Json:
    found: Json = {}
    for job, received in taken(design):
        channel = found.setdefault(
            _channel(received),
            {
                "address": received.address,
                "description": f"Where {received.dependency} has what others tell.",
                "servers": [{"$ref": f"#/servers/{_server(received)}"}],
                "messages": {},
            },
        )
        channel["messages"][_message(job)] = {"$ref": f"#/components/messages/{_message(job)}"}
    return found


def operations(design: Design) -> Json:
    return {
        f"receive{_message(job)}": {
            "action": "receive",
            "channel": {"$ref": f"#/channels/{_channel(received)}"},
            "summary": job.says,
            "messages": [{"$ref": f"#/channels/{_channel(received)}/messages/{_message(job)}"}],
        }
        for job, received in taken(design)
    }


def messages(design: Design) -> Json:
    return {_message(job): _told(design, job, received) for job, received in taken(design)}


def shapes(design: Design) -> Iterator[str]:
    for _, received in taken(design):
        if received.shape:
            yield received.shape


def _told(design: Design, job: PlannedJob, received: Reception) -> Json:
    data = design.shape(received.shape) if received.shape else None
    members: Json = {
        "specversion": {"const": "1.0"},
        "id": _LONG | {"description": "Tells a repetition, within its source."},
        "source": _LONG,
        "type": {"const": received.type},
        "subject": _TEXT | {"description": "What it happened to: the events of one are taken in their order."},
        "time": {"type": "string", "format": "date-time"},
    }
    if data is not None:
        members["data"] = {"$ref": f"#/components/schemas/{data.name}"}
    example = {"specversion": "1.0", "id": "01b8e094-9b2e-7000-8000-000000000001", "source": "/others"}
    example |= {"type": received.type, "subject": "1", "time": "2030-01-02T03:04:05Z"}
    return {
        "name": _message(job),
        "title": received.type,
        "contentType": "application/cloudevents+json",
        "payload": {
            "type": "object",
            "properties": members,
            "required": ["specversion", "id", "source", "type", *(["data"] if data else [])],
        },
        "examples": [{"name": "example", "payload": example | ({"data": data.example} if data else {})}],
    }


def _message(job: PlannedJob) -> str:
    return f"{job.name[:1].upper()}{job.name[1:]}Event"


def _server(received: Reception) -> str:
    return f"{received.dependency.replace('-', '_')}_of_others"


def _channel(received: Reception) -> str:
    """Letters and digits only, as names of components are."""
    words = "".join(each if each.isalnum() else " " for each in f"{received.dependency} {received.address}").split()
    return "from" + "".join(word[:1].upper() + word[1:] for word in words)

"""Where events are told: the one place that says so, for the contract and for the service that is built."""

from __future__ import annotations

import re

from nines.model.blueprint import Dependency, DependencyKind, Event
from nines.model.design.design import Design

CARRIERS = frozenset({DependencyKind.KAFKA, DependencyKind.NATS, DependencyKind.RABBITMQ, DependencyKind.REDIS})
SERVED = frozenset({DependencyKind.KAFKA, DependencyKind.NATS, DependencyKind.REDIS})
"""Brokers that the runtime delivers to; for any other the owner writes how."""
_LOGS = frozenset({DependencyKind.KAFKA, DependencyKind.REDIS})
"""They keep an order only within a topic, so that all events of an object have to go into one."""
_EDGE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def broker(design: Design) -> Dependency | None:
    """What carries the events; None where they are delivered to subscribers over HTTP."""
    found = design.dependency(design.blueprint.events.broker) if design.blueprint else None
    return found if found and found.kind in CARRIERS else None


def type_of(event: Event, design: Design) -> str:
    """ "payments.payment.authorized.v1"."""
    return f"{design.card.name}.{event.name}.v{event.version}"


def address_of(event: Event, design: Design) -> str:
    """The topic of its resource where a broker keeps the order within a topic ("payments.payment"), else its type."""
    carrier = broker(design)
    if carrier is None or carrier.kind not in _LOGS:
        return type_of(event, design)
    about = _EDGE.sub("_", event.resource).lower() or event.name.partition(".")[0]
    return f"{design.card.name}.{about}"


def needed(design: Design) -> str:
    """What the broker has to have before it is told anything, in a sentence; "" without one."""
    carrier = broker(design)
    if carrier is None or not design.events:
        return ""
    addresses = sorted({address_of(each, design) for each in design.events})
    told = ", ".join(f"`{each}`" for each in addresses)
    if carrier.kind is DependencyKind.NATS:
        return (
            f"{carrier.name} needs JetStream, and one stream that holds `{design.card.name}.>`, so that the order of "
            "events is kept, with a window for duplicates of two minutes or more; without it they wait in the outbox."
        )
    if carrier.kind is DependencyKind.KAFKA:
        return (
            f"{carrier.name} needs the topics {told}, with three replicas and `min.insync.replicas=2`; the key of a "
            "message is the object's identifier. A topic that is not there is an event that waits in the outbox."
        )
    if carrier.kind is DependencyKind.REDIS:
        return (
            f"The streams of {carrier.name} are {told}; each keeps about a million entries, so that a reader who is "
            "further behind loses the oldest, and an event is as durable as the append-only file of that Redis "
            "(`appendfsync always` where none may be lost)."
        )
    return (
        f"nines writes no client for {carrier.kind.value}: events wait in the outbox until the owner has written "
        f"`gateways/{carrier.name.replace('-', '_')}.py`."
    )

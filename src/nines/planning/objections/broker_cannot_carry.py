"""Events are to travel over a dependency that carries none."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint, DependencyKind
from nines.model.design import Objection
from nines.planning.objecting import objection, option

_CARRIERS = frozenset({DependencyKind.KAFKA, DependencyKind.NATS, DependencyKind.RABBITMQ, DependencyKind.REDIS})


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    broker = blueprint.dependency(blueprint.events.broker)
    if broker is None or broker.kind in _CARRIERS:
        return
    yield objection(
        __name__,
        blueprint,
        "events.broker",
        f"{broker.name} is of type {broker.kind} and carries no events",
        (
            option(
                "no broker: the outbox delivers to subscribers over HTTP",
                "nothing more to run",
                "a slow subscriber is retried by this service",
                "there are a few subscribers",
            ),
            option(
                "a dependency of type nats, rabbitmq or kafka",
                "subscribers come and go without this service",
                "one more system to run and to watch",
                "there are many subscribers, or they read events again later",
            ),
        ),
    )

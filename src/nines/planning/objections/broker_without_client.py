"""A broker for which build writes no client: events wait until the owner has written one."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint, DependencyKind
from nines.model.design import Objection
from nines.planning.data import own
from nines.planning.objecting import objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    broker = blueprint.dependency(blueprint.events.broker)
    if broker is None or broker.kind is not DependencyKind.RABBITMQ or not own.has_outbox(blueprint):
        return
    yield objection(
        __name__,
        blueprint,
        "events.broker",
        f"nines writes no client for {broker.kind.value}: events wait in the outbox until "
        f"gateways/{broker.name.replace('-', '_')}.py delivers them, which is yours to write",
        (
            option(
                "a dependency of type nats, kafka or redis",
                "events leave as soon as the service is told where it is",
                "one more system to run, where rabbitmq is there already",
            ),
            option(
                "write the gateway",
                "events go where they are expected",
                "a function that returns when a publisher confirm has come, and its tests",
                "rabbitmq is there, and others rely on it",
            ),
        ),
        is_fatal=False,
    )

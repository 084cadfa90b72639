"""An event is to be taken that nothing here can bring."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint, Consumer
from nines.model.design import Objection, telling
from nines.planning.data import consuming
from nines.planning.objecting import listed, objection, option

_SERVED = listed(sorted(kind.value for kind in telling.SERVED))


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for consumer in blueprint.consumers:
        broker = blueprint.dependency(consumer.source)
        if broker is None:
            continue
        if broker.kind not in telling.SERVED:
            yield _unserved(blueprint, consumer, broker.kind.value)
        elif not consuming.address(blueprint, consumer):
            yield _nowhere(blueprint, consumer, broker.kind.value)


def _unserved(blueprint: Blueprint, consumer: Consumer, kind: str) -> Objection:
    return objection(
        __name__,
        blueprint,
        f"consumes.{consumer.name}.from",
        f"{consumer.name} takes {consumer.event} from {consumer.source}, which is {kind}: events are taken from "
        f"{_SERVED}",
        (
            option(
                "a dependency of type nats, kafka or redis",
                "each event is taken once, with retries and dead letters",
                f"whoever tells it has to tell it there, rather than over {kind}",
            ),
            option(
                "an operation that whoever tells it calls, with idempotency: required",
                "no broker to run; the caller sees what became of it",
                "the caller keeps what could not be delivered, and tries again",
            ),
        ),
    )


def _nowhere(blueprint: Blueprint, consumer: Consumer, kind: str) -> Objection:
    return objection(
        __name__,
        blueprint,
        f"consumes.{consumer.name}.event",
        f"nobody says where {kind} has {consumer.event}: a service that nines built tells "
        "SERVICE.RESOURCE.HAPPENED.vN at SERVICE.RESOURCE, and this is no such type",
        (
            option("address: the topic or stream", "any service may tell it", "has to follow when that one moves it"),
            option(
                "event: the whole type, such as payments.payment.captured.v1",
                "topic and type follow from one another",
                "has to be what its contract of events says",
            ),
        ),
    )

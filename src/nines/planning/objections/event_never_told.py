"""An event is declared, and nothing tells it."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.planning.objecting import objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    told = {name for operation in blueprint.operations for name in operation.emits}
    told |= {name for job in blueprint.jobs for name in job.emits}
    told |= {name for consumer in blueprint.consumers for name in consumer.emits}
    for event in blueprint.events.types:
        if event.name in told:
            continue
        yield objection(
            __name__,
            blueprint,
            f"events.{event.name}",
            f"no operation, no job and no consumer emits {event.name}",
            (
                option("emits: " + event.name, "subscribers hear of it", "they depend on it from then on"),
                option("leave it out", "the contract promises what happens", "whoever waits for it has to be told"),
            ),
            is_fatal=False,
        )

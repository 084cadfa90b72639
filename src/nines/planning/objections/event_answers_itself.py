"""An event causes itself, for ever."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.planning.data import consuming
from nines.planning.objecting import objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    """A ring of the service's own events; one that leaves the service is not seen from here."""
    causes: dict[str, set[str]] = {}
    for consumer in blueprint.consumers:
        if consuming.is_own(consumer):
            causes.setdefault(consumer.event, set()).update(consumer.emits)
    for consumer in blueprint.consumers:
        if not consuming.is_own(consumer) or consumer.event not in _caused(consumer.emits, causes):
            continue
        # A state that is reached once ends the ring.
        if consumer.to_state:
            continue
        yield objection(
            __name__,
            blueprint,
            f"consumes.{consumer.name}",
            f"{consumer.event} leads by way of {consumer.name} to {consumer.event} again, without an end",
            (
                option("another event", "each tells of something else that happened", "subscribers have to know both"),
                option('do: "-> state" in one of the steps', "ends when the state is reached", "needs such a state"),
            ),
        )


def _caused(events: tuple[str, ...], causes: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(events)
    while waiting:
        event = waiting.pop()
        if event not in found:
            found.add(event)
            waiting += sorted(causes.get(event, ()))
    return found

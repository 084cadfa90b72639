"""Personal data leaves with an event, and is then wherever subscribers keep it."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.planning.objecting import listed, objection, option, personal_fields


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for event in blueprint.events.types:
        resource = blueprint.resource(event.resource)
        personal = [name for name in personal_fields(blueprint, resource) if name in event.fields] if resource else []
        if not personal:
            continue
        yield objection(
            __name__,
            blueprint,
            f"events.{event.name}",
            f"{event.name} tells {listed(personal)}, which is personal data: an erasure here does not reach the logs "
            "and tables of those who heard it",
            (
                option(
                    "tell the identifier only",
                    "who may see it asks here, and is seen asking",
                    "a request for each event that matters to a subscriber",
                ),
                option(
                    "encrypt it with a key for each person",
                    "dropping the key erases it everywhere",
                    "keys to keep, and every subscriber has to ask for them",
                    "subscribers cannot reach this service",
                ),
            ),
        )

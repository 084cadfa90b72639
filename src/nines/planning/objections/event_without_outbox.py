"""An event is sent beside the transaction that it tells of, and may be lost or told of nothing."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.planning.objecting import listed, objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    telling = [each.name for each in blueprint.operations if each.emits]
    telling += [each.name for each in blueprint.jobs if each.emits]
    telling += [each.name for each in blueprint.consumers if each.emits]
    if blueprint.events.transport != "direct" or not telling:
        return
    yield objection(
        __name__,
        blueprint,
        "events.transport",
        f"events are sent directly, beside the transactions of {listed(telling)}: a process that dies between the two "
        "has changed something that nobody hears of, or told of something that never was",
        (
            option(
                "transport: outbox",
                "the event is written in the same transaction and relayed until it arrives",
                "a table and a relay; subscribers see an event a few milliseconds later, and now and then twice",
            ),
            option(
                "leave the events out, and let readers ask",
                "nothing can be lost",
                "others learn of a change when they ask next",
                "nobody needs to know at once",
            ),
        ),
    )

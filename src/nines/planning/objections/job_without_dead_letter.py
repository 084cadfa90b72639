"""A piece of work that never succeeds is tried for ever or forgotten."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.planning.objecting import objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for job in blueprint.jobs:
        if not job.calls or not job.from_state or job.failed_state:
            continue
        if job.every_s is not None:
            # What failed is taken again the next time, and its age is what an alert watches.
            continue
        yield objection(
            __name__,
            blueprint,
            f"jobs.{job.name}",
            f"{job.name} tries {job.attempts_max} times, and says nothing of a row that failed every time: it stays "
            f"{job.from_state}, unseen",
            (
                option("failed: a state of its own", "is seen, counted, and can be sent again", "one more state"),
                option(
                    "every: 5m", "is tried again for as long as it takes", "one that cannot succeed is tried for ever"
                ),
            ),
            is_fatal=False,
        )

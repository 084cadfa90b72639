"""A job does less than arrives for it, so that its queue only grows."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nines.model.blueprint import Blueprint
from nines.model.design import Objection
from nines.model.words import count, duration, rate
from nines.planning.capacity.figures import PIECE_ROUND_S
from nines.planning.objecting import arrivals_hz, called, objection, option


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for job in blueprint.jobs:
        coming_hz = arrivals_hz(blueprint, job)
        piece_s = PIECE_ROUND_S + sum(each.latency_p95_s or 0.0 for each in called(blueprint, job.calls))
        most = blueprint.deploy.replicas_max
        done_hz = job.concurrency * most / piece_s
        if job.every_s is not None or coming_hz <= done_hz:
            continue
        yield objection(
            __name__,
            blueprint,
            f"jobs.{job.name}.concurrency",
            f"{rate(coming_hz)} arrive for {job.name} on an ordinary day, and {job.concurrency} at once × {most} "
            f"processes / {duration(piece_s)} a piece = {rate(done_hz)} are done: after a day "
            f"{count((coming_hz - done_hz) * 86_400)} wait",
            (
                option(
                    f"concurrency: {math.ceil(coming_hz * piece_s * 2 / most)}",
                    "twice what arrives, so that a queue empties again",
                    "as many calls in flight at the dependency",
                ),
                option(
                    "hand over several pieces in one call",
                    "one round trip for many",
                    "one that is refused must be told apart",
                    "the provider takes batches",
                ),
            ),
        )

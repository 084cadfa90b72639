"""A job does less than arrives for it, so that its queue only grows."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nines.model.blueprint import Action, Blueprint, Job
from nines.model.design import Objection
from nines.model.words import count, duration, rate
from nines.planning.objecting import called, objection, option

_ROUND_S = 0.01
"""Taking a piece and settling it: two short transactions."""


def object_to(blueprint: Blueprint) -> Iterator[Objection]:
    for job in blueprint.jobs:
        arrivals_hz = _arrivals_hz(blueprint, job)
        piece_s = _ROUND_S + sum(each.latency_p95_s or 0.0 for each in called(blueprint, job.calls))
        most = blueprint.deploy.replicas_max
        done_hz = job.concurrency * most / piece_s
        if job.every_s is not None or arrivals_hz <= done_hz:
            continue
        yield objection(
            __name__,
            blueprint,
            f"jobs.{job.name}.concurrency",
            f"{rate(arrivals_hz)} arrive for {job.name} on an ordinary day, and {job.concurrency} at once × {most} "
            f"processes / {duration(piece_s)} a piece = {rate(done_hz)} are done: after a day "
            f"{count((arrivals_hz - done_hz) * 86_400)} wait",
            (
                option(
                    f"concurrency: {math.ceil(arrivals_hz * piece_s * 2 / most)}",
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


def _arrivals_hz(blueprint: Blueprint, job: Job) -> float:
    resource = blueprint.resource(job.on)
    first = resource.states[0].name if resource and resource.states else ""
    return sum(
        blueprint.rate_hz(operation)
        for operation in blueprint.operations
        if operation.on == job.on
        and job.from_state
        and ((operation.do is Action.CREATE and job.from_state == first) or operation.to_state == job.from_state)
    )

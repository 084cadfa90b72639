"""How long work outside requests is tried, against how long a dependency is away."""

from __future__ import annotations

from nines.model.blueprint import Dependency, DependencyKind
from nines.model.design import Design, PlannedJob
from nines.planning.failures import callers
from nines.planning.flows.keeping import LEASE_S

WAIT_MAX_S = 3_600.0
"""The wait between attempts doubles from a lease up to an hour."""


def tried_for_s(job: PlannedJob) -> float:
    """From the first attempt to the last: the sum of the waits between them."""
    return sum((min(WAIT_MAX_S, LEASE_S * 2.0**number) for number in range(job.attempts_max - 1)), 0.0)


def given_up(design: Design, dependency: Dependency, lasts_s: float) -> tuple[PlannedJob, ...]:
    """The jobs whose last attempt fails before the dependency is back; without the database none is counted."""
    if dependency.kind is DependencyKind.POSTGRES:
        return ()
    waiting = callers.jobs(design, dependency)
    return tuple(
        job
        for job in design.jobs
        if job.name in waiting and job.dead_letter and job.every_s is None and tried_for_s(job) < lasts_s
    )

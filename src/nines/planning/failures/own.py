"""The failure modes of what is the service's own: its process, its pool, its work outside requests, where it stands."""

from __future__ import annotations

from collections.abc import Iterator

from nines.checkers.availability import STATED
from nines.model.blueprint import Dependency, DependencyKind
from nines.model.design import Design, FailureMode, PlannedJob
from nines.model.words import duration
from nines.planning.failures import assumptions, callers
from nines.planning.failures.assumptions import Mode, part
from nines.planning.failures.copies import replicas
from nines.planning.failures.dependencies import KILL, STALL, STEADY
from nines.planning.failures.making import deployable, made
from nines.planning.running import names
from nines.planning.threats.drafting import named

PROCESS, JOBS, ZONE, REGION, EDGE, ISSUER = (
    "the process",
    "the jobs",
    "the zone",
    "the region",
    "the edge",
    "the issuer",
)
_EVERYBODY = "503 or a connection that ends: whoever was sent there; a repetition comes elsewhere"


def of_service(design: Design) -> Iterator[FailureMode]:
    """Its processes, the pool of each, and its jobs."""
    yield from _process(design)
    for dependency in design.dependencies:
        if dependency.kind is DependencyKind.POSTGRES:
            yield _pool(design, dependency)
    if design.jobs:
        yield from _jobs(design)


def _process(design: Design) -> Iterator[FailureMode]:
    copies, most = replicas(design)
    crash = next(each for each in STATED if each.name == "recovery of the service")
    missing = names.replicas_missing(deployable(design)) if copies > 1 else names.down(deployable(design))
    fast = names.burn(names.objective(design.name, "availability"), names.FAST)
    lasts_s = assumptions.CRASH_DETECTION_S if copies > 1 else assumptions.CRASH_DETECTION_S + assumptions.RESTART_S
    one_of = (
        f"one of {copies} processes: {part(1 / copies)} of the requests"
        if copies > 1
        else "the only process: every request"
    )
    yield made(
        design,
        PROCESS,
        Mode.REFUSING,
        metric="up",
        alert=missing,
        contained_by=(
            f"readiness: after {duration(assumptions.CRASH_DETECTION_S)} nothing is sent to it",
            f"restart within {duration(assumptions.RESTART_S)}; what was under way is done once under its key, or "
            "was rolled back",
        ),
        sees=_EVERYBODY,
        lasts_s=lasts_s,
        per_year=crash.per_year,
        failing=1 / copies,
        arithmetic=f"{crash.words} (assumed), {duration(lasts_s)} each, {one_of}.",
        tried_by=KILL,
    )
    stall_s = assumptions.LIVENESS_S if copies > 1 else assumptions.LIVENESS_S + assumptions.RESTART_S
    yield made(
        design,
        PROCESS,
        Mode.STALLED,
        metric=names.REQUESTS_IN_FLIGHT,
        alert=missing,
        contained_by=(
            f"liveness: replaced after {duration(assumptions.LIVENESS_S)}",
            "work that blocks runs in threads of its own",
        ),
        sees=_EVERYBODY,
        lasts_s=stall_s,
        per_year=assumptions.STALLS_PER_YEAR,
        failing=1 / copies,
        arithmetic=f"assumed: once in a quarter, {duration(stall_s)} until it is replaced, {one_of}.",
        tried_by=STALL,
    )
    peak = f"{design.demand.peak_hz:,.0f}/s" if design.demand else "the peak"
    yield made(
        design,
        PROCESS,
        Mode.OVERLOADED,
        metric=names.REQUESTS_SHED,
        alert=fast,
        contained_by=(
            "shedding: beyond its bound of requests at once a process answers 503 with Retry-After before a statement",
            f"from {copies} to {most} replicas",
        ),
        sees="503 unavailable with Retry-After: a part of all",
        lasts_s=assumptions.SURGE.lasts_s,
        per_year=assumptions.SURGE.per_year,
        failing=assumptions.SURGE_SHED,
        arithmetic=f"{assumptions.SURGE.source}: of 2 × {peak} {part(assumptions.SURGE_SHED)} are shed.",
        tried_by=STEADY,
    )
    release = assumptions.RELEASE
    yield made(
        design,
        PROCESS,
        Mode.WRONG,
        metric=names.REQUEST_SECONDS,
        alert=fast,
        contained_by=(
            "a release replaces one process, is watched, and goes on only while errors stay within the budget",
            "the release before it is started again",
        ),
        sees="500 or a wrong answer: those who are sent to the new one",
        lasts_s=release.lasts_s,
        per_year=release.per_year,
        failing=1 / copies,
        arithmetic=f"{release.source}; {one_of}.",
    )


def _pool(design: Design, dependency: Dependency) -> FailureMode:
    found = callers.affected(design, dependency)
    whole = callers.failing_share(design, found) * assumptions.CUT_SHARE
    held = f"{dependency.pool} connections in each process" if dependency.pool else "its size is not said"
    return made(
        design,
        f"the pool of {dependency.name}",
        Mode.OVERLOADED,
        metric=names.POOL_WAIT_SECONDS,
        alert=names.pool_exhausted(design.name, dependency.name),
        contained_by=(
            f"pool: {held}",
            "waiting for one is bounded by the budget of the operation, then 503",
            "no transaction is open while others are asked",
        ),
        sees=callers.sees(found, callers.jobs(design, dependency)),
        lasts_s=assumptions.POOL.lasts_s,
        per_year=assumptions.POOL.per_year,
        failing=whole,
        arithmetic=f"{assumptions.POOL.source}; half of what needs {dependency.name} fails: {part(whole)}.",
        tried_by=STALL,
        operations=tuple(each.endpoint.id for each in found),
        is_open=dependency.pool is None,
    )


def _jobs(design: Design) -> Iterator[FailureMode]:
    queues = [job for job in design.jobs if job.every_s is None]
    timed = [job for job in design.jobs if job.every_s is not None]
    stale = names.tasks_stale(design.name) if queues else ""
    overdue = names.tasks_overdue(design.name) if timed else ""
    late = f"nothing at once; {named(job.name for job in design.jobs)} come later"
    down, poison = assumptions.JOBS_DOWN, assumptions.POISON
    yield made(
        design,
        JOBS,
        Mode.STALLED,
        metric=names.TASK_OLDEST_SECONDS if queues else names.TASK_SUCCESS_SECONDS,
        alert=stale or overdue,
        contained_by=("work stays in its table; another process claims it when the lease of the first is over",),
        sees=late,
        lasts_s=down.lasts_s,
        per_year=down.per_year,
        arithmetic=f"{down.source}. No request fails; accepted work is done later.",
        tried_by=KILL,
        operations=(),
    )
    yield from _backlog(design, queues, late, stale)
    dead = [job for job in design.jobs if job.dead_letter]
    yield made(
        design,
        JOBS,
        Mode.WRONG,
        metric=names.TASK_DEAD if queues else names.TASK_SUCCESS_SECONDS,
        alert=(names.tasks_dead(design.name) if queues else overdue),
        contained_by=(
            *(f"{job.name}: {job.attempts_max} attempts, then {job.dead_letter}" for job in dead),
            *(() if dead else ("a turn that fails is taken again at the next",)),
        ),
        sees="nothing at once; one piece waits for a person",
        lasts_s=poison.lasts_s,
        per_year=poison.per_year,
        arithmetic=f"{poison.source}. No request fails.",
        operations=(),
    )


def _backlog(design: Design, queues: list[PlannedJob], late: str, stale: str) -> Iterator[FailureMode]:
    if not queues:
        return
    busiest = max(queues, key=lambda job: job.peak_hz or 0.0)
    said = (
        f"{busiest.name}: {busiest.peak_hz:.4g}/s come at the peak, {busiest.concurrency} at once in each process"
        if busiest.peak_hz
        else "how much comes is not known"
    )
    surge = assumptions.SURGE
    yield made(
        design,
        JOBS,
        Mode.OVERLOADED,
        metric=names.TASK_OLDEST_SECONDS,
        alert=stale,
        contained_by=tuple(f"{job.name}: {job.concurrency} at once in each process, oldest first" for job in queues),
        sees=late,
        lasts_s=2 * surge.lasts_s,
        per_year=surge.per_year,
        arithmetic=f"{surge.source}, and as long again to work off what waited ({said}). No request fails.",
        tried_by=STEADY,
        operations=(),
    )

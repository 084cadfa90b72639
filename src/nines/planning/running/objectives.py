"""Objectives: what the budgets of the design mean in events that can be counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nines.model.design import Deployable, Design, Objective, PlannedEndpoint, PlannedJob
from nines.model.record import Record
from nines.model.words import duration, share
from nines.planning.running import names
from nines.planning.running.promql import among, bucket, equal, rate, selector

P95 = 0.95
DONE = "done"
DEAD = "dead"
FAILED = 'status!~"5.."'
_ROUNDING = 1e-9


class Series(Record):
    """One series behind an objective, for trying its alerts: what it counts."""

    name: str
    counts_good: bool
    counts_bad: bool


class Watched(Record):
    """An objective with the two rates that it consists of, and series that make it good or bad."""

    objective: Objective
    good: str
    """As in the objective, summed up by its label."""
    total: str
    series: tuple[Series, ...]
    labels: tuple[tuple[str, str], ...] = ()
    """Of the values of its label in those series."""


def watched(design: Design, deployables: Sequence[Deployable]) -> Iterator[Watched]:
    """Every objective of the design; what nobody calls and no job does has none."""
    jobs = jobs_selector(deployables)
    if design.endpoints:
        yield from _availability(design, jobs)
        yield from _latency(design, jobs)
    queues = tuple(job for job in design.jobs if is_queue(job))
    if queues and not design.is_recovered:
        yield _freshness(design, jobs, queues)
        yield _durability(design, jobs, queues)


def jobs_selector(deployables: Sequence[Deployable]) -> str:
    return among("job", [each.name for each in deployables])


def is_queue(job: PlannedJob) -> bool:
    """Whether pieces of work wait for it, rather than the clock."""
    return job.every_s is None


def latency_of(design: Design, endpoint: PlannedEndpoint) -> float | None:
    """What a critical operation promises; None where it stands outside the budget, to its callers' knowledge."""
    blueprint = design.blueprint
    operation = blueprint.operation(endpoint.id) if blueprint else None
    if not endpoint.is_critical or (operation and operation.is_excluded):
        return None
    return endpoint.latency_p95_s or design.budgets.latency_p95_s


def _availability(design: Design, jobs: str) -> Iterator[Watched]:
    budgets = design.budgets
    yield _answers(
        design,
        jobs,
        indicator="availability",
        target=budgets.availability,
        endpoints=design.endpoints,
        says=f"An answer below 500 is good, 429 included; the availability budget leaves "
        f"{share(1 - budgets.availability)} for errors and outages together.",
    )
    critical = design.critical()
    if critical and 1 - budgets.error_rate > budgets.availability + _ROUNDING:
        yield _answers(
            design,
            jobs,
            indicator="errors",
            target=1 - budgets.error_rate,
            endpoints=critical,
            says=f"An answer below 500 of a critical operation is good; the budget is {share(budgets.error_rate)}.",
        )


def _answers(
    design: Design, jobs: str, *, indicator: str, target: float, endpoints: Sequence[PlannedEndpoint], says: str
) -> Watched:
    operations = tuple(each.id for each in endpoints)
    filtered = among("operation", operations) if len(operations) < len(design.endpoints) else ""
    series = f"{names.REQUEST_SECONDS}_count"
    good, total = selector(series, jobs, filtered, FAILED), selector(series, jobs, filtered)
    objective = Objective(
        id=names.objective(design.name, indicator),
        title="Requests answered without an error of the service"
        if indicator == "availability"
        else "Critical requests answered without an error of the service",
        indicator="availability",
        target=target,
        window_s=design.budgets.window_s,
        good=rate(good),
        total=rate(total),
        operations=operations,
        says=says,
    )
    first = (equal("job", _first(jobs)), equal("operation", operations[0]))
    return Watched(
        objective=objective,
        good=rate(good),
        total=rate(total),
        series=(
            Series(name=selector(series, *first, 'status="200"'), counts_good=True, counts_bad=False),
            Series(name=selector(series, *first, 'status="500"'), counts_good=False, counts_bad=True),
        ),
    )


def _latency(design: Design, jobs: str) -> Iterator[Watched]:
    promised: dict[float, list[PlannedEndpoint]] = {}
    for endpoint in design.endpoints:
        limit_s = latency_of(design, endpoint)
        if limit_s:
            promised.setdefault(limit_s, []).append(endpoint)
    for limit_s, endpoints in sorted(promised.items()):
        yield _promise(design, jobs, limit_s, tuple(each.id for each in endpoints))


def _promise(design: Design, jobs: str, limit_s: float, operations: tuple[str, ...]) -> Watched:
    filtered = among("operation", operations) if len(operations) < len(design.endpoints) else ""
    name = names.REQUEST_SECONDS
    good = selector(f"{name}_bucket", jobs, filtered, FAILED, bucket(limit_s))
    total = selector(f"{name}_count", jobs, filtered, FAILED)
    first = (equal("job", _first(jobs)), equal("operation", operations[0]), 'status="200"')
    label = ("operation",)
    return Watched(
        objective=Objective(
            id=names.objective(design.name, "latency", f"{limit_s * 1_000:.0f}ms"),
            title=f"Critical requests answered within {duration(limit_s)}",
            indicator="latency",
            target=P95,
            window_s=design.budgets.window_s,
            threshold_s=limit_s,
            good=rate(good),
            total=rate(total),
            operations=operations,
            by="operation",
            says=f"A p95 of {duration(limit_s)} is the same as 95 % of the answers within {duration(limit_s)}; every "
            "operation keeps it for itself, so that a rare one cannot hide behind a frequent one.",
        ),
        good=rate(good, by=label),
        total=rate(total, by=label),
        series=(
            Series(name=selector(f"{name}_bucket", *first, f'le="{limit_s:g}"'), counts_good=True, counts_bad=False),
            Series(name=selector(f"{name}_count", *first), counts_good=True, counts_bad=True),
        ),
        labels=(("operation", operations[0]),),
    )


def _freshness(design: Design, jobs: str, queues: Sequence[PlannedJob]) -> Watched:
    limit_s = design.budgets.recovery_s
    tasks = tuple(job.name for job in queues)
    name, chosen = names.TASK_DELAY_SECONDS, among("task", tasks)
    good = selector(f"{name}_bucket", jobs, chosen, equal("outcome", DONE), bucket(limit_s))
    total = selector(f"{name}_count", jobs, chosen)
    first = (equal("job", _first(jobs)), equal("task", tasks[0]))
    return Watched(
        objective=Objective(
            id=names.objective(design.name, "freshness"),
            title=f"Accepted work done within {duration(limit_s)}",
            indicator="freshness",
            target=design.budgets.availability,
            window_s=design.budgets.window_s,
            threshold_s=limit_s,
            good=rate(good),
            total=rate(total),
            by="task",
            tasks=tasks,
            says=f"Work that was accepted is done within {duration(limit_s)}, the recovery budget: an outage that the "
            "budget allows may hold it up for as long as it lasts and no longer.",
        ),
        good=rate(good, by=("task",)),
        total=rate(total, by=("task",)),
        series=(
            Series(
                name=selector(f"{name}_bucket", *first, equal("outcome", DONE), f'le="{limit_s:g}"'),
                counts_good=True,
                counts_bad=False,
            ),
            Series(name=selector(f"{name}_count", *first, equal("outcome", DONE)), counts_good=True, counts_bad=True),
        ),
        labels=(("task", tasks[0]),),
    )


def _durability(design: Design, jobs: str, queues: Sequence[PlannedJob]) -> Watched:
    tasks = tuple(job.name for job in queues)
    name, chosen = f"{names.TASK_DELAY_SECONDS}_count", among("task", tasks)
    good, total = selector(name, jobs, chosen, equal("outcome", DONE)), selector(name, jobs, chosen)
    first = (equal("job", _first(jobs)), equal("task", tasks[0]))
    return Watched(
        objective=Objective(
            id=names.objective(design.name, "durability"),
            title="Accepted work done, rather than given up",
            indicator="durability",
            target=1 - design.budgets.error_rate,
            window_s=design.budgets.window_s,
            good=rate(good),
            total=rate(total),
            by="task",
            tasks=tasks,
            says=f"Of what was accepted at most {share(design.budgets.error_rate)}, the error budget, ends as a dead "
            "letter.",
        ),
        good=rate(good, by=("task",)),
        total=rate(total, by=("task",)),
        series=(
            Series(name=selector(name, *first, equal("outcome", DONE)), counts_good=True, counts_bad=False),
            Series(name=selector(name, *first, equal("outcome", DEAD)), counts_good=False, counts_bad=True),
        ),
        labels=(("task", tasks[0]),),
    )


def _first(jobs: str) -> str:
    """A job that the selector takes."""
    return jobs.partition('"')[2].rpartition('"')[0].partition("|")[0]

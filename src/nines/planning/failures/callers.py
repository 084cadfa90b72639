"""Who notices that a dependency fails: the operations that wait for it, with what they answer then, and the jobs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nines.model.blueprint import Dependency, DependencyKind, Fallback
from nines.model.design import Design, FlowStep, PlannedEndpoint, StepKind
from nines.model.record import Record
from nines.planning.threats.drafting import ids, named

UNAVAILABLE = 503
_ASKING = (StepKind.CALL, StepKind.PUBLISH, StepKind.CACHE, StepKind.ENQUEUE)


class Affected(Record):
    """One operation that waits for the dependency, with what its caller gets while it is away."""

    endpoint: PlannedEndpoint
    status: int

    @property
    def fails(self) -> bool:
        return self.status >= 500


def affected(design: Design, dependency: Dependency) -> tuple[Affected, ...]:
    """The operations whose answer hangs on the dependency, as their flows tell."""
    return tuple(
        Affected(endpoint=endpoint, status=_status(dependency, steps))
        for endpoint in design.endpoints
        if (steps := [step for step in asking(endpoint.flow.steps, dependency) if not step.after_response])
    )


def jobs(design: Design, dependency: Dependency) -> tuple[str, ...]:
    return tuple(
        job.name
        for job in design.jobs
        if any(asking(job.flow.steps, dependency)) or (job.receives and job.receives.dependency == dependency.name)
    )


def asking(steps: Sequence[FlowStep], dependency: Dependency) -> Iterator[FlowStep]:
    """The steps of a flow that reach the dependency."""
    for step in steps:
        is_query = step.kind is StepKind.QUERY and dependency.kind is DependencyKind.POSTGRES
        if is_query or (step.kind in _ASKING and step.target == dependency.name):
            yield step


def _status(dependency: Dependency, steps: Sequence[FlowStep]) -> int:
    """What the branches of the step promise; a refusal for good is an answer, not a failure."""
    found = [
        branch.status
        for step in steps
        if step.kind is not StepKind.QUERY
        for branch in step.branches
        if branch.status is not None and "refuse" not in branch.when
    ]
    if found:
        return max(found)
    carries_on = dependency.fallback in (Fallback.CACHE, Fallback.DEFAULT) or not dependency.is_hard
    return 200 if carries_on and dependency.kind is not DependencyKind.POSTGRES else UNAVAILABLE


def failing_share(design: Design, found: Sequence[Affected]) -> float:
    """Of all requests, by how often each operation is called; of all operations, where that is not known."""
    whole = sum(each.steady_hz or 0.0 for each in design.endpoints)
    if whole:
        return min(1.0, sum(each.endpoint.steady_hz or 0.0 for each in found if each.fails) / whole)
    return sum(1 for each in found if each.fails) / max(1, len(design.endpoints))


def sees(found: Sequence[Affected], waiting: Sequence[str]) -> str:
    """What callers get, by status."""
    statuses: dict[int, list[PlannedEndpoint]] = {}
    for each in found:
        statuses.setdefault(each.status, []).append(each.endpoint)
    said = [f"{_MEANING.get(status, str(status))}: {ids(endpoints)}" for status, endpoints in statuses.items()]
    if not said:
        said = ["nothing: no answer waits for it"]
    if waiting:
        said.append(f"later than usual: {named(waiting)}")
    return "; ".join(said)


_MEANING = {
    200: "200, without what it would have told",
    202: "202, done later",
    UNAVAILABLE: "503 unavailable with Retry-After",
}

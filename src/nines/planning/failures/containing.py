"""What holds a failing dependency: every measure that the blueprint has, with its figure, by mode."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Action, Dependency, DependencyKind, Fallback
from nines.model.design import Design
from nines.model.words import duration, rate, share
from nines.planning.failures.assumptions import Mode
from nines.planning.failures.callers import Affected
from nines.planning.failures.copies import replicas

_UNREACHED = (Mode.STALLED, Mode.REFUSING, Mode.RESETTING, Mode.ERRORS, Mode.OVERLOADED)
_FALLBACKS = {
    Fallback.QUEUE: "fallback queue: it is accepted, and a job does it later",
    Fallback.CACHE: "fallback cache: the last known value is answered",
    Fallback.DEFAULT: "fallback default: the answer comes without what it would have told",
}


def attempts(dependency: Dependency) -> int:
    return 1 + (dependency.retry.max if dependency.retry else 0)


def contained_by(design: Design, dependency: Dependency, mode: Mode, found: tuple[Affected, ...]) -> tuple[str, ...]:
    """Nothing for a mode that nothing holds."""
    if mode in (Mode.LOSING, Mode.WRONG, Mode.EXPIRED):
        return tuple(_by_kind(design, dependency, mode))
    return (
        *_timing(dependency, mode),
        *_stopping(design, dependency, mode, found),
        *_instead(design, dependency, mode),
    )


def _timing(dependency: Dependency, mode: Mode) -> Iterator[str]:
    if dependency.timeout_s and mode in (Mode.SLOW, Mode.STALLED):
        yield f"timeout {duration(dependency.timeout_s)} for each attempt"
    retry = dependency.retry
    if retry and retry.max and mode in (Mode.RESETTING, Mode.ERRORS, Mode.STALLED, Mode.REFUSING):
        only = " of what may be repeated" if retry.only_idempotent else ""
        yield f"retry: at most {attempts(dependency)} attempts{only}, apart and jittered"


def _stopping(design: Design, dependency: Dependency, mode: Mode, found: tuple[Affected, ...]) -> Iterator[str]:
    breaker = dependency.breaker
    if breaker and mode in _UNREACHED:
        opens = opens_after_s(design, dependency, mode, found)
        soon = f", after about {duration(opens)}" if opens is not None else ""
        yield (
            f"breaker: at {share(breaker.error_share)} errors of {breaker.of} calls it opens{soon}, and tries again "
            f"every {duration(breaker.open_s)}"
        )
    if dependency.bulkhead and mode in (Mode.SLOW, Mode.STALLED, Mode.OVERLOADED):
        yield f"bulkhead: {dependency.bulkhead} calls at once in each process, the next is not made"
    if dependency.rate_max_hz and mode is Mode.OVERLOADED:
        yield f"shedding: {rate(dependency.rate_max_hz)} are agreed"
    if dependency.pool and mode in (Mode.SLOW, Mode.STALLED, Mode.OVERLOADED):
        yield f"pool: {dependency.pool} connections in each process; who waits longer than its budget gets 503"


def opens_after_s(design: Design, dependency: Dependency, mode: Mode, found: tuple[Affected, ...]) -> float | None:
    """Until enough calls of one process have failed; None where it is not known how often it is asked."""
    calls_hz = sum(each.endpoint.steady_hz or 0.0 for each in found)
    calls_hz += sum(
        job.steady_hz or 0.0 for job in design.jobs if any(step.target == dependency.name for step in job.flow.calls)
    )
    if not calls_hz or not dependency.breaker:
        return None
    each_hz = calls_hz / replicas(design)[0]
    late_s = (dependency.timeout_s or 0.0) if mode is Mode.STALLED else 0.0
    return late_s + dependency.breaker.of * dependency.breaker.error_share / each_hz


def _instead(design: Design, dependency: Dependency, mode: Mode) -> Iterator[str]:
    if dependency.kind is DependencyKind.POSTGRES:
        yield from _of_database(design, dependency, mode)
    elif dependency.fallback in _FALLBACKS and mode is not Mode.SLOW:
        yield _FALLBACKS[dependency.fallback]
    if any(job.receives and job.receives.dependency == dependency.name for job in design.jobs):
        yield "what others told waits there, and is taken when it is back; the inbox drops what comes twice"
        if any(table.name.endswith("outbox") for table in design.tables):
            yield "what is told to others waits in the outbox"


def _of_database(design: Design, dependency: Dependency, mode: Mode) -> Iterator[str]:
    if mode in (Mode.REFUSING, Mode.STALLED) and dependency.replication in ("synchronous", "asynchronous"):
        yield f"failover to the {dependency.replication} copy"
    if mode is Mode.RESETTING:
        yield "the pool drops broken connections and makes new ones; what was under way is answered with 503"
    if mode in (Mode.SLOW, Mode.STALLED):
        yield "statement_timeout: no statement outlives the budget of its operation"
    if mode is Mode.ERRORS:
        keys = (
            ", and a repetition under its key does it once"
            if any(each.idempotency for each in design.endpoints)
            else ""
        )
        yield f"the transaction is rolled back: nothing is half done{keys}"
    if mode is Mode.ERRORS and any(each.isolation == "serializable" for each in design.endpoints):
        yield "a transaction that was refused for a conflict (SQLSTATE 40001) is run again, 3 times at most"


def _by_kind(design: Design, dependency: Dependency, mode: Mode) -> Iterator[str]:
    kind = dependency.kind
    if mode is Mode.EXPIRED:
        yield (
            f"an alert long before; two credentials of {dependency.name} hold at a time, so that a rotation has no gap"
        )
    elif mode is Mode.LOSING:
        yield from _against_loss(design, dependency)
    elif kind is DependencyKind.POSTGRES:
        checks = sum(len(table.checks) for table in design.tables)
        yield (
            f"{checks:,} checks refuse what breaks a rule, and backups to a point in time bring back what "
            "somebody deleted"
        )
    elif kind in (DependencyKind.HTTP, DependencyKind.GRPC):
        yield "an answer that does not have the expected shape is an error"
        finding = [job.name for job in design.jobs if _compares(design, job.name, dependency.name)]
        if finding:
            yield f"{', '.join(finding)} compares what it knows with what is kept"
    elif kind is DependencyKind.REDIS:
        yield "every value has an end; nothing is decided by it alone"
    else:
        yield "an event that comes twice or late is known by its id and its time"


def _compares(design: Design, job: str, dependency: str) -> bool:
    blueprint = design.blueprint
    found = next((each for each in blueprint.jobs if each.name == job), None) if blueprint else None
    return (
        found is not None and found.every_s is not None and any(c.partition(".")[0] == dependency for c in found.calls)
    )


def _against_loss(design: Design, dependency: Dependency) -> Iterator[str]:
    if dependency.kind is DependencyKind.POSTGRES:
        if dependency.replication == "synchronous":
            yield "replication synchronous: what was acknowledged is on two machines; backups against what both lose"
        elif dependency.replication == "asynchronous":
            yield (
                f"replication asynchronous: what the copy lacks is lost; {duration(design.budgets.loss_s)} are allowed"
            )
    elif dependency.kind is DependencyKind.REDIS:
        yield "only what can be made again may be there"
    elif dependency.kind is DependencyKind.SMTP:
        again = [
            each.id
            for each in design.endpoints
            if each.action in (Action.SEND_CODE, Action.REQUEST_RESET, Action.REQUEST_SIGN_IN)
        ]
        if again:
            yield f"whoever misses a message asks for another: {', '.join(again)}"
    elif dependency.kind is DependencyKind.OBJECTS:
        return
    elif any(table.name.endswith("outbox") for table in design.tables):
        yield "the outbox holds an event until it was taken; what was taken is the broker's"

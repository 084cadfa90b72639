"""The failure modes of every dependency that the design names."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from nines.model.blueprint import Dependency, DependencyKind
from nines.model.design import Design, FailureMode
from nines.model.words import duration, share
from nines.planning.failures import assumptions, callers, containing, outlasting
from nines.planning.failures.assumptions import Incident, Mode, Outage, part
from nines.planning.failures.callers import Affected
from nines.planning.running import names
from nines.planning.threats.drafting import ids

STALL, RESET, KILL, STEADY = (
    "dependencies/dependency-stall",
    "dependencies/dependency-reset",
    "crash/durable-kill",
    "load/steady",
)
RECONNECT_S = 5.0
"""Until a pool has connections again, waits between its attempts included."""
_PARTLY = (Mode.RESETTING, Mode.OVERLOADED)
_BESIDE = {
    Mode.SLOW: assumptions.SLOWNESS,
    Mode.LOSING: assumptions.LOSS,
    Mode.WRONG: assumptions.WRONGNESS,
    Mode.EXPIRED: assumptions.EXPIRY,
}


def of_dependency(design: Design, dependency: Dependency) -> Iterator[FailureMode]:
    """Every mode that applies to its kind."""
    outages = {each.mode: each for each in assumptions.outages(dependency.kind)}
    for mode in assumptions.modes(dependency.kind):
        if mode in outages:
            yield _outage(design, dependency, outages[mode])
        else:
            yield _incident(design, dependency, mode, _BESIDE[mode])


def _mode(design: Design, dependency: Dependency, mode: Mode) -> FailureMode:
    """What is told whatever the arithmetic."""
    found = callers.affected(design, dependency)
    contained = containing.contained_by(design, dependency, mode, found)
    metric, alert, shows = _shows(design, dependency, mode)
    return FailureMode(
        id="",
        dependency=dependency.name,
        mode=mode.value,
        shows=shows,
        metric=metric,
        alert=alert,
        contained_by=contained,
        caller_sees=_sees(design, dependency, mode, found),
        operations=tuple(each.endpoint.id for each in found),
        tried_by=tried(dependency, mode),
        is_open=not contained or (mode is Mode.STALLED and not _has_deadline(dependency)),
    )


def _outage(design: Design, dependency: Dependency, outage: Outage) -> FailureMode:
    """Its part of the time that the promised availability leaves open, and what the way back to work adds."""
    known, source = assumptions.availability(dependency)
    lost_s = max(0.0, 1 - known) * assumptions.YEAR_S
    per_year = lost_s * outage.part / outage.incident_s
    heals_s, heals = _healing(dependency)
    found = callers.affected(design, dependency)
    failing, why = _failing(design, dependency, outage.mode, found)
    return _with(
        _given_up(design, dependency, _mode(design, dependency, outage.mode), outage.incident_s + heals_s),
        lasts_s=outage.incident_s + heals_s,
        per_year=per_year,
        share=failing,
        arithmetic=(
            f"(1 - {share(known)}) × 365 d = {duration(lost_s)} a year ({source}), {share(outage.part)} of it in this "
            f"way, {duration(outage.incident_s)} each: {per_year:.3g} a year. Lasts "
            f"{duration(outage.incident_s)}{heals}. {why}"
        ),
    )


def _given_up(design: Design, dependency: Dependency, mode: FailureMode, lasts_s: float) -> FailureMode:
    """Work that is tried for less time than the dependency is away ends with what failed for good."""
    jobs = outlasting.given_up(design, dependency, lasts_s)
    if not jobs:
        return mode
    said = "; ".join(
        f"{job.name} gives up after {job.attempts_max} attempts in {duration(outlasting.tried_for_s(job))}, and "
        "what it "
        f"held waits for a person ({job.dead_letter})"
        for job in jobs
    )
    return replace(mode, caller_sees=f"{mode.caller_sees}; {said}", is_open=True)


def _healing(dependency: Dependency) -> tuple[float, str]:
    if dependency.breaker:
        open_s = dependency.breaker.open_s
        return open_s, f" + {duration(open_s)} until the breaker lets a call through"
    if dependency.pool or dependency.kind is DependencyKind.POSTGRES:
        return RECONNECT_S, f" + {duration(RECONNECT_S)} until the pool has connections again"
    return 0.0, ""


def _failing(design: Design, dependency: Dependency, mode: Mode, found: tuple[Affected, ...]) -> tuple[float, str]:
    """The share of all requests that fails meanwhile, with its sum."""
    whole = callers.failing_share(design, found)
    if not whole:
        return 0.0, "No request fails: what waits for it is queued, goes without it, or is no request."
    fails = [each.endpoint for each in found if each.fails]
    rates = sum(each.steady_hz or 0.0 for each in fails)
    total = sum(each.steady_hz or 0.0 for each in design.endpoints)
    said = (
        f"{rates:.4g} of {total:.4g} requests a second need it" if total else f"{part(whole)} of the operations need it"
    )
    if mode not in _PARTLY:
        return whole, f"{said}: {part(whole)} fail."
    tries = containing.attempts(dependency) if mode is Mode.RESETTING else 1
    cut = assumptions.CUT_SHARE**tries
    power = f"^{tries}" if tries > 1 else ""
    return whole * cut, f"{said}, and {assumptions.CUT_SHARE:g}{power} of these fail: {part(whole * cut)}."


def _incident(design: Design, dependency: Dependency, mode: Mode, incident: Incident) -> FailureMode:
    """Beside what a provider promises: slow and wrong are no outages, and a credential is the owner's business."""
    found = callers.affected(design, dependency)
    fails = mode is Mode.EXPIRED or (mode is Mode.LOSING and dependency.kind is DependencyKind.POSTGRES)
    failing, why = _failing(design, dependency, mode, found) if fails else (0.0, _NO_FAILURE[mode])
    return _with(
        _mode(design, dependency, mode),
        lasts_s=incident.lasts_s,
        per_year=incident.per_year,
        share=failing,
        arithmetic=f"{incident.source}. {why}",
    )


_NO_FAILURE = {
    Mode.SLOW: "No request fails, the latency budget does: below the timeout a late answer is an answer.",
    Mode.LOSING: "No request fails: what is lost is missed later.",
    Mode.WRONG: "No request fails: what was answered is not true.",
}


def _with(found: FailureMode, *, lasts_s: float, per_year: float, share: float, arithmetic: str) -> FailureMode:
    return replace(found, lasts_s=lasts_s, per_year=per_year, share=share, arithmetic=arithmetic)


def _has_deadline(dependency: Dependency) -> bool:
    """A database has its statement_timeout."""
    return dependency.timeout_s is not None or (dependency.kind is DependencyKind.POSTGRES)


def _sees(design: Design, dependency: Dependency, mode: Mode, found: tuple[Affected, ...]) -> str:
    waiting = callers.jobs(design, dependency)
    if mode is Mode.SLOW:
        limit = (
            f", {duration(dependency.timeout_s)} × {containing.attempts(dependency)} at most"
            if dependency.timeout_s
            else ""
        )
        return f"later answers{limit}: {ids(each.endpoint for each in found)}" if found else callers.sees((), waiting)
    if mode is Mode.WRONG:
        return "an answer that is not true" if found or waiting else "nothing: nobody asks it"
    if mode is Mode.LOSING and dependency.kind is not DependencyKind.POSTGRES:
        return "nothing at once; something is missing later"
    return callers.sees(found, waiting)


def tried(dependency: Dependency, mode: Mode) -> str:
    """The experiment that tries the mode; "" for those that none tries yet."""
    return {
        Mode.SLOW: STALL,
        Mode.STALLED: STALL,
        Mode.RESETTING: RESET,
        Mode.OVERLOADED: STEADY if dependency.kind is DependencyKind.POSTGRES else "",
        Mode.REFUSING: KILL if dependency.kind is DependencyKind.POSTGRES else RESET,
        Mode.LOSING: KILL if dependency.kind is DependencyKind.POSTGRES else "",
    }.get(mode, "")


def _shows(design: Design, dependency: Dependency, mode: Mode) -> tuple[str, str, str]:
    """The metric, the alert, and both in a sentence."""
    service, name = design.name, dependency.name
    is_database = dependency.kind is DependencyKind.POSTGRES
    burns = names.burn(names.objective(service, "availability"), names.FAST)
    metric, alert = names.CALL_SECONDS, names.breaker_open(service, name) if dependency.breaker else ""
    if mode is Mode.EXPIRED:
        metric, alert = names.CREDENTIAL_EXPIRY_SECONDS, names.credential_expires_soon(service)
    elif mode is Mode.WRONG:
        return "", "", "No metric shows it: a comparison or a caller does."
    elif mode is Mode.LOSING and not is_database:
        return "", "", "No metric shows it: somebody misses something."
    elif is_database:
        metric, alert = _of_database(design, dependency, mode, burns)
    elif not alert and any(each.fails for each in callers.affected(design, dependency)):
        alert = burns
    told = f", alert {alert}" if alert else "; no alert of its own"
    return (
        metric,
        alert,
        f'{metric}{{dependency="{name}"}}{told}.' if metric == names.CALL_SECONDS else f"{metric}{told}.",
    )


def _of_database(design: Design, dependency: Dependency, mode: Mode, burns: str) -> tuple[str, str]:
    service, name = design.name, dependency.name
    if mode in (Mode.OVERLOADED, Mode.SLOW, Mode.STALLED):
        return names.POOL_IN_USE, names.pool_exhausted(service, name)
    if mode is Mode.LOSING and dependency.replication in ("synchronous", "asynchronous"):
        return "pg_replication_is_replica", names.standby_missing(service, name)
    return names.REQUEST_SECONDS, burns

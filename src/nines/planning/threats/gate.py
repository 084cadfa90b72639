"""Threats to the balancer in front, and to the work outside requests."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.design import Design, Element, PlannedJob, StepKind, Stride, Threat
from nines.model.words import duration
from nines.planning.threats.drafting import (
    KILL,
    NO_DEADLINE,
    RACE,
    REPEATED_WRITE,
    STALL,
    counted,
    ids,
    named,
    threat,
)


def of_gate(design: Design, element: Element) -> Iterator[Threat]:
    """How it is configured is not in a blueprint: what is said here is what it must do, tried by nothing here."""
    counting = [each for each in design.endpoints if each.limit and each.limit.per == "address"]
    by = f"the limits of {ids(counting)}" if counting else "the addresses in the log"
    yield threat(
        element,
        Stride.SPOOFING,
        f"A caller sends X-Forwarded-For itself, and gets around {by}.",
        "The balancer replaces the header; the service believes it from the balancer alone, and the last entry only.",
        where="ingress, the list of trusted proxies",
        owasp=8,
    )
    yield threat(
        element,
        Stride.TAMPERING,
        "A request that balancer and service cut differently smuggles a second one in.",
        "HTTP/1.1 with both Transfer-Encoding and Content-Length is refused (RFC 9112, 6.1), by both.",
        where="ingress, the HTTP server",
        owasp=8,
    )
    yield threat(
        element,
        Stride.REPUDIATION,
        "A call passes of which the service knows nothing, and nothing shows that it came.",
        "Each gets its X-Request-Id here; a line of the access log on both sides holds it.",
        where="ingress",
    )
    private = [each for each in design.endpoints if not each.is_public]
    yield threat(
        element,
        Stride.DISCLOSURE,
        "The balancer logs credentials, or an old protocol gives them away.",
        f"TLS 1.2 or newer; Authorization, Cookie and query strings are in no log{_secret_paths(design)}; no answer of "
        f"{ids(private) or design.name} is cached on the way (Cache-Control).",
        where="ingress, cache_control of each operation",
        owasp=8,
    )
    known = [each for each in design.endpoints if each.peak_hz]
    peak = f"the peak of {sum(each.peak_hz or 0 for each in known):,.0f}/s" if known else "the load that it must carry"
    yield threat(
        element,
        Stride.DENIAL,
        f"Many addresses together send more than {peak}.",
        "Connections, headers and their time are bounded here; what a service with limits per caller cannot tell "
        "apart must be absorbed by whoever carries the traffic, and which protection is bought is not said.",
        where="ingress",
        owasp=4,
        is_open=True,
    )
    paths = len({each.path for each in design.endpoints})
    yield threat(
        element,
        Stride.ELEVATION,
        "Something inside that is not of the contract is reached from outside: metrics, health, an old version.",
        f"Only the {counted(paths, 'path')} of the contract"
        f" below /{design.card.api} are passed on; metrics and probes are on "
        "another port, which no rule of the ingress names.",
        where="ingress",
        owasp=9,
    )


def _secret_paths(design: Design) -> str:
    secret = [each.path for each in design.endpoints if "{challenge_id}" in each.path]
    return f", nor is the identifier in {named(secret)}" if secret else ""


def of_jobs(design: Design, element: Element) -> Iterator[Threat]:
    """What works without a caller: it trusts its rows, and nobody waits for its answer."""
    names = [each.name for each in design.jobs]
    where = f"the flows of {named(names)}"
    yield threat(
        element,
        Stride.SPOOFING,
        f"Work is made up: a row that no operation wrote is carried out by {named(names)}.",
        "Rows come from the database alone, which takes connections from the service only; no job has an "
        "entrance of its own."
        + (" Events come from brokers, at which each sender is known." if any(j.receives for j in design.jobs) else ""),
        where="the network policy of the database",
    )
    claimed = [each.name for each in design.jobs if each.attempts_max > 1]
    yield threat(
        element,
        Stride.TAMPERING,
        f"The same piece is carried out twice by {named(claimed or names)}, when a worker dies or is slow.",
        "A piece is claimed for a lease (SKIP LOCKED), settled only by the attempt that claimed it, and asks "
        "others under a key of the row.",
        where=where,
        tried=(KILL, RACE, REPEATED_WRITE),
    )
    yield threat(
        element,
        Stride.REPUDIATION,
        "A change by a job cannot be told from one by a person.",
        "It is its own actor in the trail, by its name."
        if _is_audited(design)
        else "The log names the job and the row; there is no trail beside it.",
        where="table audit_log" if _is_audited(design) else "the log",
    )
    yield threat(
        element,
        Stride.DISCLOSURE,
        "What a piece holds stands in last_error, in a dead letter or in the log.",
        "Errors are kept as their class and status, cut off and without values; dead letters end with their "
        f"rows{_dead(design)}.",
        where=where,
    )
    yield from _blocked(design, element, where)
    yield threat(
        element,
        Stride.ELEVATION,
        "A job has the rights of everybody: what a caller could not do, it does for a row that the caller wrote.",
        "It only moves rows between the states that it "
        f"names{', and carries the ' + design.tenancy.key + ' of the row on' if design.tenancy else ''}; whether "
        "a row may be there was decided when it was written.",
        where=where,
        owasp=5,
    )


def _is_audited(design: Design) -> bool:
    return any(each.audit != "none" for each in design.tables)


def _dead(design: Design) -> str:
    kept = [each for each in design.jobs if each.dead_letter]
    return f" ({named(dict.fromkeys(each.dead_letter for each in kept))})" if kept else ""


def _blocked(design: Design, element: Element, where: str) -> Iterator[Threat]:
    unbounded = [each for each in design.jobs if _waits_for_ever(each)]
    tries = sorted({each.attempts_max for each in design.jobs if each.attempts_max > 1})
    most = (
        f"after {named([str(each) for each in tries])} attempts it is a dead letter"
        if tries
        else "it is tried again at the next turn"
    )
    every = [each.every_s for each in design.jobs if each.every_s]
    turn = f" A turn that is missed is taken {duration(min(every))} later at the earliest." if every else ""
    held = f"A piece that fails waits longer each time, and {most}; others pass it.{turn}"
    yield threat(
        element,
        Stride.DENIAL,
        "One piece that always fails, or one that hangs, holds up all that come after it.",
        f"{named(each.name for each in unbounded)}: no deadline was found for what it asks." if unbounded else held,
        where=where,
        tried=(STALL, NO_DEADLINE),
        owasp=4,
        is_open=bool(unbounded),
    )


def _waits_for_ever(job: PlannedJob) -> bool:
    return any(step.kind is StepKind.CALL and not step.timeout_s for step in job.flow.steps)

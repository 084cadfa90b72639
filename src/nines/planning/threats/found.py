"""Threats to a service that was read: what its code tells, and everywhere else that it is not known.

A blueprint promises what will be built; code promises nothing that was not found in it. So nothing is called mitigated
here but what was read, and the sentences are alike for elements of a kind, so that a reader meets each once."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import DependencyKind
from nines.model.design import Design, Element, ElementKind, StepKind, Stride, Threat
from nines.model.words import duration
from nines.planning.threats import elements, found_process
from nines.planning.threats.drafting import (
    AUTHENTICATION,
    KILL,
    MISSING_AUTHENTICATION,
    NO_DEADLINE,
    REPEATED_WRITE,
    STALL,
    UNBOUNDED,
    counted,
    ids,
    named,
    threat,
)


def of_element(design: Design, element: Element) -> Iterator[Threat]:
    """Every kind that applies to the element."""
    match element.kind:
        case ElementKind.PERSON:
            yield from _of_person(design, element)
        case ElementKind.PROCESS if element.id == elements.GATE:
            yield from _unread(element, _AT_THE_EDGE, "What stands in front of the service was not read.")
        case ElementKind.PROCESS if element.id == elements.JOBS:
            yield from _of_jobs(design, element)
        case ElementKind.PROCESS:
            yield from found_process.of_process(design, element)
        case ElementKind.STORE:
            yield from _of_store(design, element)
        case ElementKind.EXTERNAL:
            yield from _unread(
                element, _OUTSIDE, "Whether certificates are verified, and what is kept of an answer, was not read."
            )
        case ElementKind.FLOW:
            yield from _of_flow(design, element)


_AT_THE_EDGE = (
    (Stride.SPOOFING, "A caller sends X-Forwarded-For itself, and seems to come from elsewhere.", 8),
    (Stride.TAMPERING, "A request that balancer and service cut differently smuggles a second one in.", 8),
    (Stride.REPUDIATION, "A call passes, and nothing shows that it came.", 0),
    (Stride.DISCLOSURE, "Credentials stand in a log on the way, or an old protocol gives them away.", 8),
    (Stride.DENIAL, "Many addresses together send more than the service carries.", 4),
    (Stride.ELEVATION, "Something inside is reached from outside: metrics, health, an old version.", 9),
)
_OUTSIDE = (
    (Stride.SPOOFING, "Another host answers in its place, by a changed name server or a wrong setting.", 10),
    (Stride.REPUDIATION, "It denies having been asked, or having answered as it did.", 0),
)
_ON_THE_WAY = (
    (Stride.TAMPERING, "What flows is changed on its way.", 0),
    (Stride.DISCLOSURE, "What flows is read on its way.", 0),
)


def _unread(element: Element, kinds: tuple[tuple[Stride, str, int], ...], why: str) -> Iterator[Threat]:
    for stride, says, owasp in kinds:
        yield threat(element, stride, says, f"Not known. {why}", where=found_process.UNREAD, owasp=owasp, is_open=True)


def _of_person(design: Design, element: Element) -> Iterator[Threat]:
    guarded, public, unknown = found_process.guards(design)
    if element.id != elements.ANONYMOUS:
        scheme = f"The contract names {design.auth.scheme}. " if design.auth else ""
        yield threat(
            element,
            Stride.SPOOFING,
            "Somebody holds a stolen credential of another.",
            f"{scheme}How long a credential is good and how it is taken back is not known.",
            where=found_process.UNREAD,
            tried=(AUTHENTICATION,),
            owasp=2,
            is_open=True,
        )
    else:
        asked = (
            f"A guard was found in front of {counted(len(guarded), 'operation')}" if guarded else "No guard was found"
        )
        left = [f"none in front of {ids(public)}"] if public else []
        left += [f"of {counted(len(unknown), 'operation')} it was not understood"] if unknown else []
        yield threat(
            element,
            Stride.SPOOFING,
            "Calls without a credential, or with one that was made up.",
            f"{'; '.join([asked, *left])}.",
            where=found_process.CODE,
            tried=(MISSING_AUTHENTICATION, AUTHENTICATION),
            owasp=2,
            is_open=bool(unknown) or not guarded,
        )
    yield threat(
        element,
        Stride.REPUDIATION,
        "Denies having called what changes something.",
        "Not known. No trail was recognised as one.",
        where=found_process.UNREAD,
        is_open=True,
    )


def _of_jobs(design: Design, element: Element) -> Iterator[Threat]:
    yield from _unread(
        element,
        (
            (
                Stride.SPOOFING,
                f"Work is made up: somebody else fills the queue of {named(j.name for j in design.jobs)}.",
                0,
            ),
            (Stride.REPUDIATION, "A change by a job cannot be told from one by a person.", 0),
            (Stride.DISCLOSURE, "What a piece of work holds stands in a log or with the pieces that failed.", 0),
            (Stride.ELEVATION, "A job does what the caller who asked for it could not.", 5),
        ),
        "Who may put work into a queue, and with whose rights it is done, was not read.",
    )
    yield threat(
        element,
        Stride.TAMPERING,
        "The same piece is carried out twice, when a worker dies or is slow.",
        found_process.REVIEWED,
        where=found_process.CODE,
        tried=(KILL, REPEATED_WRITE),
        is_open=True,
    )
    bare = [j.name for j in design.jobs if any(s.kind is StepKind.CALL and s.timeout_s is None for s in j.flow.steps)]
    yield threat(
        element,
        Stride.DENIAL,
        "One piece that hangs holds up all that come after it.",
        f"No deadline was found for what {named(bare)} asks." if bare else "No call without a deadline was found.",
        where=found_process.CODE,
        tried=(NO_DEADLINE, STALL),
        owasp=4,
        is_open=bool(bare),
    )


def _of_store(design: Design, element: Element) -> Iterator[Threat]:
    is_database = element.id == elements.database(design)
    rules = sum(len(each.checks) + sum(1 for i in each.indexes if i.is_unique) for each in design.tables)
    kept = f" {counted(rules, 'rule')} of its tables hold for whoever writes." if is_database and rules else ""
    yield threat(
        element,
        Stride.TAMPERING,
        "What is kept is changed behind the service's back.",
        f"Not known. With which rights the service connects was not read.{kept}",
        where=found_process.UNREAD,
        is_open=True,
    )
    kinds = [(Stride.DISCLOSURE, "A copy of what is kept comes into the wrong hands.", 0)]
    if is_database:
        kinds.insert(
            0,
            (Stride.REPUDIATION, "It cannot be shown who changed a row: the store knows one user for all callers.", 0),
        )
    yield from _unread(element, tuple(kinds), "How it is run, encrypted and copied was not read.")
    yield threat(
        element,
        Stride.DENIAL,
        "It is filled, or all connections to it are taken.",
        "Not known. The size of the pool and the time that a statement may take were not read.",
        where=found_process.UNREAD,
        tried=(STALL, UNBOUNDED) if is_database else (STALL,),
        owasp=4,
        is_open=True,
    )


def _of_flow(design: Design, element: Element) -> Iterator[Threat]:
    if not elements.crosses(element, design.elements):
        return
    yield from _unread(element, _ON_THE_WAY, "Whether this connection is encrypted, and what it carries, was not read.")
    dependency = design.dependency(element.target.partition(":")[2])
    if dependency is None or dependency.kind is DependencyKind.POSTGRES:
        yield from _unread(
            element,
            ((Stride.DENIAL, "The flow is held up: the other end is slow, or somebody occupies all connections.", 4),),
            "Limits of time and number were not read.",
        )
        return
    known = dependency.timeout_s
    yield threat(
        element,
        Stride.DENIAL,
        "The other end hangs, and whoever waits for it hangs with it.",
        f"Every call has a deadline, {duration(known)} at most."
        if known
        else "Not every call has a deadline that was found.",
        where=found_process.CODE,
        tried=(NO_DEADLINE, STALL),
        owasp=4,
        is_open=known is None,
    )

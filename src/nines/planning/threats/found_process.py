"""Threats to the service itself, as its code was read; `found` tells the other elements."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Action
from nines.model.design import Design, Element, PlannedEndpoint, Stride, Threat
from nines.planning.threats.drafting import (
    AUTHENTICATION,
    BAD_INPUT,
    BROKEN_OBJECTS,
    CHECK_THEN_ACT,
    INJECTION,
    LOST_UPDATE,
    MISSING_AUTHENTICATION,
    NO_DEADLINE,
    OBJECTS,
    PER_ROW,
    RACE,
    REPEATED_WRITE,
    STALL,
    STEADY,
    UNBOUNDED,
    counted,
    ids,
    named,
    threat,
)

UNREAD = "not read"
CODE = "the code"
REVIEWED = "What was found is in the review, statement by statement; what was not understood is among the gaps."


def guards(design: Design) -> tuple[list[PlannedEndpoint], list[PlannedEndpoint], list[PlannedEndpoint]]:
    """Those with a guard, those without, and those of which it is not known."""
    known = [each for each in design.endpoints if each.guards_known]
    return (
        [each for each in known if not each.is_public],
        [each for each in known if each.is_public],
        [each for each in design.endpoints if not each.guards_known],
    )


def of_process(design: Design, element: Element) -> Iterator[Threat]:
    """Every kind, by what its operations were seen to do."""
    _, public, unknown = guards(design)
    open_ones = [each for each in public if not each.is_safe]
    yield threat(
        element,
        Stride.SPOOFING,
        "An operation that changes something asks nobody who is calling.",
        f"Without a guard: {ids(open_ones)}."
        if open_ones
        else f"Of {counted(len(unknown), 'operation')} the guards were not understood."
        if unknown
        else "Every operation that changes something has a guard.",
        where=CODE,
        tried=(MISSING_AUTHENTICATION, AUTHENTICATION),
        owasp=2,
        is_open=bool(open_ones or unknown),
    )
    yield from _changes(design, element)
    yield threat(
        element,
        Stride.REPUDIATION,
        "It cannot be shown later who changed something.",
        "Not known. No trail was recognised as one.",
        where=UNREAD,
        is_open=True,
    )
    yield from _shows(design, element)
    yield from _gives_way(design, element)
    yield threat(
        element,
        Stride.ELEVATION,
        "Somebody with few rights calls what was meant for others.",
        "Not known. That somebody is asked was read, which role is wanted was not.",
        where=UNREAD,
        tried=(MISSING_AUTHENTICATION, BROKEN_OBJECTS),
        owasp=5,
        is_open=True,
    )


def _changes(design: Design, element: Element) -> Iterator[Threat]:
    yield threat(
        element,
        Stride.TAMPERING,
        "A value of a request becomes part of a statement.",
        REVIEWED,
        where=CODE,
        tried=(INJECTION, BAD_INPUT),
    )
    changing = [each for each in design.endpoints if each.action in (Action.UPDATE, Action.DELETE)]
    if changing:
        yield threat(
            element,
            Stride.TAMPERING,
            f"Two callers change the same row at the same moment, through {ids(changing)} say, and one change is lost.",
            REVIEWED,
            where=CODE,
            tried=(LOST_UPDATE, CHECK_THEN_ACT, RACE),
        )
    making = [each for each in design.endpoints if each.action is Action.CREATE and not each.idempotency]
    if making:
        yield threat(
            element,
            Stride.TAMPERING,
            f"A request that is sent twice makes {ids(making)} happen twice.",
            "Not known. Nothing that tells a repetition from a second wish was recognised.",
            where=UNREAD,
            tried=(REPEATED_WRITE, RACE),
            is_open=True,
        )


def _shows(design: Design, element: Element) -> Iterator[Threat]:
    by_id = [each for each in design.endpoints if "{" in each.path and not (each.guards_known and each.is_public)]
    if by_id:
        about = dict.fromkeys(each.resource for each in by_id if each.resource)
        objects = f" ({named(about)})" if about else ""
        yield threat(
            element,
            Stride.DISCLOSURE,
            f"Somebody reads or changes what belongs to another, by its identifier: {counted(len(by_id), 'operation')} "
            f"take one{objects}.",
            "Whether the statement behind each asks for its owner is judged by the rule; the experiment tries "
            "each with a "
            "second identity.",
            where=CODE,
            tried=(BROKEN_OBJECTS, OBJECTS),
            owasp=1,
            is_open=True,
        )
    yield threat(
        element,
        Stride.DISCLOSURE,
        "An error tells of the inside: a statement, a path, a version, a stack.",
        "Not known. What answers an error that nobody expected was not read.",
        where=UNREAD,
        tried=(BAD_INPUT,),
        owasp=8,
        is_open=True,
    )


def _gives_way(design: Design, element: Element) -> Iterator[Threat]:
    yield threat(
        element,
        Stride.DENIAL,
        "One caller takes what all others need.",
        "Not known. Limits may be counted in front of the service; statements that read without a limit are in "
        "the review.",
        where=UNREAD,
        tried=(STEADY, UNBOUNDED, PER_ROW),
        owasp=4,
        is_open=True,
    )
    waiting = [each for each in design.endpoints if each.flow.calls]
    bare = [each for each in waiting if any(step.timeout_s is None for step in each.flow.calls)]
    if waiting:
        found = f"No deadline was found for a call of {ids(bare)}" if bare else "Every call has a deadline"
        yield threat(
            element,
            Stride.DENIAL,
            f"Callers ask for what waits for others, while these are slow: {counted(len(waiting), 'operation')} do.",
            f"{found}.",
            where=CODE,
            tried=(NO_DEADLINE, STALL),
            owasp=4,
            is_open=bool(bare),
        )

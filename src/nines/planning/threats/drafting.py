"""Threats while they are put together: what each needs to be told, and the trials that are known by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from nines.model.design import Choice, Element, PlannedEndpoint, Stride, Threat

AUTHENTICATION = "security/authentication"
MISSING_AUTHENTICATION = "security/missing-authentication"
OBJECTS = "security/object-authorization"
BROKEN_OBJECTS = "security/broken-object-authorization"
INJECTION = "security/sql-injection"
BAD_INPUT = "contract/no-5xx"
UNBOUNDED = "database/unbounded-query"
PER_ROW = "database/n-plus-one"
RACE = "consistency/unique-race"
LOST_UPDATE = "consistency/lost-update"
CHECK_THEN_ACT = "consistency/check-then-act"
NO_DEADLINE = "deadlines/call-without-deadline"
REPEATED_WRITE = "deadlines/retry-non-idempotent"
STALL = "dependencies/dependency-stall"
RESET = "dependencies/dependency-reset"
KILL = "crash/durable-kill"
STEADY = "load/steady"
NAMES_MAX = 4
"""More are counted."""

_COUNTED = {
    "API1:2023": "Broken object level authorization",
    "API2:2023": "Broken authentication",
    "API3:2023": "Broken object property level authorization",
    "API4:2023": "Unrestricted resource consumption",
    "API5:2023": "Broken function level authorization",
    "API6:2023": "Unrestricted access to sensitive business flows",
    "API7:2023": "Server side request forgery",
    "API8:2023": "Security misconfiguration",
    "API9:2023": "Improper inventory management",
    "API10:2023": "Unsafe consumption of APIs",
}
OWASP = tuple(_COUNTED.items())
API = tuple(_COUNTED)


def threat(
    element: Element,
    stride: Stride,
    says: str,
    mitigation: str,
    *,
    where: str,
    tried: Iterable[str] = (),
    owasp: int = 0,
    is_open: bool = False,
    options: Sequence[Choice] = (),
) -> Threat:
    """`owasp` is the number among the ten; 0 for none. The identifier comes when all are there."""
    return Threat(
        id="",
        element=element.id,
        stride=stride,
        says=says,
        mitigation=mitigation,
        implemented_in=where,
        tried_by=", ".join(dict.fromkeys(each for each in tried if each)),
        owasp=API[owasp - 1] if owasp else "",
        is_open=is_open,
        options=tuple(options),
    )


def contract(endpoint: PlannedEndpoint | None, problem: str) -> str:
    """The contract test of one answer: it asks for the problem and compares what comes; "" where there is no such
    answer."""
    answers = endpoint.answers if endpoint else ()
    found = next((each for each in answers if each.problem == problem), None)
    return f"contract:{endpoint.id}/{found.status}/{problem}" if endpoint and found else ""


def first_contract(endpoints: Iterable[PlannedEndpoint], problem: str) -> str:
    """Of the first endpoint that has such an answer."""
    return next((test for each in endpoints if (test := contract(each, problem))), "")


def named(names: Iterable[str], most: int = NAMES_MAX) -> str:
    """ "a, b and c", or "a, b, c and 4 more"."""
    found = list(dict.fromkeys(names))
    if len(found) > most:
        found = [*found[: most - 1], f"{len(found) - most + 1} more"]
    return " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)


def ids(endpoints: Iterable[PlannedEndpoint]) -> str:
    return named(each.id for each in endpoints)


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def numbered(threats: Iterable[Threat]) -> Iterator[tuple[str, Threat]]:
    """Each with its identifier, in the order of the elements."""
    for number, each in enumerate(threats, start=1):
        yield f"T-{number}", each


def choice(name: str, gains: str, costs: str, when: str = "") -> Choice:
    return Choice(name=name, gains=gains, costs=costs, when=when)


def capital(text: str) -> str:
    """The text as the begin of a sentence, unless it begins with a name, which keeps its own case."""
    first = text.partition(" ")[0]
    return text if first != first.lower() or "_" in first or "." in first else text[:1].upper() + text[1:]


def verb(subjects: Sequence[object], one: str, many: str) -> str:
    """The form of a verb that goes with the number of its subjects."""
    return one if len(subjects) == 1 else many

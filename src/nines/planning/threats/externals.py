"""Threats by services that are asked or told: somebody takes their place, or they deny what they did."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Dependency, DependencyKind
from nines.model.design import Design, Element, Stride, Threat
from nines.model.words import duration
from nines.planning.threats import elements
from nines.planning.threats.drafting import AUTHENTICATION, capital, choice, counted, named, threat


def of_external(design: Design, element: Element, dependency: Dependency | None) -> Iterator[Threat]:
    if element.id == elements.ISSUER:
        yield from _of_issuer(design, element)
    elif element.id == elements.SUBSCRIBERS:
        yield from _of_subscribers(design, element)
    elif dependency is not None:
        yield from _of_dependency(design, element, dependency)


def _of_dependency(design: Design, element: Element, dependency: Dependency) -> Iterator[Threat]:
    name = dependency.name
    address = f"the address comes from {dependency.url}" if dependency.url else "the address comes from the environment"
    scheme = "STARTTLS that is required" if dependency.kind is DependencyKind.SMTP else "TLS"
    yield threat(
        element,
        Stride.SPOOFING,
        f"Another host answers in the place of {name}, by a changed name server or a wrong setting.",
        f"{scheme} with a verified certificate and host name; {address} and never from a request.",
        where=f"dependencies.{name}",
        owasp=10,
    )
    references = [
        f"{table.name}.{column.name}"
        for table in design.tables
        for column in table.columns
        if column.name.endswith("_ref") and column.name != "external_ref"
    ]
    finding = [job.name for job in design.jobs if _asks(design, job.name, name, "find")]
    how = []
    is_mail = dependency.kind is DependencyKind.SMTP
    if is_mail:
        how = ["the log holds each message's own id with the answer that it got"]
    elif references:
        how.append(f"its own number is kept ({named(references)})")
    how.append("each call has a key that it keeps too, so that asking again tells what it did")
    if finding:
        how.append(f"{named(finding)} compares both sides")
    yield threat(
        element,
        Stride.REPUDIATION,
        f"{name} denies having been asked, or having answered as it did.",
        f"{capital('; '.join(how))}.",
        where="the flows that ask it",
        is_open=not (references or finding or is_mail),
        options=()
        if references or finding or is_mail
        else (
            choice(
                f"a job that asks {name} what it knows, and compares",
                "differences show within its turn",
                "calls that cost quota",
            ),
            choice(f"keep its number in a field of the resource ({name}_ref)", "a dispute has a number", "one column"),
        ),
    )


def _asks(design: Design, job: str, dependency: str, verb: str) -> bool:
    blueprint = design.blueprint
    found = next((each for each in blueprint.jobs if each.name == job), None) if blueprint else None
    return found is not None and f"{dependency}.{verb}" in found.calls


def _of_issuer(design: Design, element: Element) -> Iterator[Threat]:
    auth = design.auth
    issuer = auth.issuer if auth and auth.issuer else "the issuer"
    yield threat(
        element,
        Stride.SPOOFING,
        f"Keys of somebody else are taken for those of {issuer}: then every token is theirs to make.",
        "The key set is fetched from the address in the settings alone, over TLS, never from jku or x5u of a "
        "token; a kid "
        "that is not there is asked for at most once a minute.",
        where="auth.issuer",
        tried=(AUTHENTICATION,),
        owasp=2,
    )
    yield threat(
        element,
        Stride.REPUDIATION,
        f"{issuer} denies having issued a token that was used.",
        "The log holds its jti, kid and sub, never the token.",
        where="the access log",
    )


def _of_subscribers(design: Design, element: Element) -> Iterator[Threat]:
    events = named(each.name for each in design.events)
    yield threat(
        element,
        Stride.SPOOFING,
        f"A receiver cannot tell whether an event comes from {design.name}, and acts on a forged {events or 'one'}.",
        "Each delivery is signed over identifier, time and body (HMAC-SHA-256, a secret for each subscriber); "
        "the receiver refuses "
        f"what is older than {duration(300)}.",
        where="the relay of the outbox",
        owasp=10,
    )
    yield threat(
        element,
        Stride.REPUDIATION,
        "A subscriber denies having got an event.",
        "Its status and time are in the log under the event's own id; it may ask the API for what it lacks.",
        where=f"relayOutbox, {counted(len(design.events), 'type')} of events",
    )

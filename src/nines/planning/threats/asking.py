"""Threats to what flows to stores and to other services: on the way, and by the answer that comes back."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Dependency, DependencyKind
from nines.model.design import Design, Element, PlannedEndpoint, PlannedJob, Stride, Threat
from nines.model.words import duration, rate
from nines.planning.threats import elements
from nines.planning.threats.drafting import (
    BAD_INPUT,
    INJECTION,
    NO_DEADLINE,
    RESET,
    STALL,
    named,
    threat,
    verb,
)


def of_store(design: Design, element: Element) -> Iterator[Threat]:
    name = element.target.partition(":")[2]
    who = element.source.partition(":")[2]
    dependency = design.dependency(name)
    mode = (
        "sslmode=verify-full"
        if dependency and dependency.kind is DependencyKind.POSTGRES
        else "TLS with a verified certificate"
    )
    how = f"{mode}, and credentials of its own for each service."
    personal = list(_personal_of(design, element))
    yield threat(
        element,
        Stride.TAMPERING,
        f"What {who} sends to {name} is changed on the way, or another server takes its place.",
        how,
        where=f"dependencies.{name}",
        tried=(INJECTION,) if dependency and dependency.kind is DependencyKind.POSTGRES else (),
    )
    yield threat(
        element,
        Stride.DISCLOSURE,
        f"Rows on their way between {who} and {name} are read{': ' + named(personal) if personal else ''}.",
        how,
        where=f"dependencies.{name}",
    )
    timeout = dependency.timeout_s if dependency else None
    yield threat(
        element,
        Stride.DENIAL,
        f"{name} stops answering {who}, with every connection held.",
        "Waiting for a connection and for a statement is "
        f"bounded{f' ({duration(timeout)})' if timeout else ' by the budget of the operation'}; beyond it 503.",
        where=f"dependencies.{name}",
        tried=(STALL, RESET),
        owasp=4,
    )


def _personal_of(design: Design, element: Element) -> Iterator[str]:
    """The personal columns that go over a flow into the database, by the statements that its source sends."""
    if element.target != elements.database(design):
        return
    part = next((each for each in elements.parts(design) if each.id == element.source), None)
    queries = {id for each in (part.endpoints if part else design.jobs) for id in each.queries}
    reached = {name for each in design.queries if each.id in queries for name in each.tables}
    for table in design.tables:
        if table.name in reached:
            yield from (f"{table.name}.{column.name}" for column in table.columns if column.is_personal)


def of_external(design: Design, element: Element) -> Iterator[Threat]:
    name, who = element.target.partition(":")[2], element.source.partition(":")[2]
    dependency = design.dependency(name)
    is_mail = dependency is not None and dependency.kind is DependencyKind.SMTP
    where = f"gateways/{name}"
    yield threat(
        element,
        Stride.TAMPERING,
        f"{name} answers {who} with something that is wrong, far too large or meant to be executed.",
        "Its answer is a status and a line: nothing of it is kept but its class."
        if is_mail
        else "Its answer is data like a caller's: it must have the expected shape and size, redirects are "
        "not followed, and what does not fit is an error.",
        where=where,
        tried=(BAD_INPUT,) if not is_mail else (),
        owasp=10,
    )
    yield threat(
        element,
        Stride.DISCLOSURE,
        f"{name} learns more than it needs, or its credential is read on the way.",
        f"TLS; the request holds {_sent(design, element, name)}. The credential is in a header, never in the URL "
        "or the log.",
        where=where,
    )
    yield from _held_up(element, dependency)


def _sent(design: Design, element: Element, name: str) -> str:
    """What is personal and within the reach of those who ask the dependency."""
    part = next((each for each in elements.parts(design) if each.id == element.source), None)
    users: list[PlannedEndpoint | PlannedJob] = [*part.endpoints] if part else [*design.jobs]
    queries = {id for each in users if any(step.target == name for step in each.flow.calls) for id in each.queries}
    reached = {table for each in design.queries if each.id in queries for table in each.tables}
    columns = [f"{t.name}.{c.name}" for t in design.tables if t.name in reached for c in t.columns if c.is_personal]
    if not columns:
        return "no personal data"
    return (
        f"what the owner's port puts into it: {named(columns)} {verb(columns, 'is', 'are')} within its reach, and "
        "which "
        "of that is needed is the owner's to say"
    )


def _held_up(element: Element, dependency: Dependency | None) -> Iterator[Threat]:
    name, who = element.target.partition(":")[2], element.source.partition(":")[2]
    timeout = dependency.timeout_s if dependency else None
    held = [f"{duration(timeout)} for each attempt"] if timeout else []
    if dependency and dependency.bulkhead:
        held.append(f"{dependency.bulkhead} calls at once in each process")
    if dependency and dependency.breaker:
        held.append(f"a breaker that opens at {dependency.breaker.error_share:.0%} of {dependency.breaker.of} calls")
    if dependency and dependency.rate_max_hz:
        held.append(f"{rate(dependency.rate_max_hz)} are agreed")
    yield threat(
        element,
        Stride.DENIAL,
        f"{name} hangs, or {who} is made to ask it more than it takes: whoever can call the service spends its quota.",
        f"{'; '.join(held)}." if held else "No deadline is known.",
        where=f"dependencies.{name}",
        tried=(STALL, NO_DEADLINE),
        owasp=4,
        is_open=timeout is None,
    )

"""Threats to what answers requests, second half: what it gives away, what holds it up, who gets more than is theirs."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import GrantKind, Limit
from nines.model.design import Design, Element, PlannedEndpoint, StepKind, Stride, Threat
from nines.model.words import duration, size
from nines.planning.threats import elements
from nines.planning.threats.drafting import (
    BAD_INPUT,
    BROKEN_OBJECTS,
    INJECTION,
    OBJECTS,
    PER_ROW,
    STALL,
    UNBOUNDED,
    capital,
    choice,
    first_contract,
    ids,
    named,
    threat,
    verb,
)


def disclosure(design: Design, element: Element, part: elements.Part) -> Iterator[Threat]:
    yield from _objects(design, element, part)
    personal = [f"{r.name}.{f.name}" for r in elements.resources(design, part) for f in r.fields if f.is_personal]
    if personal:
        yield threat(
            element,
            Stride.DISCLOSURE,
            f"{named(personal)} {verb(personal, 'stands', 'stand')} in a log line, a trace, an error or an event.",
            "Marked as personal, it is redacted where a record is logged, and is in no event and no problem; "
            "the trail keeps names of fields only.",
            where="the redaction of the log, the shapes of events",
            tried=(BAD_INPUT,),
            owasp=3,
        )
    yield from _decrypted(design, element, part)
    yield threat(
        element,
        Stride.DISCLOSURE,
        "An error tells of the inside: a statement, a path, a version, a stack.",
        "Every failure is a problem detail of the contract (RFC 9457) with a request id; a 500 says nothing else.",
        where="the outermost handler",
        tried=(BAD_INPUT, first_contract(part.endpoints, "internal-error")),
        owasp=8,
    )


def _decrypted(design: Design, element: Element, part: elements.Part) -> Iterator[Threat]:
    """Fields that are ciphertext in the database and clear text in an answer."""
    for resource in elements.resources(design, part):
        shape = design.shape(resource.name)
        told = set(shape.schema.get("properties", {})) if shape else set()
        fields = [
            f"{resource.name}.{field.name}" for field in resource.fields if field.is_encrypted and field.name in told
        ]
        answering = [each for each in part.endpoints if _answers_with(each, resource.name)]
        if fields and answering:
            yield threat(
                element,
                Stride.DISCLOSURE,
                f"{named(fields)} {verb(fields, 'leaves', 'leave')} the service in clear, in the answers of "
                f"{ids(answering)}.",
                "Encryption holds against copies of the database; whoever may read the object gets the value.",
                where=f"shape {resource.name}",
                owasp=3,
                is_open=True,
                options=(
                    choice(
                        "a resource of its own for it, that no operation reads",
                        "it comes in and never goes out",
                        "one more table, and a reference",
                    ),
                    choice(
                        "leave it",
                        "callers get back what they gave",
                        "a stolen credential is enough to have it",
                        "its owner needs it",
                    ),
                ),
            )


def _answers_with(endpoint: PlannedEndpoint, resource: str) -> bool:
    return any(each.shape in (resource, f"{resource}Page") for each in endpoint.answers)


def _objects(design: Design, element: Element, part: elements.Part) -> Iterator[Threat]:
    """An object of somebody else, by its identifier: for each resource whose objects are not for everybody."""
    for name in dict.fromkeys(each.resource for each in part.endpoints):
        mine = [e for e in part.endpoints if e.resource == name and "{" in e.path and not e.is_public]
        bound = [e for e in mine if any(g.kind in (GrantKind.OWNER, GrantKind.TENANT) for g in e.grants)]
        if bound:
            whose = named(dict.fromkeys(_WHOSE[g.kind] for e in bound for g in e.grants if g.kind in _WHOSE))
            yield threat(
                element,
                Stride.DISCLOSURE,
                f"Somebody reads or changes the {name} of another by its identifier, through {ids(bound)}.",
                f"{capital(whose)} stands in the WHERE of each statement, so that a row of somebody else is no "
                "row; it is "
                "answered like one that is not there.",
                where=f"statements on {_table(design, name)}",
                tried=(OBJECTS, BROKEN_OBJECTS, first_contract(bound, "not-found")),
                owasp=1,
            )


_WHOSE = {GrantKind.OWNER: "the owner", GrantKind.TENANT: "the tenant"}


def _table(design: Design, resource: str) -> str:
    table = design.table_of(resource)
    return table.name if table else resource


def denial(design: Design, element: Element, part: elements.Part) -> Iterator[Threat]:
    yield from _floods(element, part)
    lists = [each for each in part.endpoints if each.page]
    if lists:
        most = max(each.page.max for each in lists if each.page)
        yield threat(
            element,
            Stride.DENIAL,
            f"One call of {ids(lists)} asks for everything.",
            f"At most {most} rows in a page, by an index; no total is counted, and a cursor is bound to its filters.",
            where="page of each list",
            tried=(UNBOUNDED, PER_ROW, first_contract(lists, "invalid-parameter")),
            owasp=4,
        )
    bodies = [each for each in part.endpoints if each.body_bytes_max]
    if bodies:
        most = max(each.body_bytes_max for each in bodies)
        yield threat(
            element,
            Stride.DENIAL,
            f"A body that is large, deep or slow to come occupies {element.id.partition(':')[2]}.",
            f"At most {size(most)}, refused with 413 while it is read; strings and lists are bounded by their shapes.",
            where="body_bytes_max of each operation",
            tried=(BAD_INPUT, first_contract(bodies, "body-too-large")),
            owasp=4,
        )
    waiting = [each for each in part.endpoints if any(not step.after_response for step in each.flow.calls)]
    if waiting:
        yield _waiting(design, element, waiting)


def _floods(element: Element, part: elements.Part) -> Iterator[Threat]:
    limited = [each for each in part.endpoints if each.limit]
    bare = [each for each in part.endpoints if not each.limit]
    if limited:
        tightest = dict.fromkeys(
            f"{each.id} {_quota(each.limit)}" for each in limited if each.limit and each.limit.operation
        )
        rest = next((each.limit for each in limited if each.limit and not each.limit.operation), None)
        said = [*tightest, *([f"every other {_quota(rest)}"] if rest else [])]
        yield threat(
            element,
            Stride.DENIAL,
            "One caller takes what all others need, by calling as fast as it can.",
            f"Counted before any statement: {named(said, 6)}; beyond it 429 with Retry-After.",
            where="limits of the blueprint",
            tried=(first_contract(limited, "rate-limited"),),
            owasp=4,
        )
    if bare:
        yield threat(
            element,
            Stride.DENIAL,
            f"One caller takes what all others need: {ids(bare)} {verb(bare, 'has', 'have')} no limit.",
            "None.",
            where="nowhere",
            owasp=4,
            is_open=True,
            options=(
                choice(
                    "limits: {default: 100/m per subject}",
                    "one caller cannot starve the others",
                    "callers with bursts must wait",
                ),
            ),
        )


def _quota(limit: Limit | None) -> str:
    if limit is None:
        return ""
    return f"{limit.count:,} in {duration(limit.period_s)} per {limit.per}"


def _waiting(design: Design, element: Element, waiting: list[PlannedEndpoint]) -> Threat:
    names = dict.fromkeys(step.target for each in waiting for step in each.flow.calls if not step.after_response)
    unbounded = [name for name in names if not _has_deadline(waiting, name)]
    held = []
    for name in names:
        dependency = design.dependency(name)
        if dependency and dependency.bulkhead:
            held.append(f"at most {dependency.bulkhead} calls to {name} in flight in each process")
    how = f"{'; '.join(held)}. " if held else ""
    return threat(
        element,
        Stride.DENIAL,
        f"{ids(waiting)} {verb(waiting, 'waits', 'wait')} for {named(names)}: callers who ask for it "
        "while it is slow occupy every slot.",
        f"{capital(how)}Each call has a deadline, and no transaction is open meanwhile."
        if not unbounded
        else f"{how}For {named(unbounded)} no deadline is known: a caller waits as long as it pleases.",
        where=f"dependencies.{named(names)}",
        tried=(STALL,),
        owasp=4,
        is_open=bool(unbounded),
    )


def _has_deadline(waiting: list[PlannedEndpoint], name: str) -> bool:
    return all(step.timeout_s for each in waiting for step in each.flow.calls if step.target == name)


def elevation(design: Design, element: Element, part: elements.Part) -> Iterator[Threat]:
    restricted = [each for each in part.endpoints if each.roles]
    for endpoints in _by_roles(restricted):
        roles = " and ".join(f"no {each}" for each in endpoints[0].roles)
        yield threat(
            element,
            Stride.ELEVATION,
            f"Somebody who is {roles} calls {ids(endpoints)}.",
            "The role is read from the verified credential alone and asked for by each operation; 403 otherwise.",
            where="roles of each operation, its first step",
            tried=(first_contract(endpoints, "forbidden"),),
            owasp=5,
        )
    if design.tenancy and part.endpoints:
        yield threat(
            element,
            Stride.ELEVATION,
            f"A caller of one {design.tenancy.key} comes to the rows of another, by a {design.tenancy.key} in the "
            "body or an identifier of the other's.",
            f"{design.tenancy.key} is taken from the credential alone and "
            f"{_ISOLATED.get(design.tenancy.isolation, 'kept apart')}.",
            where="tenancy of the blueprint, every statement",
            tried=(OBJECTS, BROKEN_OBJECTS),
            owasp=1,
        )
    if not restricted and not (design.tenancy and part.endpoints):
        yield _without_roles(element, part)
    hooks = [each for each in part.endpoints if _runs_owner(each)]
    if hooks:
        yield threat(
            element,
            Stride.ELEVATION,
            f"The owner's function behind {ids(hooks)} does more than its operation may.",
            "It gets the locked row and the caller, after every check and inside the transaction; a statement of "
            "its own asks nobody.",
            where="operations/, which the owner writes and reviews",
            tried=(BROKEN_OBJECTS, INJECTION),
        )


_ISOLATED = {
    "row": "stands in the WHERE of every statement",
    "schema": "chooses the schema before the first statement",
    "database": "chooses the database before the first statement",
}


def _by_roles(endpoints: list[PlannedEndpoint]) -> list[list[PlannedEndpoint]]:
    found: dict[tuple[str, ...], list[PlannedEndpoint]] = {}
    for each in endpoints:
        found.setdefault(each.roles, []).append(each)
    return list(found.values())


def _without_roles(element: Element, part: elements.Part) -> Threat:
    guarded = [each for each in part.endpoints if not each.is_public]
    return threat(
        element,
        Stride.ELEVATION,
        f"Somebody signed in calls {ids(guarded)}, which has no role."
        if guarded
        else "Somebody gains rights that others lack.",
        "There are no roles here: what somebody may do hangs on whose object it is."
        if guarded
        else "There are no rights to gain: all is public.",
        where="grants of each operation",
        tried=(OBJECTS,) if guarded else (),
        owasp=5,
    )


def _runs_owner(endpoint: PlannedEndpoint) -> bool:
    return any(step.kind is StepKind.COMPUTE and "owner's function" in step.says for step in endpoint.flow.steps)

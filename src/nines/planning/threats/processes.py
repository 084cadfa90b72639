"""Threats to what answers requests: each kind by the operations, fields and limits of this service."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Action
from nines.model.design import Design, Element, PlannedEndpoint, Stride, Threat
from nines.model.words import duration
from nines.planning.threats import business, elements, exposure, signing
from nines.planning.threats.drafting import (
    AUTHENTICATION,
    BAD_INPUT,
    INJECTION,
    LOST_UPDATE,
    MISSING_AUTHENTICATION,
    RACE,
    REPEATED_WRITE,
    capital,
    choice,
    first_contract,
    ids,
    named,
    threat,
    verb,
)


def of_part(design: Design, element: Element, part: elements.Part) -> Iterator[Threat]:
    yield from _spoofing(design, element, part)
    yield from signing.of_part(design, element, part)
    yield from business.of_part(design, element, part)
    yield from _tampering(design, element, part)
    yield from _repudiation(design, element, part)
    yield from exposure.disclosure(design, element, part)
    yield from exposure.denial(design, element, part)
    yield from exposure.elevation(design, element, part)


def _spoofing(design: Design, element: Element, part: elements.Part) -> Iterator[Threat]:
    guarded = [each for each in part.endpoints if not each.is_public]
    yield _forged(design, element, guarded)


def _forged(design: Design, element: Element, guarded: list[PlannedEndpoint]) -> Threat:
    auth = design.auth
    tests = (AUTHENTICATION, MISSING_AUTHENTICATION, first_contract(guarded, "unauthorized"))
    if auth is None or not guarded:
        return threat(
            element,
            Stride.SPOOFING,
            f"A made-up credential opens {ids(guarded)}." if guarded else "Anybody can be anybody: no operation asks.",
            "Nothing is decided by who is calling."
            if not guarded
            else "The blueprint says nothing of how it is checked.",
            where="auth of the blueprint",
            tried=tests if guarded else (),
            owasp=2,
            is_open=bool(guarded),
        )
    if auth.scheme not in ("oauth2-jwt", "oidc", "own-jwt"):
        return threat(
            element, Stride.SPOOFING, *_CREDENTIALS[auth.scheme], where="auth of the blueprint", tried=tests, owasp=2
        )
    whose = f"keys of {auth.issuer or 'the issuer'}" if auth.scheme != "own-jwt" else "the public half of its own key"
    audience = f"aud must be {auth.audience}" if auth.audience else "no aud is said"
    return threat(
        element,
        Stride.SPOOFING,
        f"A token opens {ids(guarded)} although it is unsigned, expired, made for another service, or signed with "
        "an algorithm of the caller's choice.",
        f"{' and '.join(auth.algorithms)} alone, whatever the token's header says, with {whose}; iss, exp and nbf are "
        f"checked, {audience} (RFC 8725, 3.1, 3.9).",
        where="auth of the blueprint, the first step of every flow",
        tried=tests,
        owasp=2,
        is_open=not auth.audience,
        options=()
        if auth.audience
        else (
            choice(
                f"auth.audience: {design.name}",
                "a token for another service is refused here",
                "the issuer must know this service by its name",
            ),
        ),
    )


_CREDENTIALS = {
    "api-key": (
        "A key that leaked is used by whoever found it.",
        "Keys of 256 random bits, kept as SHA-256 and compared in constant time; each belongs to one caller and "
        "can be taken back alone.",
    ),
    "session": (
        "A page elsewhere lets the browser of somebody signed in send a change (CSRF), or a session id is guessed.",
        "The cookie is __Host-, Secure, HttpOnly and SameSite=Lax with 256 random bits, new at each sign-in; a request "
        "that a page of another origin made, as Sec-Fetch-Site or Origin tells, is refused, and bodies are JSON.",
    ),
    "mtls": (
        "A certificate of another authority, or of another service, is shown.",
        "One private authority; the name in the certificate is matched with the caller, and revoked ones are refused.",
    ),
    "none": ("Anybody can be anybody.", "Nothing is decided by who is calling."),
}


def _tampering(design: Design, element: Element, part: elements.Part) -> Iterator[Threat]:
    yield threat(
        element,
        Stride.TAMPERING,
        f"A value of a request becomes part of a statement{_through(part)}.",
        "Every value is a placeholder; columns of filters and orders are chosen from a list, never taken from "
        "the request.",
        where=f"{len({q for each in part.endpoints for q in each.queries}):,} statements of the data chapter",
        tried=(INJECTION, BAD_INPUT),
    )
    read_only = list(_read_only(design, part))
    if read_only:
        writing = [each for each in part.endpoints if each.request]
        yield threat(
            element,
            Stride.TAMPERING,
            f"A caller sends {named(read_only)} along, and sets what only the service may set (mass assignment).",
            "They are in no request shape, and unknown members are refused with 422.",
            where=f"shapes {named(dict.fromkeys(each.request for each in writing))}"
            if writing
            else "there is no operation that takes a body",
            tried=(first_contract(writing, "invalid-request"), BAD_INPUT),
            owasp=3,
        )
    yield from _repeated(element, part)
    yield from _overwritten(element, part)


def _through(part: elements.Part) -> str:
    lists = [each for each in part.endpoints if each.action is Action.LIST]
    return f", through the filters of {ids(lists)} say" if lists else ""


def _read_only(design: Design, part: elements.Part) -> Iterator[str]:
    for resource in elements.resources(design, part):
        yield from (f"{resource.name}.{field.name}" for field in resource.fields if field.is_read_only)
        if resource.states:
            yield f"{resource.name}.status"


def _repeated(element: Element, part: elements.Part) -> Iterator[Threat]:
    costly = [each for each in part.endpoints if not each.is_safe and _has_effect(each)]
    keyed = [each for each in costly if each.idempotency]
    bare = [each for each in costly if not each.idempotency and each.action is Action.CREATE]
    if keyed:
        kept_s = min(each.idempotency.ttl_s for each in keyed if each.idempotency)
        yield threat(
            element,
            Stride.TAMPERING,
            f"A request that is sent twice, by a retry or on purpose, makes {ids(keyed)} happen twice.",
            f"The key is claimed in the transaction of the effect and kept {duration(kept_s)}: the same request "
            "gets the same answer, another one under the key 422.",
            where="table idempotency_keys, the first statement of each",
            tried=(RACE, REPEATED_WRITE, first_contract(keyed, "idempotency-key-reused")),
        )
    if bare:
        yield threat(
            element,
            Stride.TAMPERING,
            f"A request for {ids(bare)} that is sent twice makes two.",
            "Nothing tells a repetition from a second wish.",
            where="nowhere",
            tried=(REPEATED_WRITE,),
            is_open=True,
            options=(
                choice(
                    "idempotency: required",
                    "a repetition is answered, not carried out",
                    "one row more for each call, kept for its time",
                ),
            ),
        )


def _has_effect(endpoint: PlannedEndpoint) -> bool:
    return endpoint.action is Action.CREATE or bool(endpoint.flow.calls) or endpoint.idempotency is not None


def _overwritten(element: Element, part: elements.Part) -> Iterator[Threat]:
    changing = [each for each in part.endpoints if each.action in (Action.UPDATE, Action.TRANSITION)]
    if not changing:
        return
    matched = [each for each in changing if each.needs_if_match]
    moved = [each for each in changing if each.action is Action.TRANSITION]
    how = []
    if matched:
        how.append(
            f"{ids(matched)} {verb(matched, 'needs', 'need')} If-Match, and the version stands in the condition "
            "of the UPDATE"
        )
    if moved:
        how.append("a transition names the states that it starts from in its condition")
    free = [each for each in changing if each not in matched and each not in moved]
    if free:
        how.append(
            f"{ids(free)} {verb(free, 'reads and merges', 'read and merge')}, again where a version came between"
        )
    yield threat(
        element,
        Stride.TAMPERING,
        f"Two callers change the same {named(dict.fromkeys(each.resource for each in changing))} at the same "
        "moment, and one change is lost or a state is passed twice.",
        f"{capital('; '.join(how))}." if how else "Not known.",
        where="the conditions of the statements that change a row",
        tried=(
            LOST_UPDATE,
            RACE,
            first_contract(matched, "precondition-failed") or first_contract(moved, "state-conflict"),
        ),
        is_open=not how,
    )


def _repudiation(design: Design, element: Element, part: elements.Part) -> Iterator[Threat]:
    kept = [each for each in elements.resources(design, part) if each.audit != "none"]
    changes = [each for each in part.endpoints if not each.is_safe]
    if kept:
        says = (
            f"It cannot be shown later who changed {named(each.name for each in kept)}, or a log line was "
            "forged through a field with line feeds."
        )
        how = (
            "Each change adds caller, operation and request id to a chain of hashes in its own transaction; "
            "logs are JSON, so that a value cannot end its line."
        )
        yield threat(element, Stride.REPUDIATION, says, how, where="table audit_log, the log's format")
        return
    yield threat(
        element,
        Stride.REPUDIATION,
        f"It cannot be shown later who called {ids(changes)}." if changes else "It cannot be shown who asked.",
        "Logs are JSON with subject and request id; no trail is kept beside them.",
        where="the access log",
    )

"""Threats by those who call: they pretend to be somebody else, and they deny what they did."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Action
from nines.model.design import Design, Element, PlannedEndpoint, Stride, Threat
from nines.model.design.access import reach
from nines.model.words import duration
from nines.planning.threats import elements
from nines.planning.threats.drafting import (
    AUTHENTICATION,
    capital,
    choice,
    first_contract,
    ids,
    named,
    threat,
    verb,
)

_ONE_OF_MANY = "the request id, which stands in the log with the address"


_NO_ROLE = "?"
"""No name of a role: what such a caller may do needs none."""


def of_person(design: Design, element: Element) -> Iterator[Threat]:
    """Somebody anonymous pretends to be signed in; somebody signed in pretends to be another."""
    if element.id == elements.ANONYMOUS:
        yield from _of_nobody(design, element)
        return
    role = "" if element.id == elements.SIGNED_IN else element.id.partition(":")[2]
    mine = [each for each in design.endpoints if not each.is_public and reach(each, role or _NO_ROLE)]
    yield _stolen(design, element, role, mine)
    yield _denied(design, element, role, mine)


def _of_nobody(design: Design, element: Element) -> Iterator[Threat]:
    guarded = [each for each in design.endpoints if not each.is_public]
    public = [each for each in design.endpoints if each.is_public]
    how = (
        "401 from each; the check is the first step, before any statement."
        if guarded
        else "Nothing asks who is calling."
    )
    yield threat(
        element,
        Stride.SPOOFING,
        f"Calls {ids(guarded) or 'an operation'} without a credential, or with one that was made up.",
        how,
        where="the first step of every flow that is not public" if guarded else "nowhere",
        tried=(AUTHENTICATION, first_contract(guarded, "unauthorized")),
        owasp=2,
        is_open=not guarded,
        options=() if guarded else _NO_AUTHENTICATION,
    )
    changing = [each for each in public if not each.is_safe]
    says = f"Denies having called {ids(changing)}." if changing else "Denies having asked what is public."
    yield threat(
        element,
        Stride.REPUDIATION,
        says,
        f"Nothing binds such a call to a person: what is kept is {_ONE_OF_MANY}. Nobody relies on more."
        if changing
        else f"Nothing hangs on it; what is kept is {_ONE_OF_MANY}.",
        where="the access log",
    )


_NO_AUTHENTICATION = (
    choice("auth: {scheme: oauth2-jwt}", "each call has a person", "callers need an issuer of tokens"),
    choice("keep it on a private network", "nothing to build", "whoever comes into the network may do everything"),
)


def _stolen(design: Design, element: Element, role: str, mine: list[PlannedEndpoint]) -> Threat:
    auth = design.auth
    second = any(each.name == role and each.needs_second_factor for each in design.roles)
    reaches = f"could call {ids(mine)}" if mine else "could call nothing"
    if auth is None:
        return threat(
            element,
            Stride.SPOOFING,
            f"Somebody holds the credential of another and {reaches}.",
            "How long a credential is good, and how it is revoked, was not understood.",
            where="nowhere",
            tried=(AUTHENTICATION,),
            owasp=2,
            is_open=True,
        )
    ends = {
        "own-jwt": f"a token is good for {duration(auth.token_ttl_s)}, and for what is left of them after its "
        "session was revoked",
        "oauth2-jwt": "a token is good until its exp, which its issuer sets",
        "oidc": "a token is good until its exp, which its issuer sets",
        "api-key": "a key is good until it is taken back",
        "session": f"a session ends after {duration(auth.refresh_ttl_s)}, or when it is revoked",
        "mtls": "a certificate is good until it ends or is revoked",
    }.get(auth.scheme, "nothing limits it")
    factor = "; a token without a second factor in amr (RFC 8176) is refused" if second else ""
    return threat(
        element,
        Stride.SPOOFING,
        f"Somebody holds a stolen credential{f' with the role {role}' if role else ''} and {reaches}.",
        f"{capital(ends)}{factor}; credentials travel over TLS and are in no log.",
        where="auth of the blueprint" + (f", roles.{role}.mfa" if second else ""),
        tried=(AUTHENTICATION, first_contract(mine, "unauthorized")),
        owasp=2,
    )


def _denied(design: Design, element: Element, role: str, mine: list[PlannedEndpoint]) -> Threat:
    changing = [each for each in mine if not each.is_safe and each.action not in _OF_ACCOUNT]
    kept = {each.resource for each in design.tables if each.resource and each.audit != "none"}
    proven = [each for each in changing if each.resource in kept]
    bare = [each for each in changing if each.resource not in kept]
    says = (
        f"{capital(_whose(role))} denies having called {ids(changing)}."
        if changing
        else f"{capital(_whose(role))} denies having read something."
    )
    if not changing:
        return threat(
            element,
            Stride.REPUDIATION,
            says,
            "Nothing is changed by it; the access log holds the subject.",
            where="the access log",
        )
    if not bare:
        return threat(
            element,
            Stride.REPUDIATION,
            says,
            f"Each writes its caller, the names of what changed and the request id in the transaction of the change "
            f"({named(sorted({each.resource for each in proven}))}).",
            where="table audit_log",
        )
    trail = f"{ids(proven)} {verb(proven, 'leaves', 'leave')} a trail; of" if proven else "Of"
    resources = named(sorted({each.resource for each in bare if each.resource}))
    return threat(
        element,
        Stride.REPUDIATION,
        says,
        f"{trail} {ids(bare)} only the access log tells who it was, and it can be changed by whoever runs the service.",
        where="table audit_log, the access log" if proven else "the access log",
        is_open=True,
        options=(
            choice(
                f"audit: writes on {resources}" if resources else "audit: writes",
                "each change has a name that cannot be taken off it",
                "one more row in the transaction of each change",
            ),
            choice("leave it", "nothing to write", "a dispute is decided by the log", "nobody disputes about it"),
        ),
    )


_OF_ACCOUNT = (
    Action.SIGN_IN,
    Action.SIGN_IN_BY_CODE,
    Action.REFRESH,
    Action.SIGN_OUT,
    Action.SIGN_OUT_EVERYWHERE,
    Action.LIST_SESSIONS,
    Action.END_SESSION,
)


def _whose(role: str) -> str:
    return f"somebody with the role {role}" if role else "a caller"

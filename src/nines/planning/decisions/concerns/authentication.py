"""How callers show who they are."""

from __future__ import annotations

from nines.model.blueprint import Authentication
from nines.model.design import Choice, Decision, Design
from nines.model.words import duration, rate
from nines.planning.decisions.deciding import is_said, option

NUMBER = 6
_LOCAL = "signed tokens, checked here (JWT)"
_OWN = "signed tokens, issued here"
_ASKED = "opaque tokens, asked for at their issuer (RFC 7662)"
_SESSION = "sessions kept here"
_KEYS = "API keys"
_MTLS = "client certificates (mTLS)"
_CHOSEN = {
    "oauth2-jwt": _LOCAL,
    "oidc": _LOCAL,
    "own-jwt": _OWN,
    "session": _SESSION,
    "api-key": _KEYS,
    "mtls": _MTLS,
}


def decide(design: Design) -> Decision | None:
    auth = design.auth
    chosen = _CHOSEN.get(auth.scheme) if auth else None
    if auth is None or chosen is None:
        return None
    asked_hz = sum(each.peak_hz or 0.0 for each in design.endpoints if not each.is_public)
    some_hz = f"{rate(asked_hz)} at the peak show a credential. " if asked_hz else ""
    found = {each.name: each for each in _options(asked_hz, auth)}
    others = [_ASKED, _SESSION] if chosen in (_LOCAL, _OWN) else [_LOCAL, _ASKED]
    return Decision(
        id="authentication",
        number=NUMBER,
        concern="Authentication",
        context=f"{some_hz}{_roles(design)}",
        options=tuple(found[name] for name in (chosen, *others) if name in found),
        chosen=chosen,
        because=_because(chosen, asked_hz, auth),
        consequences=_consequences(chosen, auth),
        changes_when="Taking a token back must work within seconds: then tokens are asked for at their issuer, or the "
        "service hears of it by an event."
        if chosen in (_LOCAL, _OWN)
        else "Other services have to know the caller too: then a signed token travels with the request.",
        is_given=is_said(design, "auth.scheme"),
    )


def _roles(design: Design) -> str:
    if not design.roles:
        return "There are no roles."
    strict = [role.name for role in design.roles if role.needs_second_factor]
    told = ", ".join(role.name for role in design.roles)
    return f"Roles: {told}{'; a second factor for ' + ', '.join(strict) if strict else ''}."


def _options(asked_hz: float, auth: Authentication) -> list[Choice]:
    issuer = f" ({rate(asked_hz)} at the peak)" if asked_hz else ""
    return [
        option(
            _LOCAL,
            "no call for each request; the issuer may be away for a while",
            f"a token that is taken back works until it expires, {duration(auth.token_ttl_s)} at most",
            "an identity provider is there, and many services trust it",
        ),
        option(
            _OWN,
            "others check the tokens without asking this service",
            "keys to keep, to rotate and to publish; passwords are this service's duty",
            "signing people in is what the service is for",
        ),
        option(
            _ASKED,
            "a token taken back is refused at once",
            f"the issuer is asked for every request{issuer}, and when it is away nobody gets in",
            "tokens live long, or must be taken back at once",
        ),
        option(
            _SESSION,
            "ended at once, and nothing to sign",
            "one read for each request; no other service can tell who it is",
            "one service, and browsers only",
        ),
        option(
            _KEYS,
            "easy to use from a script",
            "they live until somebody thinks of them; kept as digests, shown once",
            "other services call, and there is no identity provider",
        ),
        option(
            _MTLS,
            "nothing that could be copied out of a log",
            "certificates to issue and to renew for every caller",
            "few callers, all of them services",
        ),
    ]


def _because(chosen: str, asked_hz: float, auth: Authentication) -> str:
    asked = rate(asked_hz) if asked_hz else "every request"
    if chosen == _LOCAL:
        return (
            f"Asking the issuer for {asked} would make it a part of every answer and of its availability; tokens of "
            f"{duration(auth.token_ttl_s)} bound what a stolen one is good for"
        )
    if chosen == _OWN:
        ttl = duration(auth.token_ttl_s)
        return f"The service is the identity provider; tokens live {ttl}, so that others need not ask"
    return "The blueprint says so, and its callers are of that kind"


def _consequences(chosen: str, auth: Authentication) -> tuple[str, ...]:
    if chosen not in (_LOCAL, _OWN):
        return ("Credentials are compared in constant time and never logged.",)
    names = ", ".join(auth.algorithms)
    return (
        f"Only {names} {'is' if len(auth.algorithms) == 1 else 'are'} accepted, and the audience, the issuer and the "
        "expiry are checked; `alg: none` never is.",
        f"Somebody who is locked out keeps access for up to {duration(auth.token_ttl_s)}.",
        "Keys are fetched from the issuer's set, kept, and fetched again when a token names one that is not known."
        if chosen == _LOCAL
        else "The set of public keys is published; a new key is published before it signs.",
    )

"""Who may call what, as the contract says it."""

from __future__ import annotations

from typing import Any

from nines.checkers.contracts import guards
from nines.model.blueprint import GrantKind
from nines.model.design import Design, PlannedEndpoint
from nines.model.design.access import Reach, reach

_ANYBODY = "anybody"
_BEARER = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
_SCHEMES: dict[str, tuple[str, dict[str, Any]]] = {
    "oauth2-jwt": ("accessToken", _BEARER),
    "own-jwt": ("accessToken", _BEARER),
    "oidc": ("accessToken", _BEARER),
    "api-key": ("apiKey", {"type": "apiKey", "in": "header", "name": "X-API-Key"}),
    "session": ("session", {"type": "apiKey", "in": "cookie", "name": "__Host-session"}),
    "mtls": ("clientCertificate", {"type": "mutualTLS"}),
}


_COOKIE = "The cookie of a session, taken from pages of the same origin alone (Sec-Fetch-Site, Origin)."
_CHALLENGES = {"api-key": "ApiKey", "session": "Cookie", "mtls": "Certificate"}


def schemes(design: Design) -> dict[str, Any]:
    """The security schemes of the document; none where nobody shows who they are, or where that is not known."""
    auth = design.auth
    found = _SCHEMES.get(auth.scheme) if auth else None
    if found is None or auth is None:
        return {}
    name, scheme = found
    first = {name: scheme | {"description": says(design)}}
    if auth.scheme != "oidc":
        return first
    other, cookie = _SCHEMES["session"]
    return first | {other: cookie | {"description": f"{_COOKIE} Browsers get it at /auth/sign-in."}}


def tokens(design: Design) -> dict[str, Any]:
    """Whose tokens are believed, for machines: by it a later version sees whose it would refuse."""
    auth = design.auth
    if auth is None or design.is_recovered or _SCHEMES.get(auth.scheme, ("", {}))[1] is not _BEARER:
        return {}
    found: dict[str, Any] = {
        guards.ISSUER: auth.issuer,
        guards.AUDIENCE: auth.audience or design.name,
        guards.ALGORITHMS: list(auth.algorithms),
    }
    if auth.scheme != "own-jwt":
        found |= {guards.TYPES: list(auth.token_types), guards.ROLES_CLAIM: auth.roles_claim}
    return {guards.TOKENS: {name: value for name, value in found.items() if value}}


def says(design: Design) -> str:
    """How a caller shows who it is, in a sentence."""
    auth = design.auth
    if auth is None:
        return ""
    algorithms = " or ".join(auth.algorithms)
    match auth.scheme:
        case "own-jwt":
            return f"An access token that this service issued at sign-in, signed with {algorithms}."
        case "oauth2-jwt" | "oidc":
            whose = f" of {auth.issuer}" if auth.issuer else ""
            audience = f" for the audience {auth.audience}" if auth.audience else ""
            return f"An access token{whose}{audience}, signed with {algorithms}."
        case "api-key":
            return "A key that was handed to one caller."
        case "session":
            return _COOKIE
        case "mtls":
            return "A client certificate."
        case _:
            return ""


def challenge(design: Design) -> str:
    """What WWW-Authenticate says (RFC 9110, 11.6.1; RFC 6750, 3)."""
    word = _CHALLENGES.get(design.auth.scheme if design.auth else "")
    return f'{word} realm="{design.card.name}"' if word else 'Bearer error="invalid_token"'


def who(endpoint: PlannedEndpoint) -> str:
    """Who may call it, in a sentence."""
    if not endpoint.guards_known:
        return "Who may call it was not understood."
    return f"For {callers(endpoint)}."


def callers(endpoint: PlannedEndpoint) -> str:
    """Who may call it, and in brackets on which objects: "customer (own), support (any)"."""
    if not endpoint.guards_known:
        return "?"
    if endpoint.is_public:
        return _ANYBODY
    found = reached(endpoint)
    is_bound = any(each != (Reach.ANY,) for each in found.values())
    told = [f"{role} ({' or '.join(each)})" if is_bound else role for role, each in found.items()]
    return ", ".join(told) or "nobody"


def reached(endpoint: PlannedEndpoint) -> dict[str, tuple[Reach, ...]]:
    """Who may call it, and on which objects."""
    free = [grant.role for grant in endpoint.grants if grant.kind is GrantKind.ROLE]
    found = {role: reach(endpoint, role) for role in endpoint.roles or (guards.EVERYBODY, *free)}
    return {role: each for role, each in found.items() if each}


def guarded(endpoint: PlannedEndpoint, design: Design) -> dict[str, Any]:
    """The same for machines: by it a later version sees whom it would shut out."""
    if endpoint.is_public or not endpoint.guards_known or not schemes(design):
        return {}
    told = reached(endpoint)
    found: dict[str, Any] = {guards.CALLERS: {role: [each.value for each in objects] for role, objects in told.items()}}
    careful = [role.name for role in design.roles if role.needs_second_factor and role.name in told]
    if careful:
        found[guards.SECOND_FACTOR] = careful
    if endpoint.limit is not None:
        limit = endpoint.limit
        found[guards.LIMIT] = {"requests": limit.count, "seconds": limit.period_s, "per": limit.per}
    return found

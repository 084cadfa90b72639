"""Who may call what, as the contract says it."""

from __future__ import annotations

from typing import Any

from nines.model.blueprint import Grant, GrantKind
from nines.model.design import Design, PlannedEndpoint

_BEARER = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
_SCHEMES: dict[str, tuple[str, dict[str, Any]]] = {
    "oauth2-jwt": ("accessToken", _BEARER),
    "own-jwt": ("accessToken", _BEARER),
    "oidc": ("accessToken", _BEARER),
    "api-key": ("apiKey", {"type": "apiKey", "in": "header", "name": "X-API-Key"}),
    "session": ("session", {"type": "apiKey", "in": "cookie", "name": "__Host-session"}),
    "mtls": ("clientCertificate", {"type": "mutualTLS"}),
}


def schemes(design: Design) -> dict[str, Any]:
    """The security schemes of the document; none where nobody shows who they are, or where that is not known."""
    auth = design.auth
    found = _SCHEMES.get(auth.scheme) if auth else None
    if found is None or auth is None:
        return {}
    name, scheme = found
    return {name: scheme | {"description": says(design)}}


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
            return "The cookie of a session; a change also needs the token against forged requests."
        case "mtls":
            return "A client certificate."
        case _:
            return ""


def who(endpoint: PlannedEndpoint) -> str:
    """Who may call it, in a sentence; "" where the code did not tell."""
    if not endpoint.guards_known:
        return "Who may call it was not understood."
    if endpoint.is_public:
        return "Anybody may call it."
    roles = f"whoever has the role {' or '.join(endpoint.roles)}" if endpoint.roles else "whoever is signed in"
    return f"For {roles}{_whose(endpoint.grants)}."


def callers(endpoint: PlannedEndpoint) -> str:
    """The same for a cell of a table."""
    if not endpoint.guards_known:
        return "?"
    if endpoint.is_public:
        return "anybody"
    bound = [grant_words(each) for each in endpoint.grants]
    roles = ", ".join(endpoint.roles) or "signed in"
    return f"{roles}; {' or '.join(bound)}" if bound else roles


def _whose(grants: tuple[Grant, ...]) -> str:
    bound = [grant_words(each) for each in grants]
    return f", where the object's rule lets them: {' or '.join(bound)}" if bound else ""


def grant_words(grant: Grant) -> str:
    match grant.kind:
        case GrantKind.OWNER:
            return "its owner"
        case GrantKind.TENANT:
            return "the same tenant"
        case GrantKind.ROLE:
            return f"the role {grant.role}"
        case GrantKind.AUTHENTICATED:
            return "anybody signed in"
        case GrantKind.PUBLIC:
            return "anybody"

"""Which endpoints are public by nature, as far as their words tell, and what they write."""

from __future__ import annotations

import re
from itertools import pairwise

from nines.model.service import Endpoint, EndpointParameter, Service
from nines.rules import wording

_PUBLIC = re.compile(
    r"log(?:in|on|out|off)|sign(?:in|out|up|on|off)|regist(?:er|ration|rations|ered)|join|tokens?|refresh"
    r"|oauth2?|oidc|saml2?|sso|openid|authori[sz]e|auth|authenticate|authentication|callbacks?|acs"
    r"|passwords?|recover|recovery|reset|forgot|forgotten|verify|verification|confirm|confirmation|activate|activation"
    r"|invitations?|invite|otp|mfa|totp|2fa|challenge|magiclink|unlock|captcha|csrf|consent|guest|anonymous"
    r"|health|healthz|healthcheck|heartbeat|live|livez|liveness|ready|readyz|readiness|alive|ping|up|version|info|metrics"
    r"|docs|redoc|openapi|schema|swagger|favicon|robots|static|sitemap|feed|rss|wellknown|jwks|graphql"
    r"|webhooks?|hooks?|bounces?|contact|feedback|subscribe|unsubscribe|newsletter|public|shared|locale|language|analytics"
    r"|beacon|csp|validators?|install|onboarding|demo"
)
"""Signing up, in and out, health, documentation, static content, and what has a guard of its own kind."""


def is_public_by_nature(endpoint: Endpoint) -> bool:
    if any(_is_capability(parameter) for parameter in endpoint.parameters):
        return True
    return endpoint.path.strip("/") == "" or any(_PUBLIC.fullmatch(word) for word in _words(endpoint))


def _is_capability(parameter: EndpointParameter) -> bool:
    """A random code in the address: whoever has it was given it."""
    return (
        parameter.location == "path" and "uuid" in parameter.type.lower() and parameter.name in ("code", "key", "hash")
    )


def _words(endpoint: Endpoint) -> set[str]:
    """Of the path's fixed parts and the function's name: each alone, and joined with the next (sign, in, signin)."""
    fixed = [part for part in endpoint.path.split("/") if part and not part.startswith(("{", "<", ":"))]
    words: set[str] = set()
    for part in (*fixed, wording.short(endpoint.function)):
        pieces = [piece for piece in re.split(r"[^a-z0-9]+", part.lower()) if piece]
        words |= {*pieces, *(a + b for a, b in pairwise(pieces))}
    return words


def registers(service: Service, endpoint: Endpoint) -> bool:
    """Whether it makes a new account, a row with a password and what hangs on it, and changes none that is there."""
    writes = [e for t in service.traces if t.endpoint == endpoint.id for _, e in t.writes()]
    is_new = all(e.action.upper() == "INSERT" for e in writes)
    return is_new and any(_has_password(service, e.target) for e in writes)


def _has_password(service: Service, name: str) -> bool:
    table = service.table(name)
    return table is not None and any("password" in column.name for column in table.columns)

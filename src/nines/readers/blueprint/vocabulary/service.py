"""The service itself: its card, budgets, load, authentication, roles, tenancy, deployment and open questions."""

from __future__ import annotations

from typing import Any

from nines.model.blueprint import (
    Authentication,
    Card,
    Criticality,
    Demand,
    Deployment,
    OpenQuestion,
    Promises,
    Role,
    Tenancy,
)
from nines.readers.blueprint.combined import Listed, Made
from nines.readers.blueprint.document import Node
from nines.readers.blueprint.reading import Reading
from nines.readers.blueprint.records import Key, Keys, Table
from nines.readers.blueprint.shapes import Choice, Flag, Number, Text
from nines.readers.blueprint.units import (
    DURATION,
    DURATION_OR_NONE,
    GROWTH,
    INNER_SHARE,
    RATE,
    SIZE,
)
from nines.readers.blueprint.vocabulary import names

_TIERS = Choice(
    {
        "critical": (Criticality.CRITICAL, "money or safety hangs on it: redundancy everywhere, every claim proven"),
        "standard": (Criticality.STANDARD, "people notice at once when it is down"),
        "internal": (Criticality.INTERNAL, "colleagues can wait an hour"),
    }
)
_INTERFACES = Choice(
    {
        "rest": "resources over HTTP, described in OpenAPI",
        "graphql": "one graph, where clients compose very different views",
        "grpc": "typed calls between services",
    }
)

CARD = Keys(
    "service",
    "Who the service is.",
    (
        Key(name="name", shape=names.SERVICE_NAME, says="What it is called.", is_required=True),
        Key(name="api", shape=names.VERSION, says="The major version in every path.", default="v1"),
        Key(name="owner", shape=names.LINE, says="The team that is paged."),
        Key(name="tier", shape=_TIERS, says="What hangs on it.", default="standard"),
        Key(name="purpose", shape=Text(), says="What it is for, in one sentence."),
        Key(
            name="interfaces",
            shape=Listed(_INTERFACES, least=1),
            says="How callers talk to it; the first is the one for callers outside.",
            default="[rest]",
        ),
    ),
    Card,
)


def _promises(**given: Any) -> Promises:
    """Whoever promises more availability than is usual has said that fewer requests may fail as well."""
    usual = Promises()
    left = 1 - given.get("availability", usual.availability)
    return Promises(**{"error_rate": usual.error_rate if usual.error_rate <= left else round(left / 2, 9), **given})


BUDGETS = Keys(
    "budgets",
    "What the service promises.",
    (
        Key(name="availability", shape=INNER_SHARE, says="The share of requests that succeed.", default="99.9%"),
        Key(
            name="errors",
            shape=INNER_SHARE,
            to="error_rate",
            says="The share of critical operations that may fail while everything works.",
            default="0.1%, or half of what availability leaves",
        ),
        Key(name="p95", shape=DURATION, to="latency_p95_s", says="Within what 95 of 100 answer.", default="200ms"),
        Key(name="recovery", shape=DURATION, to="recovery_s", says="How soon it is back after a crash.", default="5m"),
        Key(
            name="rpo",
            shape=DURATION_OR_NONE,
            to="loss_s",
            says="How much time of acknowledged writes a disaster may take.",
            default="0s",
        ),
        Key(name="window", shape=DURATION, to="window_s", says="What the objectives are counted over.", default="30d"),
    ),
    _promises,
)

LOAD = Keys(
    "load",
    "How much is expected.",
    (
        Key(name="steady", shape=RATE, to="steady_hz", says="Requests on an ordinary day.", default="10/s"),
        Key(name="peak", shape=RATE, to="peak_hz", says="Requests in the busiest minute.", default="50/s"),
        Key(
            name="growth",
            shape=GROWTH,
            to="growth_per_year",
            says="By what load and data grow in a year.",
            default="2x/y",
        ),
        Key(name="payload", shape=SIZE, to="payload_bytes", says="A typical body.", default="1KiB"),
    ),
    Demand,
)

_SCHEMES = Choice(
    {
        "oauth2-jwt": "tokens of an authorization server, checked here without asking it",
        "oidc": "the same, and people sign in at an OpenID provider with their browser, to a session kept here",
        "own-jwt": "this service signs people in and issues the tokens itself",
        "api-key": "keys that machines carry",
        "session": "a cookie with a session kept here",
        "mtls": "client certificates",
        "none": "nobody shows who it is",
    }
)
_ALGORITHMS = Choice(
    {
        "EdDSA": "Ed25519: short and fast",
        "ES256": "P-256: the widest support in hardware",
        "ES384": "P-384",
        "PS256": "RSA-PSS",
        "RS256": "RSA PKCS#1: for issuers that have nothing else",
    }
)
_TOKEN_TYPES = Choice(
    {
        "at+jwt": "an access token, as RFC 9068 has it",
        "JWT": "any token: what Keycloak, Auth0 and Entra write unless told otherwise; needs an audience of its own",
        "untyped": "the header says nothing; needs an audience of its own",
    }
)


def _authentication(**given: Any) -> Authentication:
    """A service that issues tokens itself is told at its start under which address it does."""
    is_own = given.get("scheme") == "own-jwt" and not given.get("issuer")
    return Authentication(**given | ({"issuer": "${TOKEN_ISSUER}"} if is_own else {}))


AUTH = Keys(
    "auth",
    "How a caller shows who it is.",
    (
        Key(name="scheme", shape=_SCHEMES, says="The kind of proof.", default="oauth2-jwt"),
        Key(
            name="issuer",
            shape=names.URL,
            says="Who issues the tokens.",
            default="${TOKEN_ISSUER} where this service does",
        ),
        Key(name="audience", shape=names.LINE, says="For whom a token must be meant; empty: the service's name."),
        Key(
            name="algs",
            shape=Listed(_ALGORITHMS, least=1),
            to="algorithms",
            says="The only signatures that are accepted.",
            default="[EdDSA]",
        ),
        Key(
            name="token_types",
            shape=Listed(_TOKEN_TYPES, least=1),
            says="What the header of a token of the issuer may call it; identity tokens are refused in any case.",
            default="[at+jwt]",
        ),
        Key(
            name="roles_claim",
            shape=names.LINE,
            says="Where a token of the issuer tells of roles, such as realm_access.roles; a dot leads into an object.",
            default="roles",
        ),
        Key(
            name="token_ttl",
            shape=DURATION,
            to="token_ttl_s",
            says="How long a token is good for; how long a session may be idle.",
            default="15m",
        ),
        Key(
            name="refresh_ttl",
            shape=DURATION,
            to="refresh_ttl_s",
            says="How long a sign-in lasts without the password, in use or not.",
            default="30d",
        ),
    ),
    _authentication,
)

_ROLE = Keys(
    "role",
    "Somebody who may do something.",
    (
        Key(name="mfa", shape=Flag(), to="needs_second_factor", says="A second factor is needed.", default="false"),
        Key(name="says", shape=Text(), says="Who that is."),
    ),
    dict,
)


def _role(name: str, told: dict[str, Any], node: Node, reading: Reading) -> Role:  # noqa: ARG001
    return Role(name=name, **told)


ROLES = Table("roles", _ROLE, _role, pattern=names.KEBAB, style=names.KEBAB_STYLE, declares="role")

TENANCY = Keys(
    "tenancy",
    "How customers are kept apart from one another.",
    (
        Key(
            name="key",
            shape=names.COLUMN_NAME,
            says="The column that separates them; every resource has it.",
            is_required=True,
        ),
        Key(
            name="isolation",
            shape=Choice(
                {
                    "row": "one table for all, and every statement names the tenant",
                    "schema": "a schema each",
                    "database": "a database each",
                }
            ),
            says="How far apart.",
            default="row",
        ),
    ),
    Tenancy,
)

_REPLICAS = Keys(
    "replicas",
    "How many processes serve at once.",
    (
        Key(name="min", shape=Number(1, 10_000), to="replicas_min", says="In quiet hours.", default="2"),
        Key(name="max", shape=Number(1, 10_000), to="replicas_max", says="At the peak.", default="10"),
    ),
    dict,
)


def _deployment(replicas: dict[str, Any] | None = None, **told: Any) -> Deployment:
    return Deployment(**(replicas or {}), **told)


def _in_order(told: dict[str, int], node: Node, reading: Reading) -> dict[str, int]:
    usual = Deployment()
    least = told.get("replicas_min", usual.replicas_min)
    most = told.get("replicas_max", max(least, usual.replicas_max))
    if least > most:
        raise reading.refuse(node, f"min is {least} and max is {most}: min is at most max")
    return {"replicas_min": least, "replicas_max": most}


DEPLOY = Keys(
    "deploy",
    "Where it runs.",
    (
        Key(
            name="platform",
            shape=Choice(
                {
                    "kubernetes": "containers that are moved and scaled",
                    "compose": "containers on one machine",
                    "vm": "processes on machines of their own",
                }
            ),
            says="What it runs on.",
            default="kubernetes",
        ),
        Key(name="regions", shape=Number(1, 50), says="In how many regions it takes writes.", default="1"),
        Key(name="zones", shape=Number(1, 10), says="Over how many zones of a region.", default="3"),
        Key(name="replicas", shape=Made(_REPLICAS, _in_order), says="How many processes.", default="{min: 2, max: 10}"),
        Key(name="cpu", shape=Number(0.05, 512, is_whole=False), says="Cores of one replica.", default="1"),
        Key(name="memory", shape=SIZE, to="memory_bytes", says="Memory of one replica.", default="512MiB"),
    ),
    _deployment,
)

OPEN = Listed(
    Keys(
        "open-question",
        "Something decisive that nobody answered yet.",
        (
            Key(name="path", shape=names.PATH, says="Where the answer goes.", is_required=True),
            Key(name="question", shape=Text("a question"), says="What is not known.", is_required=True),
            Key(name="assumed", shape=Text(), says="What was taken for granted instead.", is_required=True),
            Key(name="matters", shape=Text(), says="What hangs on it.", is_required=True),
        ),
        OpenQuestion,
    )
)

"""Who the service is, what it promises, how much load it meets and where it runs."""

from __future__ import annotations

from enum import StrEnum

from nines.model.record import Record


class Criticality(StrEnum):
    """What hangs on the service; it decides how much redundancy and proof a design asks for."""

    CRITICAL = "critical"
    STANDARD = "standard"
    INTERNAL = "internal"


class Card(Record):
    """Who the service is."""

    name: str
    """Kebab case: "payments"."""
    api: str = "v1"
    """The major version in every path."""
    owner: str = ""
    tier: Criticality = Criticality.STANDARD
    purpose: str = ""
    """One sentence."""
    interfaces: tuple[str, ...] = ("rest",)
    """rest, graphql, grpc; the first is the one that callers outside use."""


class Promises(Record):
    """The budgets that the service keeps; the defaults are those of nines."""

    availability: float = 0.999
    error_rate: float = 0.001
    latency_p95_s: float = 0.2
    recovery_s: float = 300.0
    loss_s: float = 0.0
    """Recovery point objective: how many seconds of acknowledged writes may be lost."""
    window_s: float = 30 * 86_400.0


class Demand(Record):
    """How much load is expected."""

    steady_hz: float = 10.0
    peak_hz: float = 50.0
    growth_per_year: float = 2.0
    """The factor by which load and data grow in a year; 1 means none."""
    payload_bytes: int = 1_024


class Authentication(Record):
    """How a caller shows who it is."""

    scheme: str = "oauth2-jwt"
    """oauth2-jwt, oidc, api-key, session, mtls, own-jwt (this service issues the tokens itself), none."""
    issuer: str = ""
    audience: str = ""
    algorithms: tuple[str, ...] = ("EdDSA",)
    token_types: tuple[str, ...] = ("at+jwt",)
    """What a token's header may call it: at+jwt (RFC 9068), JWT, or untyped where it says nothing."""
    roles_claim: str = "roles"
    """Where a token of the issuer tells of roles: a.b is member b of a."""
    token_ttl_s: float = 900.0
    refresh_ttl_s: float = 30 * 86_400.0


class Role(Record):
    name: str
    needs_second_factor: bool = False
    says: str = ""


class Tenancy(Record):
    key: str
    """The column that separates the tenants."""
    isolation: str = "row"
    """row, schema, database."""


class Deployment(Record):
    platform: str = "kubernetes"
    """kubernetes, compose, vm."""
    regions: int = 1
    zones: int = 3
    replicas_min: int = 2
    replicas_max: int = 10
    cpu: float = 1.0
    """Cores of one replica."""
    memory_bytes: int = 512 * 1024**2


class OpenQuestion(Record):
    """Something decisive that nobody answered, and what was taken for granted instead."""

    path: str
    """Where in the blueprint the answer goes: "load.peak"."""
    question: str
    assumed: str
    matters: str
    """What hangs on it."""

"""What was answered in an interview, and what the answers stand for."""

from __future__ import annotations

from nines.model.record import Record


class Answers(Record):
    """What was answered in an interview; "" where nobody did."""

    name: str = ""
    keeps: str = ""
    operations: str = ""
    tier: str = ""
    steady: str = ""
    peak: str = ""
    growth: str = ""
    p95: str = ""
    data: str = ""
    loss: str = ""
    stale: str = ""
    callers: str = ""
    tenant: str = ""
    calls: str = ""
    broker: str = ""
    platform: str = ""


class Assumption(Record):
    """A question that nobody answered, as it stands under `open`."""

    path: str
    question: str
    assumed: str
    matters: str


class Tier(Record):
    availability: str
    errors: str
    recovery: str
    replicas_min: int


class Sensitivity(Record):
    retention: str
    audit: str
    is_personal: bool
    is_encrypted: bool


class Caller(Record):
    scheme: str
    role: str
    limit: str
    access: str
    is_public: bool = False
    """Reading needs no sign-in."""


TIERS = {
    "critical": Tier(availability="99.95%", errors="0.05%", recovery="2m", replicas_min=3),
    "standard": Tier(availability="99.9%", errors="0.1%", recovery="5m", replicas_min=2),
    "internal": Tier(availability="99.5%", errors="0.5%", recovery="30m", replicas_min=2),
}
SENSITIVITIES = {
    "none": Sensitivity(retention="forever", audit="none", is_personal=False, is_encrypted=False),
    "personal": Sensitivity(retention="2y", audit="writes", is_personal=True, is_encrypted=False),
    "special": Sensitivity(retention="2y", audit="all", is_personal=True, is_encrypted=True),
}
"""`special`: health, beliefs, biometrics (GDPR, Art. 9), and means of payment."""
LOSSES = {"nothing": ("0s", "synchronous"), "a-minute": ("1m", "asynchronous"), "an-hour": ("1h", "asynchronous")}
CALLERS = {
    "people": Caller(scheme="oidc", role="user", limit="100/m per subject", access="owner"),
    "services": Caller(scheme="oauth2-jwt", role="service", limit="1000/m per subject", access="authenticated"),
    "partners": Caller(scheme="oauth2-jwt", role="partner", limit="300/m per subject", access="owner"),
    "anybody": Caller(scheme="oidc", role="editor", limit="60/m per address", access="role:editor", is_public=True),
}

"""What callers meet: endpoints with everything that they may answer, and the shapes of their bodies."""

from __future__ import annotations

from typing import Any

from nines.model.blueprint import Action, Grant, Idempotency, Limit, Page
from nines.model.blueprint.operation import Deprecation
from nines.model.contract import Schema
from nines.model.design.flow import Flow
from nines.model.place import Place
from nines.model.record import Record


class Shape(Record):
    """A named schema of the contract."""

    name: str
    """Pascal case: "Payment", "PaymentCreate", "PaymentPage", "Problem"."""
    schema: Schema
    """JSON Schema 2020-12; other shapes are referred to as "#/components/schemas/NAME"."""
    example: Any = None
    resource: str = ""


class PlannedParameter(Record):
    name: str
    location: str
    """path, query, header."""
    schema: Schema
    is_required: bool = False
    example: Any = None
    says: str = ""


class PlannedAnswer(Record):
    """One status that the endpoint may answer with."""

    status: int
    says: str
    shape: str = ""
    """"": no body."""
    media_type: str = "application/json"
    headers: tuple[str, ...] = ()
    example: Any = None
    problem: str = ""
    """For an error: the last part of its problem type, such as "idempotency-key-reused"."""


class PlannedEndpoint(Record):
    """One operation as callers see it, and how it is carried out."""

    id: str
    """The operationId; for a recovered design the endpoint's own id."""
    method: str
    path: str
    """With the version and braces: "/v1/payments/{payment_id}"."""
    action: Action = Action.CUSTOM
    summary: str = ""
    resource: str = ""
    module: str = ""
    parameters: tuple[PlannedParameter, ...] = ()
    request: str = ""
    """The shape of the body; "": none."""
    request_media_type: str = ""
    request_example: Any = None
    body_bytes_max: int = 0
    """A larger body is answered with 413; 0: there is no body, or it is not known."""
    answers: tuple[PlannedAnswer, ...] = ()
    """Sorted by status; successes first."""
    cache_control: str = ""
    """Of a success; empty: it says nothing about caching, because it has no body."""
    is_public: bool = False
    roles: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()
    """What the object itself must allow the caller."""
    idempotency: Idempotency | None = None
    needs_if_match: bool = False
    limit: Limit | None = None
    page: Page | None = None
    is_critical: bool = True
    is_asynchronous: bool = False
    steady_hz: float | None = None
    """None: not known (a recovered design)."""
    peak_hz: float | None = None
    latency_p95_s: float | None = None
    flow: Flow = Flow()
    isolation: str = ""
    """Of its transactions: "read committed", "repeatable read", "serializable"; empty: it has none."""
    isolation_reason: str = ""
    queries: tuple[str, ...] = ()
    """The ids of the queries that it sends, in order."""
    emits: tuple[str, ...] = ()
    deprecation: Deprecation | None = None
    guards_known: bool = True
    """False in a recovered design whose guards were not understood: then nothing is said about access."""
    place: Place | None = None

    @property
    def is_safe(self) -> bool:
        """Defined not to change anything (RFC 9110, 9.2.1)."""
        return self.method in ("GET", "HEAD", "OPTIONS")

    @property
    def success(self) -> PlannedAnswer | None:
        return next((answer for answer in self.answers if answer.status < 400), None)

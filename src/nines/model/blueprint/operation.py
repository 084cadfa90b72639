"""What callers may do, what happens outside a request, and what is told to others."""

from __future__ import annotations

from enum import StrEnum

from nines.model.blueprint.resource import Field, IndexPart
from nines.model.place import Place
from nines.model.record import Record


class Action(StrEnum):
    CREATE = "create"
    READ = "read"
    LIST = "list"
    UPDATE = "update"
    DELETE = "delete"
    TRANSITION = "transition"
    REGISTER = "register"
    SIGN_IN = "sign-in"
    REFRESH = "refresh"
    SIGN_OUT = "sign-out"
    SIGN_OUT_EVERYWHERE = "sign-out-everywhere"
    LIST_SESSIONS = "list-sessions"
    END_SESSION = "end-session"
    SEND_CODE = "send-code"
    VERIFY_CODE = "verify-code"
    REQUEST_RESET = "request-reset"
    REQUEST_SIGN_IN = "request-sign-in"
    SIGN_IN_BY_CODE = "sign-in-by-code"
    RESET_PASSWORD = "reset-password"  # noqa: S105 -- the name of an action
    CUSTOM = "custom"
    """The owner's function does it; `hook` names it."""


SIGNING = frozenset(
    {
        Action.REGISTER,
        Action.SIGN_IN,
        Action.REFRESH,
        Action.SEND_CODE,
        Action.VERIFY_CODE,
        Action.REQUEST_RESET,
        Action.RESET_PASSWORD,
        Action.REQUEST_SIGN_IN,
        Action.SIGN_IN_BY_CODE,
    }
)
"""Whoever uses these has no access token yet."""
OF_ACCOUNTS = SIGNING | {Action.SIGN_OUT, Action.SIGN_OUT_EVERYWHERE, Action.LIST_SESSIONS, Action.END_SESSION}
"""What only people who sign in here are offered."""


class Idempotency(Record):
    is_required: bool = False
    ttl_s: float = 86_400.0


class Page(Record):
    default: int = 50
    max: int = 200


class Deprecation(Record):
    """Since when an operation is discouraged, and until when it is there (RFC 9745, RFC 8594)."""

    since: str
    """A day: "2030-01-31"."""
    sunset: str = ""
    """The day from which it may be gone; empty: not decided."""
    successor: str = ""
    """The operation to use instead."""


class SagaStep(Record):
    """One local transaction of an operation that spans modules, and what undoes it."""

    do: str
    """An operation of this blueprint, or `dependency.verb`."""
    undo: str = ""
    module: str = ""
    place: Place | None = None


class Operation(Record):
    name: str
    """Camel case, unique: "createPayment"; the operationId."""
    on: str = ""
    """The resource."""
    do: Action = Action.CREATE
    to_state: str = ""
    roles: tuple[str, ...] = ()
    is_public: bool = False
    """Anybody may call it, signed in or not."""
    idempotency: Idempotency | None = None
    needs_if_match: bool = False
    calls: tuple[str, ...] = ()
    """`dependency.verb`, in order; carried out between a reserving and a settling transaction."""
    emits: tuple[str, ...] = ()
    posts: str = ""
    """The ledger that it posts to."""
    hook: str = ""
    filters: tuple[str, ...] = ()
    order: tuple[IndexPart, ...] = ()
    page: Page | None = None
    is_asynchronous: bool = False
    """Answers 202 with a status resource; the work is done by a job."""
    is_critical: bool = True
    share: float | None = None
    """Of the whole load, 0 to 1; None: what the others leave, in equal parts."""
    latency_p95_s: float | None = None
    """Its own promise, where it differs from the service's."""
    is_excluded: bool = False
    """Stands outside the latency budget, said to the callers."""
    saga: tuple[SagaStep, ...] = ()
    takes: tuple[Field, ...] = ()
    """What the body of a transition or of a custom operation carries; empty: such an operation has no body."""
    gives: tuple[Field, ...] = ()
    """What a custom operation answers with; empty: its resource, or nothing where it has none."""
    deprecation: Deprecation | None = None
    says: str = ""
    place: Place | None = None


class Limit(Record):
    """At most `count` calls in `period_s` for each `per`."""

    operation: str = ""
    """Empty: every operation that has none of its own."""
    count: int = 100
    period_s: float = 60.0
    per: str = "subject"
    """subject, address, account, tenant, all."""
    place: Place | None = None


class Event(Record):
    """Something that happened, told to others."""

    name: str
    """`resource.happened`: "payment.authorized"."""
    version: int = 1
    resource: str = ""
    fields: tuple[str, ...] = ()
    """Empty: the identifier, the state and the time."""
    place: Place | None = None


class Events(Record):
    transport: str = "outbox"
    """outbox, or direct (refused where a write must not be lost)."""
    broker: str = ""
    """The dependency that carries them; empty: delivered from the outbox to subscribers over HTTP."""
    types: tuple[Event, ...] = ()


class Job(Record):
    """Work that happens outside a request."""

    name: str
    on: str = ""
    from_state: str = ""
    """It takes the rows in this state."""
    to_state: str = ""
    failed_state: str = ""
    """Where a row goes when every attempt failed: its dead letter."""
    every_s: float | None = None
    """For scheduled work; None: as soon as there is some."""
    calls: tuple[str, ...] = ()
    emits: tuple[str, ...] = ()
    """Told with the move of a row to `to_state`, in its transaction."""
    attempts_max: int = 5
    concurrency: int = 8
    hook: str = ""
    says: str = ""
    place: Place | None = None


class Consumer(Record):
    """An event of others, or of the service itself, and what it causes here: once, however often it comes."""

    name: str
    """Camel case, unique: "payOrder"; its dead letters and its metrics are told by it."""
    event: str
    """The type of the CloudEvent: "payments.payment.captured.v1"; of an own one its name: "order.placed"."""
    source: str = ""
    """The dependency that carries it; empty: the service tells it itself, in its own outbox."""
    address: str = ""
    """The topic, stream or subject; empty: where a service that nines designed tells it."""
    data: tuple[Field, ...] = ()
    """What it carries that is looked at; of an own event empty: what that tells."""
    on: str = ""
    do: Action = Action.CUSTOM
    to_state: str = ""
    finds: tuple[tuple[str, str], ...] = ()
    """By which member the object is found, as (field, member); empty: by the one that refers to it."""
    sets: tuple[tuple[str, str], ...] = ()
    """What the object takes over, as (field, member); empty: a new or a changed one whatever is called the same."""
    emits: tuple[str, ...] = ()
    hook: str = ""
    attempts_max: int = 5
    peak_hz: float | None = None
    """How many come at the peak; None: not said."""
    says: str = ""
    place: Place | None = None


class Module(Record):
    """A part of the service with its own resources; a deployable of its own only when `is_separate`."""

    name: str
    resources: tuple[str, ...] = ()
    is_separate: bool = False
    reason: str = ""
    place: Place | None = None

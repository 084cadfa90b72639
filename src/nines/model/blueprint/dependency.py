"""What the service needs of others, and how it holds when they fail."""

from __future__ import annotations

from enum import StrEnum

from nines.model.place import Place
from nines.model.record import Record


class RetryPolicy(Record):
    max: int = 2
    """Repetitions after the first attempt."""
    only_idempotent: bool = True


class Breaker(Record):
    error_share: float = 0.5
    of: int = 20
    open_s: float = 15.0


class DependencyKind(StrEnum):
    POSTGRES = "postgres"
    REDIS = "redis"
    HTTP = "http"
    GRPC = "grpc"
    KAFKA = "kafka"
    NATS = "nats"
    RABBITMQ = "rabbitmq"
    SMTP = "smtp"
    OBJECTS = "s3"


class Fallback(StrEnum):
    NONE = "none"
    QUEUE = "queue"
    """Accept, and do it later."""
    CACHE = "cache"
    """Answer with the last known value."""
    DEFAULT = "default"
    """Answer without what it would have told."""


class Dependency(Record):
    name: str
    kind: DependencyKind
    is_hard: bool = True
    """Without it the operations that need it fail."""
    url: str = ""
    timeout_s: float | None = None
    latency_p95_s: float | None = None
    availability: float | None = None
    """What its provider promises; None: not said."""
    rate_max_hz: float | None = None
    retry: RetryPolicy | None = None
    breaker: Breaker | None = None
    bulkhead: int | None = None
    """Calls in flight at once, per process."""
    fallback: Fallback = Fallback.NONE
    pool: int | None = None
    """Connections per process."""
    connections_max: int | None = None
    """What the server allows in all."""
    replication: str = ""
    """none, synchronous, asynchronous; empty: not said."""
    is_external: bool = False
    """Run by somebody else, across a trust boundary."""
    place: Place | None = None

"""How much the service carries, what gives way first, and what to do then."""

from __future__ import annotations

from nines.model.record import Record


class ResourceUse(Record):
    """One thing that can be used up."""

    name: str
    """"database connections", "application processors"..."""
    unit: str
    capacity: float
    at_steady: float
    at_peak: float
    """In the same unit; utilisation is at_peak / capacity."""
    says: str = ""
    """How the numbers come about, as arithmetic that a reader can check."""
    remedy: str = ""


class ScalePoint(Record):
    """The service at a multiple of its expected peak."""

    factor: float
    rate_hz: float
    bottleneck: str
    """The name of the first ResourceUse that passes its safe utilisation; empty: none does."""
    utilisation: float
    """Of the bottleneck, or of the busiest resource; above 1: impossible as it stands."""
    latency_p95_s: float | None = None
    """Simulated; None where the load cannot be carried at all."""
    replicas: int = 0
    remedies: tuple[str, ...] = ()


class ServiceTime(Record):
    """How long one visit of an operation occupies a resource."""

    operation: str
    resource: str
    mean_s: float
    is_measured: bool = False
    source: str = ""


class PoolPlan(Record):
    """Connections: how many each process holds, how many the database allows."""

    per_process: int
    processes: int
    connections_max: int
    needed_at_peak: float
    says: str = ""


class CachePlan(Record):
    what: str
    ttl_s: float
    invalidated_by: str
    says: str = ""


class CapacityPlan(Record):
    resources: tuple[ResourceUse, ...] = ()
    times: tuple[ServiceTime, ...] = ()
    points: tuple[ScalePoint, ...] = ()
    """At 1, 10 and 100 times the peak, and on to what the internet could send."""
    pool: PoolPlan | None = None
    caches: tuple[CachePlan, ...] = ()
    replicas_min: int = 0
    replicas_max: int = 0
    scale_at: float = 0.0
    """Utilisation of the processors at which a replica is added."""
    assumptions: tuple[str, ...] = ()
    seed: int = 0

"""How much the service carries, what gives way first, and what to do then."""

from __future__ import annotations

import math

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
    kind: str = ""
    """processors, connections, database-processors, writes, network, calls, rate, workers, broker."""
    of: str = ""
    """The dependency, job or module that it belongs to."""
    safe: float = 0.7
    """The utilisation above which waiting grows faster than the load."""
    is_deferred: bool = False
    """Only work outside requests uses it: what comes above is done later, so that the steady load decides."""

    def utilisation(self, factor: float = 1.0) -> float:
        """At a multiple of the expected load; of the peak, or of the steady load where work can wait."""
        return factor * (self.at_steady if self.is_deferred else self.at_peak) / self.capacity

    @property
    def room(self) -> float:
        """The multiple of the expected load at which its safe use ends."""
        used = self.utilisation()
        return self.safe / used if used > 0 else math.inf


class Promised(Record):
    """What the operations that promise the same time were simulated to take."""

    promised_s: float
    p95_s: float
    operations: int
    samples: int


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
    """Processes that the load asks for, whatever the most of the deployment is."""
    remedies: tuple[str, ...] = ()
    """What has to be done to carry it, the cheapest first."""
    promises: tuple[Promised, ...] = ()
    """Simulated; `latency_p95_s` is that of the service's own promise."""
    failed_share: float | None = None
    """Simulated: requests that gave up waiting for a connection, a slot or an answer."""
    cells: int = 1
    """Copies of the whole, each with its own database, in which every resource stays at its safe utilisation."""
    cell_rate_hz: float = 0.0
    cell_latency_p95_s: float | None = None
    """Simulated, of one of several cells."""


class ServiceTime(Record):
    """How long one visit of an operation occupies a resource."""

    operation: str
    """Empty: one request of the mixture that was measured."""
    resource: str
    mean_s: float
    is_measured: bool = False
    source: str = ""
    samples: int = 0


class PoolPlan(Record):
    """Connections: how many each process holds, how many the database allows."""

    per_process: int
    processes: int
    connections_max: int
    needed_at_peak: float
    says: str = ""
    server: str = ""
    """The dependency."""
    held_at_most: int = 0
    """By all processes, a rolling deployment included."""
    is_pooler_needed: bool = False


class CachePlan(Record):
    what: str
    ttl_s: float
    invalidated_by: str
    says: str = ""
    layer: str = ""
    """edge, process, shared."""
    operations: tuple[str, ...] = ()
    hit_share: float | None = None
    """Expected."""


class Uncached(Record):
    """A read that was considered for a cache and is answered from the database."""

    operation: str
    says: str


class Need(Record):
    """What a given rate would take, where nobody said how much comes."""

    operation: str
    processors: float
    """Cores busy at 100/s."""
    connections: float
    """Database connections busy at 100/s."""
    writes: float
    """Commits or rows written a second at 100/s."""
    says: str = ""


class RuntimeUse(Record):
    """What the service would take if it ran by one of the stacks that were measured."""

    name: str
    core_hz: float
    """Requests a second that one core carried with one small write each."""
    cores_at_peak: float
    replicas_in_a_year: int


class Measure(Record):
    """How to find out what was only assumed."""

    what: str
    command: str
    says: str = ""


class ServerSetting(Record):
    """One setting of the database's server."""

    name: str
    """As PostgreSQL has it: "max_wal_size"."""
    value: str
    says: str = ""
    """The arithmetic."""


class CapacityPlan(Record):
    resources: tuple[ResourceUse, ...] = ()
    times: tuple[ServiceTime, ...] = ()
    points: tuple[ScalePoint, ...] = ()
    """At 1, 10 and 100 times the peak, and on to what the internet could send."""
    pool: PoolPlan | None = None
    server: tuple[ServerSetting, ...] = ()
    """Of the database, where PostgreSQL's own defaults do not suit the load."""
    caches: tuple[CachePlan, ...] = ()
    replicas_min: int = 0
    replicas_max: int = 0
    scale_at: float = 0.0
    """Utilisation of the processors at which a replica is added."""
    assumptions: tuple[str, ...] = ()
    seed: int = 0
    is_grouped: bool = False
    """Small alike writes share their commits."""
    grouped: tuple[str, ...] = ()
    """The operations and jobs that do."""
    replicas_steady: int = 0
    replicas_peak: int = 0
    scale_reason: str = ""
    uncached: tuple[Uncached, ...] = ()
    simulation: str = ""
    """How the latencies were obtained; empty: nothing was simulated."""
    needs: tuple[Need, ...] = ()
    """Instead of all of it, where the load is not known."""
    measures: tuple[Measure, ...] = ()
    runtime: str = ""
    """The stack that the figures of the process are reckoned with; empty: they were measured."""
    runtimes: tuple[RuntimeUse, ...] = ()
    """From the most convenient to the leanest."""

    @property
    def scarcest(self) -> ResourceUse | None:
        """What gives way first as the load grows."""
        return min(self.resources, key=lambda use: use.room, default=None)

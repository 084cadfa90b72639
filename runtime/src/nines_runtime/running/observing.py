"""What the parts of a service tell goes to the metrics, under the names that its dossier promises."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from nines_runtime.running.metrics import BUCKETS_S, Histogram, Metrics
from nines_runtime.web.exchange import UNMATCHED, Exchange, Observer
from nines_runtime.web.gate import SHED_REASONS, Gate

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "GRPC"})
OUTCOMES = ("ok", "refused", "failed", "timeout", "open")
_STATUSES = ("500", "503")


class RequestMetrics:
    """http_request_duration_seconds, http_requests_shed_total, idempotency_replays_total."""

    def __init__(
        self,
        metrics: Metrics,
        operations: Iterable[tuple[str, str]] = (),
        *,
        keyed: Iterable[str] = (),
        thresholds_s: Sequence[float] = (),
    ) -> None:
        """`operations` are ids with their methods, `keyed` those that take an Idempotency-Key."""
        self._seconds = metrics.histogram(
            "http_request_duration_seconds",
            "From the first byte of a request to the last of its answer.",
            ("operation", "method", "status"),
            start=[(id, method, status) for id, method in operations for status in _STATUSES],
            edges=(*BUCKETS_S, *thresholds_s),
        )
        self._shed = metrics.counter(
            "http_requests_shed_total",
            "Requests refused with 503 because too many were in flight.",
            ("reason",),
            start=[(reason,) for reason in SHED_REASONS],
        )
        self._replays = metrics.counter(
            "idempotency_replays_total",
            "Answers given again to a key that was known.",
            ("operation",),
            start=[(id,) for id in keyed],
        )
        self._metrics = metrics
        self._known: dict[tuple[str, str, int], Histogram] = {}

    def watch(self, gate: Gate) -> None:
        gauge = self._metrics.gauge("http_requests_in_flight", "Requests being worked on.")
        gauge.of().read = lambda: float(gate.in_flight)

    def ended(self, exchange: Exchange) -> None:
        if exchange.status == 0:
            return
        key = (exchange.operation, exchange.method, exchange.status)
        child = self._known.get(key)
        if child is None:
            method = exchange.method if exchange.method in _METHODS else "OTHER"
            child = self._seconds.of(exchange.operation or UNMATCHED, method, str(exchange.status))
            if method != "OTHER":
                self._known[key] = child
        child.observe(exchange.duration_s, exchange.trace_parent[3:35] if exchange.trace_parent.endswith("1") else "")
        if exchange.is_replayed:
            self._replays.of(exchange.operation).add()

    def shed(self, reason: str) -> None:
        self._shed.of(reason).add()


class CallMetrics:
    """A CallObserver: dependency_call_duration_seconds and its like."""

    def __init__(
        self,
        metrics: Metrics,
        calls: Iterable[tuple[str, str]] = (),
        *,
        breakers: Iterable[str] | None = None,
        thresholds_s: Sequence[float] = (),
    ) -> None:
        """`calls` are dependencies with the verbs that they are asked; `breakers` the dependencies that have one,
        None: all of them."""
        pairs = tuple(calls)
        dependencies = [(name,) for name in dict.fromkeys(name for name, _ in pairs)]
        with_breaker = dependencies if breakers is None else [(name,) for name in breakers]
        self._seconds = metrics.histogram(
            "dependency_call_duration_seconds",
            "One attempt.",
            ("dependency", "verb", "outcome"),
            start=[(*pair, outcome) for pair in pairs for outcome in OUTCOMES],
            edges=(*BUCKETS_S, *thresholds_s),
        )
        self._in_flight = metrics.gauge(
            "dependency_calls_in_flight", "Calls being waited for.", ("dependency",), start=dependencies
        )
        self._retries = metrics.counter(
            "dependency_retries_total", "Repetitions after a first attempt.", ("dependency",), start=dependencies
        )
        self._open = metrics.gauge(
            "dependency_breaker_open",
            "1 while calls are refused without being made.",
            ("dependency",),
            start=with_breaker,
            is_highest=True,
        )

    def began(self, dependency: str) -> None:
        self._in_flight.of(dependency).add(1)

    def ended(self, dependency: str, verb: str, outcome: str, duration_s: float) -> None:
        self._in_flight.of(dependency).add(-1)
        self._seconds.of(dependency, verb, outcome).observe(duration_s)

    def refused(self, dependency: str, verb: str) -> None:
        self._seconds.of(dependency, verb, "open").observe(0.0)

    def retried(self, dependency: str) -> None:
        self._retries.of(dependency).add()

    def breaker(self, dependency: str, *, is_open: bool) -> None:
        self._open.of(dependency).set(1.0 if is_open else 0.0)


class JobMetrics:
    """What `Jobs` tells (its TaskMetrics): task_delay_seconds and its like, of work outside a request."""

    def __init__(self, metrics: Metrics, *, queues: Iterable[str] = (), thresholds_s: Sequence[float] = ()) -> None:
        """`queues` are the tasks that take what is due."""
        names = tuple(queues)
        self._delay = metrics.histogram(
            "task_delay_seconds",
            "From when a piece of work was due to its end.",
            ("task", "outcome"),
            start=[(name, outcome) for name in names for outcome in ("done", "dead")],
            edges=(*BUCKETS_S, *thresholds_s),
        )
        self._oldest = metrics.gauge(
            "task_oldest_seconds",
            "How long the oldest piece has been due; 0 where none is.",
            ("task",),
            start=[(name,) for name in names],
            is_highest=True,
        )
        self._dead = metrics.counter(
            "task_dead_total", "Pieces given up.", ("task",), start=[(name,) for name in names]
        )
        self._success = metrics.gauge(
            "task_last_success_timestamp_seconds", "When it last ended well, in Unix time.", ("task",), is_highest=True
        )
        self._interval = metrics.gauge("task_interval_seconds", "How often it is due.", ("task",), is_highest=True)

    def delay(self, task: str, outcome: str, seconds: float) -> None:
        self._delay.of(task, outcome).observe(max(0.0, seconds))

    def oldest(self, task: str, seconds: float) -> None:
        self._oldest.of(task).set(max(0.0, seconds))

    def dead(self, task: str, count: int) -> None:
        self._dead.of(task).add(count)

    def success(self, task: str, at_s: float) -> None:
        self._success.of(task).set(at_s)

    def interval(self, task: str, seconds: float) -> None:
        self._interval.of(task).set(seconds)


class PoolMetrics:
    """database_pool_connections_in_use and its like."""

    def __init__(self, metrics: Metrics, dependency: str, *, thresholds_s: Sequence[float] = ()) -> None:
        self._in_use = metrics.gauge(
            "database_pool_connections_in_use",
            "Connections that a transaction or a statement holds.",
            ("dependency",),
            start=[(dependency,)],
        ).of(dependency)
        self._most = metrics.gauge(
            "database_pool_connections_max",
            "Connections that the process may hold.",
            ("dependency",),
            start=[(dependency,)],
        ).of(dependency)
        self.waited: Callable[[float], None] = metrics.histogram(
            "database_pool_wait_seconds",
            "The wait for a free connection.",
            ("dependency",),
            start=[(dependency,)],
            edges=(0.0005, 0.001, *BUCKETS_S, *thresholds_s),
        ).of(dependency).observe  # fmt: skip
        """What `Database(on_wait=...)` takes."""

    def watch(self, in_use: Callable[[], int], most: int) -> None:
        self._in_use.read = lambda: float(in_use())
        self._most.set(float(most))


def credentials(metrics: Metrics, ends: Iterable[tuple[str, float]]) -> None:
    """credential_expiry_timestamp_seconds: when a certificate or key ends, in Unix time, by its name."""
    family = metrics.gauge(
        "credential_expiry_timestamp_seconds", "When a certificate or key ends.", ("name",), is_highest=True
    )
    for name, at_s in ends:
        family.of(name).set(at_s)


class Observers:
    """Several as one."""

    def __init__(self, *observers: Observer) -> None:
        self._ended = tuple(each.ended for each in observers)
        self._shed = tuple(each.shed for each in observers)

    def ended(self, exchange: Exchange) -> None:
        for tell in self._ended:
            tell(exchange)

    def shed(self, reason: str) -> None:
        for tell in self._shed:
            tell(reason)

"""What the service gives out: names after Prometheus's conventions, units in them, labels with few values."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.design import Deployable, Design
from nines.planning.running import names, processes, stores
from nines.planning.running.objectives import is_queue

_OWN = (
    (
        names.REQUEST_SECONDS,
        "Histogram by operation, method and status: from the first byte of a request to the last of its answer.",
    ),
    (names.REQUESTS_IN_FLIGHT, "Gauge: requests being worked on."),
    (names.REQUESTS_SHED, "Counter by reason: requests refused with 503 because too many were in flight."),
)
_POOL = (
    (names.POOL_IN_USE, "Gauge by dependency: connections that a transaction or a statement holds."),
    (names.POOL_MAX, "Gauge by dependency: connections that the process may hold."),
    (names.POOL_WAIT_SECONDS, "Histogram by dependency: the wait for a free connection."),
)
_CALLS = (
    (
        names.CALL_SECONDS,
        "Histogram by dependency, verb and outcome (ok, refused, failed, timeout, open): one attempt.",
    ),
    (names.CALLS_IN_FLIGHT, "Gauge by dependency: calls being waited for."),
    (names.RETRIES, "Counter by dependency: repetitions after a first attempt."),
)
_BREAKER = ((names.BREAKER_OPEN, "Gauge by dependency: 1 while calls are refused without being made."),)
_QUEUE = (
    (
        names.TASK_DELAY_SECONDS,
        "Histogram by task and outcome (done, dead): from when a piece of work was due to its end.",
    ),
    (names.TASK_OLDEST_SECONDS, "Gauge by task: how long the oldest piece has been due; 0 where none is."),
    (names.TASK_DEAD, "Counter by task, from 0 at the start: pieces given up."),
)
_TIMED = (
    (names.TASK_SUCCESS_SECONDS, "Gauge by task: when it last ended well, in Unix time."),
    (names.TASK_INTERVAL_SECONDS, "Gauge by task: how often it is due."),
)
_PROCESS = (
    (names.CREDENTIAL_EXPIRY_SECONDS, "Gauge by name: when a certificate or key ends, in Unix time."),
    (names.PROCESSOR_SECONDS, "Counter: processor time, given by every client library."),
    (names.MEMORY_BYTES, "Gauge: memory in use, given by every client library."),
)


def metrics(design: Design) -> tuple[tuple[str, str], ...]:
    return tuple(_own(design))


def _own(design: Design) -> Iterator[tuple[str, str]]:
    if design.endpoints:
        yield from _OWN
    if any(endpoint.idempotency for endpoint in design.endpoints):
        yield names.REPLAYS, "Counter by operation: answers given again to a key that was known."
    if stores.databases(design):
        yield from _POOL
    if any(step.target for endpoint in design.endpoints for step in endpoint.flow.calls) or any(
        job.flow.calls for job in design.jobs
    ):
        yield from _CALLS
    if any(dependency.breaker for dependency in design.dependencies):
        yield from _BREAKER
    if design.jobs and not design.is_recovered:
        if any(is_queue(job) or job.dead_letter for job in design.jobs):
            yield from _QUEUE
        if any(job.every_s for job in design.jobs):
            yield from _TIMED
    yield from _PROCESS


def borrowed(design: Design, deployables: tuple[Deployable, ...]) -> tuple[tuple[str, str, str], ...]:
    return tuple(_borrowed(design, deployables))


def _borrowed(design: Design, deployables: tuple[Deployable, ...]) -> Iterator[tuple[str, str, str]]:
    yield "up", "1 for each process that answered the last scrape", "Prometheus"
    if any(each.is_scaled for each in deployables):
        yield processes.KUBE_CURRENT, "replicas that there are", "kube-state-metrics"
        yield processes.KUBE_MAX, "replicas that the autoscaler may make", "kube-state-metrics"
    if design.is_recovered:
        return
    for dependency in stores.databases(design):
        job = stores.server(design, dependency)
        exporter = f"postgres_exporter, scraped as {job}"
        if dependency.replication in ("synchronous", "asynchronous"):
            yield stores.IS_REPLICA, "1 for a copy, 0 for the primary", exporter
            yield stores.LAG, "how far a copy is behind", exporter
        yield stores.ARCHIVE_AGE, "how long ago a piece of the log was copied away", exporter
        platform = design.deploy.platform
        giver = "the kubelet" if platform in stores.DISK_FREE else "node_exporter"
        yield stores.DISK_FREE.get(platform, stores.NODE_FREE), f"free space of the volume of {job}", giver
        yield stores.DISK_SIZE.get(platform, stores.NODE_SIZE), f"size of the volume of {job}", giver

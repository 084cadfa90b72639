"""Metrics: what Prometheus reads, from 0, with edges at the thresholds, and never without bound."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open
from prometheus_client.parser import text_string_to_metric_families as read_plain

from nines_runtime.calls.observer import CallObserver
from nines_runtime.data.tasks import TaskMetrics
from nines_runtime.running.metrics import CHILDREN_MAX, OTHER, Histogram, Metrics
from nines_runtime.running.observing import CallMetrics, JobMetrics, PoolMetrics, RequestMetrics, credentials
from nines_runtime.web.exchange import Exchange
from nines_runtime.web.gate import Gate


def samples(metrics: Metrics, *, is_open: bool = False) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    read = read_open if is_open else read_plain
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in read(metrics.text(is_open=is_open).decode())
        for sample in family.samples
    }


def ended(operation: str, status: int, duration_s: float, **changes: object) -> Exchange:
    made = Exchange(operation, "GET", "/", {}, {}, 0.0, 0.0)
    made.status, made.duration_s = status, duration_s
    for name, value in changes.items():
        setattr(made, name, value)
    return made


@given(st.lists(st.floats(0, 20), max_size=50))
def test_a_histogram_counts_every_value_once(values: list[float]) -> None:
    metrics = Metrics(is_process_told=False)
    child: Histogram = metrics.histogram("took_seconds", "Took.", edges=(0.2, 1.5, 10)).of()
    for value in values:
        child.observe(value)
    found = samples(metrics)
    for edge in (0.2, 1.5, 10.0):
        le = "10" if edge == 10 else str(edge)
        assert found["took_seconds_bucket", (("le", le),)] == sum(value <= edge for value in values)
    assert found["took_seconds_count", ()] == found["took_seconds_bucket", (("le", "+Inf"),)] == len(values)
    assert found["took_seconds_sum", ()] == pytest.approx(sum(values))


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_label_can_be_read_back(value: str, says: str) -> None:
    value = value.replace("\r", "")
    metrics = Metrics(is_process_told=False)
    metrics.counter("events_total", says.replace("\r", ""), ("kind",)).of(value).add(3)
    assert list(samples(metrics).values()) == [3]


def test_labels_do_not_fill_the_memory() -> None:
    metrics = Metrics(is_process_told=False)
    family = metrics.counter("events_total", "Events.", ("kind",))
    for at in range(CHILDREN_MAX + 500):
        family.of(str(at)).add()
    assert len(family.children) == CHILDREN_MAX + 1
    assert family.of(OTHER).value == 500
    with pytest.raises(ValueError, match="labels kind"):
        family.of("a", "b")


def test_a_name_means_one_thing() -> None:
    metrics = Metrics()
    one = metrics.counter("events_total", "Events.", ("kind",))
    assert metrics.counter("events_total", "Events.", ("kind",)) is one
    with pytest.raises(ValueError, match="there already"):
        metrics.gauge("events_total", "Events.", ("kind",))


def test_a_service_gives_out_what_its_dossier_promises() -> None:
    metrics = Metrics()
    requests = RequestMetrics(metrics, [("getThing", "GET")], keyed=["createThing"], thresholds_s=(0.2, 1.5))
    requests.watch(Gate())
    calls: CallObserver = CallMetrics(metrics, [("gateway", "capture")])
    jobs: TaskMetrics = JobMetrics(metrics, queues=["relayOutbox"], thresholds_s=(300,))
    pool = PoolMetrics(metrics, "db")
    pool.watch(lambda: 3, 12)
    credentials(metrics, [("TLS_KEY", 2e9)])
    before = samples(metrics)
    assert (
        before["http_request_duration_seconds_count", (("method", "GET"), ("operation", "getThing"), ("status", "500"))]
        == 0
    )
    assert before["task_dead_total", (("task", "relayOutbox"),)] == 0
    assert before["idempotency_replays_total", (("operation", "createThing"),)] == 0
    assert before["dependency_breaker_open", (("dependency", "gateway"),)] == 0

    requests.ended(ended("getThing", 200, 0.2))
    requests.ended(ended("createThing", 201, 0.01, is_replayed=True))
    requests.ended(ended("getThing", 0, 0.01))
    requests.shed("full")
    calls.began("gateway")
    calls.ended("gateway", "capture", "timeout", 2.0)
    calls.refused("gateway", "capture")
    calls.retried("gateway")
    calls.breaker("gateway", is_open=True)
    jobs.delay("relayOutbox", "dead", 301)
    jobs.dead("relayOutbox", 2)
    jobs.oldest("relayOutbox", 4)
    jobs.interval("reconcile", 60)
    jobs.success("reconcile", 1e9)
    pool.waited(0.001)
    found = samples(metrics)
    own = (("method", "GET"), ("operation", "getThing"), ("status", "200"))
    assert found["http_request_duration_seconds_bucket", (("le", "0.2"), *own)] == 1
    assert found["http_requests_in_flight", ()] == 0
    assert found["http_requests_shed_total", (("reason", "full"),)] == 1
    assert found["idempotency_replays_total", (("operation", "createThing"),)] == 1
    assert found["database_pool_connections_in_use", (("dependency", "db"),)] == 3
    assert found["database_pool_connections_max", (("dependency", "db"),)] == 12
    assert found["database_pool_wait_seconds_count", (("dependency", "db"),)] == 1
    asked = (("dependency", "gateway"), ("outcome", "timeout"), ("verb", "capture"))
    assert found["dependency_call_duration_seconds_count", asked] == 1
    assert found["dependency_calls_in_flight", (("dependency", "gateway"),)] == 0
    assert found["dependency_retries_total", (("dependency", "gateway"),)] == 1
    assert found["dependency_breaker_open", (("dependency", "gateway"),)] == 1
    assert found["task_delay_seconds_count", (("outcome", "dead"), ("task", "relayOutbox"))] == 1
    assert found["task_oldest_seconds", (("task", "relayOutbox"),)] == 4
    assert found["task_dead_total", (("task", "relayOutbox"),)] == 2
    assert found["task_interval_seconds", (("task", "reconcile"),)] == 60
    assert found["task_last_success_timestamp_seconds", (("task", "reconcile"),)] == 1e9
    assert found["credential_expiry_timestamp_seconds", (("name", "TLS_KEY"),)] == 2e9
    assert found["process_cpu_seconds_total", ()] > 0
    assert found["process_resident_memory_bytes", ()] > 1e6


def test_a_method_that_somebody_made_up_is_one_label() -> None:
    metrics = Metrics(is_process_told=False)
    requests = RequestMetrics(metrics)
    for at in range(50):
        made = ended("unmatched", 405, 0.1)
        made.method = f"X{at}"
        requests.ended(made)
    assert b"X1" not in metrics.text()


def test_a_slow_request_leads_to_its_trace() -> None:
    metrics = Metrics()
    trace = "0af7651916cd43dd8448eb211c80319c"
    requests = RequestMetrics(metrics, keyed=["getThing"])
    requests.ended(ended("getThing", 200, 0.3, trace_parent=f"00-{trace}-b7ad6b7169203331-01"))
    requests.ended(ended("getThing", 200, 7.0, trace_parent=f"00-{'1' * 32}-b7ad6b7169203331-00"))
    text = metrics.text(is_open=True).decode()
    families = {family.name: family for family in read_open(text)}  # type: ignore[no-untyped-call]
    exemplars = [each.exemplar for each in families["http_request_duration_seconds"].samples if each.exemplar]
    assert [each.labels for each in exemplars] == [{"trace_id": trace}]
    assert "# {" not in metrics.text().decode()

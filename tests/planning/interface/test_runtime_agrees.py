"""What the contract says of failures, quotas and metrics is what nines-runtime does; it knows nothing of nines."""

from __future__ import annotations

import pytest

from nines.dossier.chapters.contract.headers import described
from nines.planning.interface import problems
from nines.planning.running import names
from nines_runtime import KINDS, CallMetrics, Gate, JobMetrics, Limit, LocalLimiter, Metrics, PoolMetrics, Problem
from nines_runtime.running.observing import RequestMetrics, credentials
from nines_runtime.web.limits import policy_header, quota_header, quota_template
from nines_runtime.web.problem import MEDIA_TYPE, TYPE_ROOT

OF_THE_SERVER = {"method-not-allowed", "request-timeout", "malformed-head", "head-too-large"}
"""They belong to no operation, so no contract lists them."""


@pytest.mark.parametrize("code", problems.BY_CODE)
def test_a_problem_is_the_same_in_the_contract_and_at_run_time(code: str) -> None:
    promised, kept = problems.BY_CODE[code], KINDS[code]
    assert (kept.status, kept.title, kept.detail) == (promised.status, promised.title, promised.detail)
    answer = Problem(code).answer(instance="/", request_id="r")
    given = {name.decode() for name, _ in answer.headers}
    # Those of a quota are added where the quota is known.
    wanted = {name.lower() for name in promised.headers} - {"ratelimit", "ratelimit-policy"}
    assert wanted <= given
    assert ("retry-after" in given) == ("retry-after" in wanted)


def test_nothing_else_is_answered() -> None:
    assert set(KINDS) - set(problems.BY_CODE) == OF_THE_SERVER
    assert (TYPE_ROOT, MEDIA_TYPE) == (problems.TYPE_ROOT, problems.MEDIA_TYPE)


def test_quotas_are_told_as_the_contract_shows() -> None:
    limit = Limit(100, window_s=60, name="default")
    assert policy_header("default", limit)[1].decode() == described("RateLimit-Policy")["example"]
    told = quota_header(quota_template("default"), LocalLimiter(clock=lambda: 0.0).take_now("a", limit))[1].decode()
    assert told.partition(";t=")[0] == described("RateLimit")["example"].partition(";t=")[0]


def test_every_metric_that_alerts_count_on_is_given_out() -> None:
    metrics = Metrics()
    RequestMetrics(metrics).watch(Gate())
    CallMetrics(metrics)
    JobMetrics(metrics)
    PoolMetrics(metrics, "db")
    credentials(metrics, ())
    given = {line.split()[2] for line in metrics.text().decode().splitlines() if line.startswith("# TYPE ")}
    promised = {
        names.REQUEST_SECONDS, names.REQUESTS_IN_FLIGHT, names.REQUESTS_SHED, names.REPLAYS, names.POOL_IN_USE,
        names.POOL_MAX, names.POOL_WAIT_SECONDS, names.CALL_SECONDS, names.CALLS_IN_FLIGHT, names.RETRIES,
        names.BREAKER_OPEN, names.TASK_DELAY_SECONDS, names.TASK_OLDEST_SECONDS, names.TASK_DEAD,
        names.TASK_SUCCESS_SECONDS, names.TASK_INTERVAL_SECONDS, names.CREDENTIAL_EXPIRY_SECONDS,
        names.PROCESSOR_SECONDS, names.MEMORY_BYTES,
    }  # fmt: skip
    assert given == promised

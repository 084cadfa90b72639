from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nines.lab.load.ending import Ending
from nines.lab.load.lag import LAG_MS_P99_MAX, STALL_S, STALL_S_MAX, LagWatch
from nines.lab.load.tally import Tally
from tests.lab.load.servers import request

REQUEST = request()


@given(lates_s=st.lists(st.floats(0, 0.9), min_size=1, max_size=300))
def test_the_99th_percentile_of_lateness_is_exact_to_a_step(lates_s: list[float]) -> None:
    watch = LagWatch()
    for late_s in lates_s:
        watch.left(late_s)
    true_ms = 1000 * sorted(lates_s)[math.ceil(len(lates_s) * 0.99) - 1]
    assert true_ms - 1e-6 <= watch.p99_ms <= true_ms + 0.1 + 1e-6


def test_a_punctual_load_is_sound() -> None:
    watch = LagWatch()
    for _ in range(100):
        watch.left(0.001)
        watch.woke(0.002)
    assert watch.reason(10.0) == ""


def test_one_late_request_in_a_hundred_is_allowed_and_two_are_not() -> None:
    watch = LagWatch()
    for late_s in [0.001] * 198 + [2 * LAG_MS_P99_MAX / 1000] * 2:
        watch.left(late_s)
    assert watch.reason(10.0) == ""
    watch.left(2 * LAG_MS_P99_MAX / 1000)
    assert "late" in watch.reason(10.0)


@pytest.mark.parametrize(
    ("stalls_s", "is_void"), [([STALL_S_MAX * 1.1], True), ([0.2] * 4, True), ([STALL_S * 0.9] * 50, False)]
)
def test_stalls_void_a_load(stalls_s: list[float], is_void: bool) -> None:
    watch = LagWatch()
    for stall_s in stalls_s:
        watch.woke(stall_s)
    assert bool(watch.reason(10.0)) is is_void


@settings(max_examples=50, deadline=None)
@given(latencies_ms=st.lists(st.floats(0.01, 100_000), min_size=1, max_size=300))
def test_percentiles_are_true_to_a_thousandth(latencies_ms: list[float]) -> None:
    tally = Tally(0.0)
    for latency_ms in latencies_ms:
        tally.add(Ending(REQUEST, 200, "", True, 0.0, 0.0, latency_ms / 1000))
    assert tally.total == len(latencies_ms)
    true_ms = sorted(latencies_ms)[math.ceil(len(latencies_ms) * 0.95) - 1]
    assert math.isclose(tally.percentile_ms(95), true_ms, rel_tol=0.002, abs_tol=0.002)

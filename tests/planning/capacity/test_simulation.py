"""The simulation gives what queueing theory says, where theory has a formula."""

from __future__ import annotations

import math
import random
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nines.planning.capacity import figures
from nines.planning.capacity.simulation import (
    Hold,
    Kind,
    Outcome,
    Spread,
    Station,
    Use,
    Wait,
    sample,
    simulate,
)

REQUESTS = 8_000
RUNS = 4
T_95 = 3.182
"""Student's, for three degrees of freedom, both sides."""


def outcomes(servers: int, load: float, spread: Spread) -> list[Outcome]:
    """Several runs of one station with a mean service time of a second."""
    return [
        simulate(
            [Station(name="desk", servers=servers)],
            [Kind(name="visit", rate_hz=load * servers, steps=(Use(station="desk", mean_s=1.0, spread=spread),))],
            requests=REQUESTS,
            chance=random.Random(seed).random,
            events_max=10 * REQUESTS,
        )
        for seed in range(RUNS)
    ]


def erlang_c(servers: int, load: float) -> float:
    """The share of those who have to wait at an M/M/c station."""
    offered = servers * load
    all_busy = offered**servers / math.factorial(servers) / (1 - load)
    return all_busy / (sum(offered**k / math.factorial(k) for k in range(servers)) + all_busy)


def assert_near(found: list[float], expected: float) -> None:
    """Within the runs' own interval, doubled so that a right simulation fails once in thousands of times."""
    error = statistics.stdev(found) / math.sqrt(len(found))
    assert abs(statistics.fmean(found) - expected) <= 2 * T_95 * error + 0.02 * expected, (found, expected)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.5), (1, 0.7), (4, 0.8), (16, 0.85)])
def test_mean_wait_of_m_m_c(servers: int, load: float) -> None:
    expected = erlang_c(servers, load) / (servers * (1 - load))
    assert_near([run.waits[0].mean_s for run in outcomes(servers, load, Spread.EXPONENTIAL)], expected)


@pytest.mark.parametrize("load", [0.5, 0.8])
def test_mean_wait_of_m_d_1(load: float) -> None:
    """Half of that of M/M/1 (Pollaczek and Khinchine)."""
    expected = load / (2 * (1 - load))
    assert_near([run.waits[0].mean_s for run in outcomes(1, load, Spread.CONSTANT)], expected)


def test_p95_of_m_m_1() -> None:
    """The time in an M/M/1 system is exponential with the rate mu - lambda."""
    runs = outcomes(1, 0.6, Spread.EXPONENTIAL)
    found = [statistics.quantiles(run.of("visit"), n=20)[-1] for run in runs]
    assert_near(found, math.log(20) / 0.4)


@settings(max_examples=12, deadline=None)
@given(
    servers=st.integers(1, 8),
    load=st.floats(0.1, 0.9),
    delay_s=st.floats(0, 3),
    seed=st.integers(0, 10_000),
)
def test_littles_law(servers: int, load: float, delay_s: float, seed: int) -> None:
    """L = lambda W, whatever the system: the one is counted over time, the other over requests."""
    steps = (Hold(station="desk", steps=(Use(station="clerk", mean_s=0.2), Wait(mean_s=0.8))), Wait(mean_s=delay_s))
    run = simulate(
        [Station(name="desk", servers=servers), Station(name="clerk", servers=servers)],
        [Kind(name="visit", rate_hz=load * servers, steps=steps)],
        requests=3_000,
        chance=random.Random(seed).random,
    )
    assert run.mean_present == pytest.approx(run.arrived_hz * statistics.fmean(run.of("visit")), rel=0.12, abs=0.02)


def test_utilisation_is_the_offered_load() -> None:
    assert_near([run.waits[0].busy for run in outcomes(4, 0.7, Spread.EXPONENTIAL)], 0.7)


def test_lognormal_has_the_p95_that_its_mean_is_half_of() -> None:
    chance = random.Random(1).random
    found = sorted(sample(figures.P95_TO_MEAN, Spread.LOGNORMAL, chance) for _ in range(40_000))
    assert statistics.fmean(found) == pytest.approx(0.5, rel=0.02)
    assert found[int(0.95 * len(found))] == pytest.approx(1.0, rel=0.03)


def test_same_chance_same_outcome() -> None:
    steps = (Use(station="desk", mean_s=0.4, spread=Spread.LOGNORMAL),)
    assert one_station(steps, rate_hz=2.0) == one_station(steps, rate_hz=2.0)


def one_station(steps: tuple[Use | Wait | Hold, ...], rate_hz: float, servers: int = 1) -> Outcome:
    return simulate(
        [Station(name="desk", servers=servers)],
        [Kind(name="visit", rate_hz=rate_hz, steps=steps)],
        requests=2_000,
        chance=random.Random(5).random,
    )


def test_impatient_requests_give_up_and_the_others_wait_no_longer() -> None:
    run = one_station((Hold(station="desk", steps=(Wait(mean_s=1.0),), patience_s=2.0),), rate_hz=3.0)
    answered, failed = len(run.of("visit")), dict(run.failed)["visit"]
    assert 0.55 < failed / (answered + failed) < 0.75  # Two of three find no place at three times the load.
    assert max(run.of("visit")) <= 3.0 + 1e-9


def test_an_attempt_beyond_its_limit_is_given_up_and_repeated() -> None:
    never = one_station((Wait(mean_s=2.0, limit_s=1.0, attempts_max=3),), rate_hz=1.0)
    assert never.of("visit") == ()
    sometimes = one_station((Wait(mean_s=1.0, spread=Spread.EXPONENTIAL, limit_s=1.0, attempts_max=2),), rate_hz=1.0)
    failed = dict(sometimes.failed)["visit"] / 1_600
    assert failed == pytest.approx(math.exp(-1) ** 2, abs=0.04)


def test_a_run_without_end_is_ended() -> None:
    run = simulate(
        [Station(name="desk", servers=1)],
        [Kind(name="visit", rate_hz=100.0, steps=(Use(station="desk", mean_s=1.0),))],
        requests=50_000,
        chance=random.Random(2).random,
        events_max=5_000,
    )
    assert not run.is_whole


def test_nothing_comes_nothing_happens() -> None:
    run = simulate([Station(name="desk", servers=1)], [], requests=100, chance=random.Random(1).random)
    assert run.latencies_s == ()
    assert run.mean_present == 0

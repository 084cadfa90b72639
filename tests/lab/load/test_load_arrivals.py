from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines.lab.load import arrivals
from nines.lab.load.plan import Plan
from nines.model.errors import LabError

RATES = st.floats(0.1, 2000) | st.integers(1, 2000)
DURATIONS = st.floats(0.01, 3) | st.integers(1, 3)


@given(rate_hz=RATES, duration_s=DURATIONS)
def test_a_constant_rate_is_even_and_complete(rate_hz: float, duration_s: float) -> None:
    times = list(arrivals.constant(rate_hz, duration_s))
    assert abs(len(times) - math.ceil(rate_hz * duration_s)) <= 1
    assert times[0] == 0.0
    assert times[-1] < duration_s
    assert all(math.isclose(late - early, 1 / rate_hz, abs_tol=1e-9) for early, late in itertools.pairwise(times))


@given(rate_hz=RATES, duration_s=DURATIONS, seed=st.integers(0, 2**32))
def test_poisson_arrivals_ascend_end_and_repeat(rate_hz: float, duration_s: float, seed: int) -> None:
    times = list(arrivals.poisson(rate_hz, duration_s, seed))
    assert times == sorted(times)
    assert all(0.0 <= time < duration_s for time in times)
    assert times == list(arrivals.poisson(rate_hz, duration_s, seed))


def test_poisson_arrivals_have_the_rate_and_the_spread_of_independent_users() -> None:
    times = list(arrivals.poisson(1000.0, 50.0, 7))
    gaps = [late - early for early, late in itertools.pairwise(times)]
    mean = sum(gaps) / len(gaps)
    deviation = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps))
    assert abs(mean - 0.001) < 0.00003
    assert abs(deviation / mean - 1.0) < 0.03


@pytest.mark.parametrize(
    ("rate_hz", "duration_s"),
    [(0.0, 1.0), (-1.0, 1.0), (1e9, 1.0), (1.0, 0.0), (1.0, 1e9), (20_000.0, 3600.0), (math.nan, 1.0)],
)
def test_a_load_out_of_bounds_is_refused(rate_hz: float, duration_s: float) -> None:
    with pytest.raises(LabError):
        Plan(rate_hz=rate_hz, duration_s=duration_s).check()


@pytest.mark.parametrize("changes", [{"timeout_s": 0.0}, {"connections_max": 0}, {"outstanding_max": 0}])
def test_a_plan_without_room_is_refused(changes: dict[str, float]) -> None:
    with pytest.raises(LabError):
        Plan(rate_hz=1.0, duration_s=1.0, **changes).check()  # type: ignore[arg-type]

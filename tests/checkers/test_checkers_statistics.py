"""The statistics against scipy, and against the figures that the design promises."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nines.checkers.availability import FaultRate, forecast, poisson_quantile
from nines.checkers.binomial import incomplete_beta, lower_bound, samples_needed, tail_at_most, upper_bound
from nines.checkers.quantiles import lower_rank, quantile, upper_rank
from nines.checkers.slopes import theil_sen
from nines.checkers.windows import windows, worst


@st.composite
def failures_of_samples(draw: st.DrawFn) -> tuple[int, int]:
    samples = draw(st.integers(1, 20_000))
    return draw(st.integers(0, samples)), samples


@given(failures_of_samples(), st.floats(0.5, 0.999))
def test_bounds_agree_with_scipy(pair: tuple[int, int], confidence: float) -> None:
    failures, samples = pair
    expected_upper = 1.0 if failures == samples else stats.beta.ppf(confidence, failures + 1, samples - failures)
    expected_lower = 0.0 if failures == 0 else stats.beta.ppf(1 - confidence, failures, samples - failures + 1)
    assert upper_bound(failures, samples, confidence) == pytest.approx(expected_upper, rel=1e-6, abs=1e-9)
    assert lower_bound(failures, samples, confidence) == pytest.approx(expected_lower, rel=1e-6, abs=1e-9)


@given(st.floats(0.5, 5_000), st.floats(0.5, 5_000), st.floats(0.0, 1.0))
def test_incomplete_beta_agrees_with_scipy(a: float, b: float, x: float) -> None:
    assert incomplete_beta(a, b, x) == pytest.approx(stats.beta.cdf(x, a, b), rel=1e-7, abs=1e-10)


@given(failures_of_samples())
def test_the_interval_holds_what_was_seen(pair: tuple[int, int]) -> None:
    failures, samples = pair
    assert lower_bound(failures, samples) <= failures / samples <= upper_bound(failures, samples)


@pytest.mark.parametrize(("failures", "needed"), [(0, 2_995), (1, 4_742), (5, 10_511)])
def test_samples_that_show_less_than_a_thousandth(failures: int, needed: int) -> None:
    assert samples_needed(failures, 0.001) == needed
    assert upper_bound(failures, needed) < 0.001 <= upper_bound(failures, needed - 1)


def test_ten_thousand_requests_prove_up_to_four_failures_and_refute_from_sixteen() -> None:
    assert upper_bound(4, 10_000) < 0.001 < upper_bound(5, 10_000)
    assert lower_bound(15, 10_000) < 0.001 < lower_bound(16, 10_000)


def test_nothing_seen_bounds_nothing() -> None:
    assert (lower_bound(0, 0), upper_bound(0, 0)) == (0.0, 1.0)
    with pytest.raises(ValueError, match="cannot be"):
        upper_bound(2, 1)
    with pytest.raises(ValueError, match="between 0 and 1"):
        samples_needed(0, 0.0)


@given(st.integers(1, 3_000), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_ranks_are_the_tightest_that_keep_the_confidence(count: int, share: float) -> None:
    above, below = upper_rank(count, share), lower_rank(count, share)
    if above is None:
        assert stats.binom.cdf(count - 1, count, share) < 0.95
    else:
        assert stats.binom.cdf(above - 1, count, share) >= 0.95 - 1e-9
        assert above == 1 or stats.binom.cdf(above - 2, count, share) < 0.95 + 1e-9
    if below is not None:
        assert stats.binom.sf(below - 1, count, share) >= 0.95 - 1e-9


def test_bounds_exist_from_59_and_299_samples() -> None:
    assert (upper_rank(58, 0.95), upper_rank(59, 0.95)) == (None, 59)
    assert (upper_rank(298, 0.99), upper_rank(299, 0.99)) == (None, 299)
    assert quantile([], 0.95) is None
    few = quantile([1.0] * 58, 0.95)
    assert few is not None
    assert few.upper is None


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=400), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_lies_between_its_bounds(values: list[float], share: float) -> None:
    found = quantile(values, share)
    assert found is not None
    assert found.lower is None or found.lower <= found.value
    assert found.upper is None or found.upper >= found.value


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(-50, 50)), min_size=2, max_size=30))
def test_the_median_slope_agrees_with_scipy(points: list[tuple[int, int]]) -> None:
    found = theil_sen(points)
    if len({x for x, _ in points}) < 2:
        assert found is None
        return
    expected = stats.theilslopes([y for _, y in points], [x for x, _ in points])
    assert found is not None
    assert found.value == pytest.approx(expected.slope)
    if found.lower is not None and found.upper is not None:
        assert found.lower <= found.value <= found.upper


def test_a_slope_has_an_interval_from_five_points_on() -> None:
    straight = [(float(x), 2.0 * x + 1) for x in range(5)]
    slope = theil_sen(straight)
    assert slope is not None
    assert (slope.value, slope.lower, slope.upper) == (2.0, 2.0, 2.0)
    assert (theil_sen(straight[:4]) or slope).lower is None


def test_an_outlier_does_not_turn_a_flat_line() -> None:
    slope = theil_sen([(float(x), 100.0 if x == 7 else 3.0) for x in range(12)])
    assert slope is not None
    assert slope.value == 0.0


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_noise_without_a_slope_rarely_shows_one(seed: int) -> None:
    noise = stats.uniform.rvs(size=60, random_state=seed)
    slope = theil_sen([(float(i), float(y)) for i, y in enumerate(noise)], confidence=0.9999)
    assert slope is not None
    assert slope.lower is not None
    assert slope.upper is not None
    assert slope.lower <= 0 <= slope.upper


@given(st.floats(0.01, 500), st.floats(0.5, 0.999))
def test_poisson_quantiles_agree_with_scipy(mean: float, confidence: float) -> None:
    found = poisson_quantile(mean, confidence)
    assert stats.poisson.cdf(found, mean) >= confidence - 1e-9
    assert found == 0 or stats.poisson.cdf(found - 1, mean) < confidence + 1e-9


def test_a_forecast_names_what_it_assumes() -> None:
    rates = (FaultRate(name="a", words="a crash once a week", per_year=52), FaultRate(name="b", words="b", per_year=1))
    made = forecast([("a", 2.0), ("a", 3.0)], rates)
    assert made is not None
    assert made.down_s == pytest.approx(156.0)
    assert made.bound < made.expected < 1.0
    assert made.assumptions == ("a crash once a week, 3.0 s each",)
    assert forecast([("c", 2.0)], rates) is None


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=200))
def test_windows_count_everything_once(events: list[tuple[float, bool]]) -> None:
    found = windows(events, 1.0)
    assert sum(window.samples for window in found) == len(events)
    assert sum(window.failures for window in found) == sum(failed for _, failed in events)
    bad = worst(found)
    assert (bad is None) == (not any(failed for _, failed in events))


def test_tail_of_nothing_and_of_everything() -> None:
    assert tail_at_most(-1, 10, 0.5) == 0.0
    assert tail_at_most(10, 10, 0.5) == 1.0
    assert math.isclose(tail_at_most(4, 9, 0.5), 0.5)

"""Names as people write them, and how long a run will take."""

from __future__ import annotations

import msgspec
import pytest

from nines import experiments
from nines.model.settings import LoadSettings, Settings
from nines.verbs import estimates, names

STEADY = next(experiment for experiment in experiments.discover() if experiment.id == "load/steady")
OTHER = next(experiment for experiment in experiments.discover() if "error_rate" not in experiment.info.budgets)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("stedy", ("load/steady",)), ("load/stady", ("load/steady",)), ("Steady", ("load/steady",)), ("qqqq", ())],
)
def test_the_nearest_name(written: str, meant: tuple[str, ...]) -> None:
    assert names.near(written, ["load/steady", "crash/durable-kill"]) == meant


def test_what_is_off_and_known_is_not_complained_about() -> None:
    settings = Settings(rules_off=("n-plus-one-query", "database/n-plus-one-query"), experiments_off=("steady",))
    assert names.unknown_in(settings) == ()
    assert len(names.unknown_in(Settings(rules_off=("steady",)))) == 1


def test_the_usual_settings_take_the_usual_time() -> None:
    for experiment in experiments.discover():
        assert estimates.duration_s(experiment, Settings()) == pytest.approx(experiment.info.duration_s)


def test_a_higher_rate_shows_the_error_budget_sooner() -> None:
    fast = Settings(load=LoadSettings(rate_hz=500.0))
    assert estimates.duration_s(STEADY, fast) < STEADY.info.duration_s / 3
    assert estimates.duration_s(OTHER, fast) == OTHER.info.duration_s


def test_a_load_is_never_longer_than_its_limit() -> None:
    load = LoadSettings(rate_hz=0.1, duration_s_max=30.0)
    assert estimates.duration_s(STEADY, Settings(load=load)) < STEADY.info.duration_s
    longer = msgspec.structs.replace(load, duration_s=90.0)
    assert estimates.duration_s(STEADY, Settings(load=longer)) > STEADY.info.duration_s


def test_the_pace_is_learned_within_bounds() -> None:
    assert estimates.pace([], []) == 1.0
    assert estimates.pace([10.0], [20.0]) == 2.0
    assert estimates.pace([10.0], [9000.0]) == estimates.PACE_MAX
    assert estimates.pace([10.0], [0.0]) == estimates.PACE_MIN

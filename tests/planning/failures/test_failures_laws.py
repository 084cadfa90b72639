"""What holds for the failure modes and the forecast of every blueprint."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from nines import planning
from nines.experiments.discovery import discover as experiments
from nines.model.blueprint import Blueprint, Dependency, DependencyKind
from nines.model.design import Design
from nines.planning.failures.assumptions import YEAR_S, modes, outages
from nines.readers import blueprint as reader
from tests.planning.threats.surroundings import surrounded

EXAMPLES = sorted(Path("examples/blueprints").glob("*.yaml"))
SLOWLY = settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
TRIALS = {each.id for each in experiments()}
PROMISES = st.sampled_from([0.9, 0.99, 0.995, 0.999, 0.9995, 0.9999, 1.0])


def check(design: Design) -> None:
    for dependency in design.dependencies:
        found = [each.mode for each in design.failures if each.dependency == dependency.name]
        assert found == [mode.value for mode in modes(dependency.kind)]
    assert [each.id for each in design.failures] == [f"F-{number + 1}" for number in range(len(design.failures))]
    for mode in design.failures:
        assert 0 <= mode.share <= 1
        assert mode.lasts_s > 0, mode
        assert mode.per_year >= 0
        assert mode.shows.endswith("."), mode
        assert mode.arithmetic.endswith("."), mode
        assert mode.caller_sees
        assert mode.tried_by in TRIALS | {""}
        assert mode.is_open or mode.contained_by, mode
        assert {design.endpoint(id) is not None for id in mode.operations} <= {True}
    forecast = design.forecast
    assert forecast is not None
    assert 0 <= forecast.availability <= 1
    costs = [cost for _, cost in forecast.contributions]
    assert costs == sorted(costs, reverse=True)
    assert forecast.availability == pytest.approx(max(0.0, 1 - sum(costs)))
    assert (forecast.objection is None) == (forecast.availability >= forecast.target)


@SLOWLY
@given(surrounded())
def test_every_dependency_has_every_mode_of_its_kind_and_the_sum_is_the_forecast(blueprint: Blueprint) -> None:
    check(planning.plan(blueprint))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_keep_the_laws_and_every_alert_is_there(path: Path) -> None:
    design = planning.plan(reader.read(path))
    check(design)
    alerts = {alert.name for alert in design.running.alerts}
    assert {mode.alert for mode in design.failures} - {""} <= alerts
    known = {each[0] for each in (*design.running.metrics, *design.running.borrowed)} | {"up"}
    assert {mode.metric for mode in design.failures} - {""} <= known


@SLOWLY
@given(surrounded(), PROMISES, PROMISES, st.data())
def test_the_forecast_falls_when_a_dependency_gets_worse(
    blueprint: Blueprint, one: float, other: float, data: st.DataObject
) -> None:
    worse, better = sorted((one, other))
    name = data.draw(st.sampled_from([each.name for each in blueprint.dependencies]))
    left = [_with(blueprint, name, availability) for availability in (worse, better)]
    assert left[0] <= left[1] + 1e-12


def test_a_worse_database_costs_what_it_is_away() -> None:
    blueprint = reader.read(Path("examples/blueprints/payments.yaml"))
    assert _with(blueprint, "db", 0.99) < _with(blueprint, "db", 0.9999) - 0.005


@pytest.mark.parametrize("kind", list(DependencyKind))
def test_the_ways_of_being_away_are_all_of_the_time(kind: DependencyKind) -> None:
    assert sum(each.part for each in outages(kind)) == pytest.approx(1)
    assert {each.mode for each in outages(kind)} <= set(modes(kind))


def test_what_a_provider_promises_divides_into_its_outages() -> None:
    """Without what the way back adds, the modes of a dependency are away for exactly the time that is promised."""
    design = planning.plan(reader.read(Path("examples/blueprints/payments.yaml")))
    dependency = design.dependency("gateway")
    assert dependency is not None
    assert dependency.breaker is not None
    away = {each.mode.value for each in outages(dependency.kind)}
    mine = [each for each in design.failures if each.dependency == "gateway" and each.mode in away]
    lost_s = sum(each.per_year * (each.lasts_s - dependency.breaker.open_s) for each in mine)
    assert lost_s == pytest.approx((1 - 0.9995) * YEAR_S)


def test_a_fallback_carries_what_would_fail() -> None:
    text = Path("examples/blueprints/payments.yaml").read_text(encoding="utf-8")
    carried = planning.plan(reader.parse(text))
    bare = planning.plan(reader.parse(text.replace("fallback: queue", "fallback: none")))
    for design, fails in ((carried, False), (bare, True)):
        mine = [e for e in design.failures if e.dependency == "gateway" and e.mode == "answering errors"]
        assert [each.share > 0 for each in mine] == [fails]
        assert ("202" in mine[0].caller_sees) is not fails
    assert carried.forecast
    assert bare.forecast
    assert bare.forecast.availability < carried.forecast.availability


def test_a_call_without_a_deadline_is_an_open_mode() -> None:
    text = Path("examples/blueprints/shop.yaml").read_text(encoding="utf-8")
    assert "timeout: 1s, " in text
    design = planning.plan(reader.parse(text.replace("timeout: 1s, ", "")))
    stalled = {each.dependency: each.is_open for each in design.failures if each.mode == "stalled"}
    assert stalled["bus"]
    assert not stalled["provider"]


def test_a_promise_that_the_modes_do_not_leave_is_answered_with_options() -> None:
    text = Path("examples/blueprints/payments.yaml").read_text(encoding="utf-8")
    design = planning.plan(reader.parse(text.replace("availability: 99.9%,", "availability: 99.995%,", 1)))
    forecast = design.forecast
    assert forecast
    assert forecast.objection
    assert len(forecast.objection.options) >= 3
    assert "99.995 %" in forecast.objection.says
    assert forecast.objection.options[-1].name == "promise 99.95 %"


def _with(blueprint: Blueprint, name: str, availability: float) -> float:
    changed = tuple(_promised(each, availability) if each.name == name else each for each in blueprint.dependencies)
    forecast = planning.plan(replace(blueprint, dependencies=changed)).forecast
    assert forecast is not None
    return forecast.availability


def _promised(dependency: Dependency, availability: float) -> Dependency:
    return replace(dependency, availability=availability)


def test_work_that_is_tried_for_less_time_than_an_outage_takes_is_open() -> None:
    text = Path("examples/blueprints/payments.yaml").read_text(encoding="utf-8")
    assert "attempts: 6" in text
    found = {}
    for attempts in (3, 8):
        design = planning.plan(reader.parse(text.replace("attempts: 6", f"attempts: {attempts}")))
        mode = next(e for e in design.failures if e.dependency == "gateway" and e.mode == "answering errors")
        found[attempts] = (mode.is_open, "authorizePayments gives up after 3 attempts in 3 min" in mode.caller_sees)
    assert found == {3: (True, True), 8: (False, False)}

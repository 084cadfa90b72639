"""Objectives agree with the budgets; alerts are named, tried and reachable; the statements of runbooks run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from nines.model.blueprint import Blueprint, Card, Dependency, DependencyKind, Promises
from nines.model.design import Design, Objective, PlannedEndpoint, PlannedJob, Source
from nines.model.design.ddl import schema_script
from nines.planning import plan
from nines.planning.running import running
from nines.planning.running.burning import BAD_SHARE_MAX, LONG_MIN_S, windows
from nines.planning.running.promql import among, bucket, duration, text
from nines.readers import blueprint as reader
from tests.planning.blueprints import blueprints
from tests.planning.data.server import Server, server

__all__ = ["server"]

EXAMPLES = Path(__file__).parents[3] / "examples" / "blueprints"
NAMES = ("login", "notifications", "payments", "shop")
DAY_S = 86_400.0
FEW = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", params=NAMES)
def design(request: pytest.FixtureRequest) -> Design:
    return plan(reader.read(EXAMPLES / f"{request.param}.yaml"))


def objective(*, target: float, window_s: float) -> Objective:
    return Objective(id="a", title="", indicator="availability", target=target, window_s=window_s)


def test_the_windows_of_thirty_days_are_those_of_the_workbook() -> None:
    found = windows(objective(target=0.999, window_s=30 * DAY_S))
    assert [(each.burn_rate, each.long_s, each.short_s) for each in found] == [
        (14.4, 3_600, 300),
        (6, 6 * 3_600, 1_800),
        (1, 3 * DAY_S, 6 * 3_600),
    ]
    assert [each.tier.severity for each in found] == ["page", "page", "ticket"]


@given(st.floats(0.5, 0.99999), st.floats(3_600, 400 * DAY_S))
def test_windows_of_any_objective_hold_together(target: float, window_s: float) -> None:
    wanted = objective(target=target, window_s=window_s)
    found = windows(wanted)
    assert found
    spans = [each.long_s for each in found]
    assert spans == sorted(set(spans))
    for each in found:
        assert each.long_s >= LONG_MIN_S
        assert each.short_s * 12 == pytest.approx(each.long_s)
        assert each.burn_rate * wanted.budget <= BAD_SHARE_MAX + 0.001
        assert each.burn_rate >= 1 or each.burn_rate * wanted.budget >= BAD_SHARE_MAX - 0.001


def test_objectives_say_what_the_budgets_say(design: Design) -> None:
    budgets, found = design.budgets, {each.id: each for each in design.running.objectives}
    available = found[f"{design.name}-availability"]
    assert available.target == budgets.availability
    assert set(available.operations) == {each.id for each in design.endpoints}
    assert all(each.window_s == budgets.window_s for each in found.values())
    promised = {each.threshold_s: set(each.operations) for each in found.values() if each.indicator == "latency"}
    expected: dict[float | None, set[str]] = {}
    for endpoint in design.critical():
        expected.setdefault(endpoint.latency_p95_s, set()).add(endpoint.id)
    assert promised == expected
    assert found[f"{design.name}-freshness"].threshold_s == budgets.recovery_s
    assert found[f"{design.name}-durability"].target == 1 - budgets.error_rate


def test_a_tighter_error_budget_is_an_objective_of_its_own(design: Design) -> None:
    tight = running(replace(design, budgets=replace(design.budgets, error_rate=0.0001)))
    found = tight.running.objective(f"{design.name}-errors")
    assert found is not None
    assert found.target == pytest.approx(0.9999)
    assert set(found.operations) == {each.id for each in design.critical()}


def check(design: Design) -> None:
    """What holds for the alerts of every design."""
    found = design.running
    names = [each.name for each in found.alerts]
    assert len(names) == len(set(names))
    for alert in found.alerts:
        assert alert.runbook == f"operation/runbooks/{alert.name}.md"
        assert alert.severity in ("page", "ticket")
        assert alert.kind
        assert {case.fires for case in alert.cases} == {True, False}, alert.name
        assert not alert.objective or found.objective(alert.objective)
    given_out = {name for name, _ in found.metrics} | {name for name, _, _ in found.borrowed}
    for alert in found.alerts:
        stem = alert.metric.removesuffix("_count").removesuffix("_bucket")
        assert stem in given_out, f"{alert.name} needs {alert.metric}"
    operations = [id for each in found.deployables for id in each.operations]
    assert sorted(operations) == sorted(each.id for each in design.endpoints)


def test_every_alert_is_named_tried_and_fed(design: Design) -> None:
    check(design)


def test_failure_modes_name_alerts_that_there_are(design: Design) -> None:
    for mode in design.failures:
        assert not mode.alert or design.running.alert(mode.alert), mode.alert


@FEW
@given(blueprints())
def test_the_alerts_of_any_blueprint_hold(blueprint: Blueprint) -> None:
    design = plan(blueprint)
    check(design)
    assert design.running == running(design).running


def test_of_a_service_that_was_read_only_what_is_known_is_watched() -> None:
    read = Design(
        card=Card(name="Röd räksmörgås"),
        source=Source.CODE,
        budgets=Promises(),
        endpoints=(
            PlannedEndpoint(id='GET /a/{b}"|.*', method="GET", path="/a/{b}"),
            PlannedEndpoint(id="POST /a", method="POST", path="/a", is_critical=False),
        ),
        jobs=(PlannedJob(name="worker.send"),),
        dependencies=(Dependency(name="db", kind=DependencyKind.POSTGRES),),
    )
    design = running(read)
    kinds = {each.kind for each in design.running.alerts}
    assert kinds == {"burn", "down", "pool"}
    assert {each.indicator for each in design.running.objectives} == {"availability", "latency"}
    assert running(Design(card=Card(name="empty"), source=Source.CODE)).running.objectives == ()


def test_odd_names_do_not_break_a_query() -> None:
    assert text('a"b\\c\n') == '"a\\"b\\\\c\\n"'
    assert among("operation", ["GET /a.b", "x|y"]) == 'operation=~"GET /a\\\\.b|x\\\\|y"'
    assert among("operation", ["GET /a.b"]) == 'operation="GET /a.b"'
    assert (bucket(0.2), bucket(2.0)) == ('le="0.2"', 'le=~"2([.]0)?"')
    assert [duration(each) for each in (300, 280, 86_400, 5_400)] == ["5m", "280s", "1d", "90m"]


@pytest.mark.lab
def test_the_statements_of_every_watch_run(server: Server, design: Design) -> None:
    async def work(connection: Any) -> None:
        await connection.execute(schema_script(design.tables))
        for watch in design.running.watches:
            assert not watch.table or design.table(watch.table)
            for statement in (watch.waiting, watch.given_up, watch.again):
                if statement:
                    await connection.execute(statement)

    assert {each.task for each in design.running.watches} == {job.name for job in design.jobs}
    server.run(work)

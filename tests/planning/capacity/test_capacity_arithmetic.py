"""What capacity tells follows from the rates and the steps; the sums are made again here, another way."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from nines.model.blueprint import Demand, Deployment
from nines.model.design import Design, ResourceUse
from nines.planning import plan
from nines.planning.capacity import figures
from nines.planning.capacity.caching import hit_share
from nines.planning.capacity.runtimes import RUNTIMES
from tests.planning.capacity.examples import NAMES, capacity_of, designed, example, loaded, notes, simulated

over_all = pytest.mark.parametrize("name", NAMES)


def resource(design: Design, name: str) -> ResourceUse:
    return next(use for use in capacity_of(design).resources if use.name == name)


def rates_hz(design: Design) -> dict[str, float]:
    """What is done at the peak, of a job as much as its providers allow."""
    found = {each.id: each.peak_hz or 0.0 for each in design.endpoints}
    for job in design.jobs:
        limits = [d.rate_max_hz for s in job.flow.calls if (d := design.dependency(s.target)) and d.rate_max_hz]
        found[job.name] = min([job.peak_hz or 0.0, *limits])
    return found


@over_all
@pytest.mark.parametrize(
    ("kind", "time"),
    [("processors", "application processors"), ("database-processors", "database processor")],
)
def test_use_is_the_sum_of_rate_times_time(name: str, kind: str, time: str) -> None:
    design = designed(name)
    rates = rates_hz(design)
    times = {t.operation: t.mean_s for t in capacity_of(design).times if t.resource == time and t.operation in rates}
    expected = sum(rates[operation] * mean_s for operation, mean_s in times.items())
    found = sum(use.at_peak for use in capacity_of(design).resources if use.kind == kind)
    purging = found - expected
    assert found == pytest.approx(expected, rel=0.01) or 0 <= purging < 0.15 * found


def test_a_read_by_its_key_reckoned_by_hand() -> None:
    design = notes()
    plan = capacity_of(design)
    factor = next(r for r in RUNTIMES if r.name == plan.runtime).factor(is_grouped=False)
    assert factor is not None
    assert resource(design, "application processors").at_peak == pytest.approx(100 * 250e-6 * factor, rel=0.01)
    held_s = 0.5e-3 + 50e-6 + 20e-6
    assert resource(design, "database connections").at_peak == pytest.approx(100 * held_s, rel=0.01)
    assert resource(design, "database connections").capacity == 4 * 5
    assert resource(design, "network").at_peak == pytest.approx(100 * (800 + 1_024) / 1e6)


def test_connections_of_the_pool_by_hand() -> None:
    pool = capacity_of(notes()).pool
    assert pool is not None
    assert (pool.per_process, pool.processes, pool.connections_max) == (5, 4, 100)
    assert pool.held_at_most == 25  # 4 processes × 5 × 1.25 while deploying.
    assert not pool.is_pooler_needed


def test_a_commit_costs_its_flush_and_its_copy() -> None:
    write = ("getNote: {on: Note, do: read, share: 100%}", "addNote: {on: Note, do: create, share: 100%}")
    synchronous, alone = notes(write), notes(write, ("replication: synchronous", "replication: none"))
    connections = [resource(design, "database connections").at_peak for design in (synchronous, alone)]
    # What is done outside requests commits too, very seldom.
    assert connections[0] - connections[1] == pytest.approx(100 * figures.COPY_S, rel=1e-4)


@over_all
def test_what_gives_way_first_is_named_where_it_does(name: str) -> None:
    plan = capacity_of(designed(name))
    scarcest = plan.scarcest
    assert scarcest is not None
    for point in plan.points:
        if point.factor > scarcest.room * (1 + 1e-9):
            assert point.bottleneck == scarcest.name
            assert point.remedies
        else:
            assert (point.bottleneck, point.remedies) == ("", ())


def test_points_reach_what_the_internet_could_send() -> None:
    factors = [point.factor for point in capacity_of(designed("payments")).points]
    assert factors == [1, 10, 100, pytest.approx(1_000_000 / 600)]


def test_work_that_can_wait_is_judged_by_the_ordinary_day() -> None:
    rate = resource(designed("notifications"), "rate of sms")
    assert rate.is_deferred
    assert rate.utilisation() == pytest.approx(rate.at_steady / rate.capacity)
    assert rate.utilisation(3.0) == pytest.approx(3 * rate.utilisation())


def test_writes_are_grouped_only_where_single_commits_are_too_many() -> None:
    limit_hz = figures.SINGLE_HZ * figures.SAFE_PROCESSORS
    for name in NAMES:
        plan = capacity_of(designed(name))
        commits = resource(designed(name), "database commits")
        assert commits.at_peak <= limit_hz
        assert plan.is_grouped == bool(plan.grouped)
    assert capacity_of(designed("notifications")).is_grouped
    assert not capacity_of(designed("payments")).is_grouped
    more = capacity_of(loaded(example("payments"), 20))
    assert more.is_grouped
    # A payment is refused where its account is not the caller's: the read before the write keeps it apart.
    assert "createPayment" not in more.grouped


@over_all
def test_remedies_climb_the_ladder(name: str) -> None:
    rungs = ("an index", "a CDN", "group commit", "a pooler", "processes", "read replicas", "in partitions", "cells")
    for point in capacity_of(designed(name)).points:
        found = [
            next(i for i, rung in enumerate(rungs) if rung in told) for told in point.remedies if _known(told, rungs)
        ]
        assert found == sorted(found), point.remedies


def _known(told: str, rungs: tuple[str, ...]) -> bool:
    return any(rung in told for rung in rungs) and "of their own" not in told


@settings(max_examples=8, deadline=None)
@given(factor=st.floats(1.0, 40.0))
def test_more_load_never_asks_for_fewer_processes(factor: float) -> None:
    for name in ("login", "payments"):
        less, more = capacity_of(designed(name)), capacity_of(loaded(example(name), factor))
        assert more.replicas_peak >= less.replicas_peak
        assert more.replicas_steady >= less.replicas_steady
        assert more.replicas_peak >= more.replicas_steady


def test_a_zone_may_go() -> None:
    three = capacity_of(notes())
    two = capacity_of(notes(("zones: 3", "zones: 2")))
    assert three.scale_at * 3 / 2 == pytest.approx(0.9)
    assert two.scale_at * 2 == pytest.approx(0.9)


def test_calls_in_flight_ask_for_processes_too() -> None:
    """Of what is waited for the processors know nothing."""
    plan = capacity_of(loaded(example("payments"), 4))
    gateway = resource(loaded(example("payments"), 4), "calls to gateway")
    assert plan.replicas_peak >= math.ceil(gateway.at_peak / (64 * figures.SAFE_POOL))
    assert "calls to gateway have to be scaled on as well" in plan.scale_reason


def test_a_sudden_peak_that_overruns_what_stands_by_is_told() -> None:
    login = example("login")
    assert login.load is not None
    crowd = replace(login, load=replace(login.load, peak_hz=1_200.0))
    few = plan(replace(crowd, deploy=replace(login.deploy, replicas_min=3)))
    assert "a least of 4 would meet it" in capacity_of(few).scale_reason


def test_parts_that_stand_apart_are_reckoned_apart() -> None:
    plan = capacity_of(designed("shop"))
    parts = {use.of for use in plan.resources if use.kind == "processors"}
    assert parts == {"catalogue", "inventory", "orders", "payments"}
    assert plan.replicas_steady == 4 * 2
    assert plan.pool is not None
    assert plan.pool.held_at_most == round(4 * 12 * 8 * 1.25)


def test_nothing_is_simulated_without_chance() -> None:
    plan = capacity_of(designed("shop"))
    assert plan.simulation == ""
    assert all(point.latency_p95_s is None and not point.promises for point in plan.points)


@over_all
def test_the_simulation_keeps_to_what_is_reckoned(name: str) -> None:
    """Nobody is answered faster than the work takes, and with room to spare hardly slower."""
    design = simulated(name)
    plan = capacity_of(design)
    first = plan.points[0]
    whole = {t.operation: t.mean_s for t in plan.times if t.resource == "whole request"}
    for promise in first.promises:
        names = [e.id for e in design.endpoints if e.latency_p95_s == promise.promised_s]
        assert promise.p95_s > min(whole[each] for each in names)
        assert promise.p95_s < 4 * max(whole[each] for each in names)
    assert first.failed_share == 0
    assert first.latency_p95_s is not None
    later = plan.points[-1]
    assert later.latency_p95_s is None  # As it stands it cannot be carried.
    assert later.cell_latency_p95_s is not None
    assert later.cell_rate_hz == pytest.approx(later.rate_hz / later.cells)


EDGES: dict[str, dict[str, Any]] = {
    "nothing comes": {"load": Demand(steady_hz=0.0, peak_hz=0.0, growth_per_year=1.0)},
    "hardly anything comes": {"load": Demand(steady_hz=1e-4, peak_hz=1e-3, growth_per_year=0.5)},
    "everybody comes": {"load": Demand(steady_hz=1e7, peak_hz=1e8, growth_per_year=10.0)},
    "one small process": {"deploy": Deployment(replicas_min=1, replicas_max=1, cpu=0.1, zones=1)},
    "nobody is asked": {"dependencies": ()},
}


@pytest.mark.parametrize("edge", EDGES)
def test_figures_stay_figures_at_the_edges(edge: str) -> None:
    design = plan(replace(example("payments"), **EDGES[edge]), chance=random.Random(1).random)
    found = capacity_of(design)
    for use in found.resources:
        assert math.isfinite(use.at_peak)
        assert use.capacity > 0
        assert use.room > 0
    for point in found.points:
        assert math.isfinite(point.utilisation)
        assert point.cells >= 1
        assert point.latency_p95_s is None or 0 < point.latency_p95_s < 60


def test_a_part_of_a_core_is_slower() -> None:
    blueprint = example("payments")
    small = replace(blueprint, deploy=replace(blueprint.deploy, cpu=0.25))
    p95 = capacity_of(plan(small, chance=random.Random(1).random)).points[0].latency_p95_s
    whole = capacity_of(simulated("payments")).points[0].latency_p95_s
    assert p95 is not None
    assert whole is not None
    assert p95 > whole


def test_the_same_seed_gives_the_same_plan() -> None:
    simulated.cache_clear()
    once = simulated("login")
    simulated.cache_clear()
    assert simulated("login").capacity == once.capacity


@given(rate_hz=st.floats(0.01, 1e4), ttl_s=st.floats(1, 3_600), objects=st.integers(1, 500))
def test_shares_found_in_a_cache(rate_hz: float, ttl_s: float, objects: int) -> None:
    share = hit_share(rate_hz, ttl_s, objects)
    assert 0 <= share < 1
    assert hit_share(rate_hz, 2 * ttl_s, objects) >= share
    assert hit_share(rate_hz, ttl_s, 1) == pytest.approx(rate_hz * ttl_s / (1 + rate_hz * ttl_s))
    assert hit_share(rate_hz, ttl_s, objects + 1) <= share + 1e-9


def test_only_public_reads_go_to_the_edge() -> None:
    edge = [cache for cache in capacity_of(designed("shop")).caches if cache.layer == "edge"]
    assert {name for cache in edge for name in cache.operations} == {"listProducts", "getProduct"}
    assert "updateProduct" in edge[0].invalidated_by
    for name in ("login", "payments", "notifications"):
        assert not [cache for cache in capacity_of(designed(name)).caches if cache.layer == "edge"]

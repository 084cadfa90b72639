"""What the front page says of the promises: the figures of the design, and nothing where there is none."""

from __future__ import annotations

import msgspec

from nines.dossier import standing
from nines.dossier.front import standing_says
from nines.model.blueprint import Card, Demand, Dependency, DependencyKind, Promises
from nines.model.design import CapacityPlan, Design, FailureMode, Forecast, Gap, ScalePoint, Source, Stride, Threat

PLAIN = Design(card=Card(name="shop"), source=Source.BLUEPRINT, demand=Demand(peak_hz=50.0))


def failure(name: str, mode: str, lasts_s: float, share: float = 1.0) -> FailureMode:
    return FailureMode(
        id="F-1",
        dependency=name,
        mode=mode,
        shows="",
        contained_by=(),
        caller_sees="503",
        lasts_s=lasts_s,
        share=share,
    )


def named(design: Design, name: str) -> standing.Promise:
    return next(each for each in standing.promises(design) if each.name == name)


def change(design: Design, **fields: object) -> Design:
    return msgspec.structs.replace(design, **fields)


def test_what_was_not_computed_is_not_known() -> None:
    assert standing.verdict(PLAIN) is None
    assert all(each.holds is None and not each.found for each in standing.promises(PLAIN))
    assert standing_says(PLAIN).startswith("Not computed: availability")


def test_the_forecast_is_compared_with_its_target() -> None:
    good = change(PLAIN, forecast=Forecast(availability=0.9995, target=0.999))
    bad = change(PLAIN, forecast=Forecast(availability=0.99, target=0.999))
    assert named(good, "Availability").holds is True
    assert named(good, "Availability").found == "99.95 %"
    assert named(bad, "Availability").holds is False
    assert "**No:** availability 99 % against 99.9 %" in standing_says(bad)


def test_recovery_is_that_of_a_crash_of_our_own_parts() -> None:
    dependencies = (
        Dependency(name="db", kind=DependencyKind.POSTGRES),
        Dependency(name="gateway", kind=DependencyKind.HTTP, is_external=True),
    )
    failures = (
        failure("db", "refusing", 65.0),
        failure("db", "losing data", 14_400.0),
        failure("gateway", "refusing", 3_600.0),
        failure("the region", "refusing", 14_400.0),
        failure("cache", "refusing", 900.0, share=0.0),
    )
    design = change(PLAIN, dependencies=dependencies, failures=failures)
    assert named(design, "Recovery").found == "65 s"
    assert named(design, "Recovery").holds is True
    strict = change(design, budgets=Promises(recovery_s=30.0))
    assert named(strict, "Recovery").holds is False


def test_a_peak_that_cannot_be_carried_breaks_load_and_latency() -> None:
    points = (ScalePoint(factor=1.0, rate_hz=50.0, bottleneck="database connections", utilisation=1.4),)
    design = change(PLAIN, capacity=CapacityPlan(points=points))
    assert named(design, "Peak load").holds is False
    assert named(design, "p95 latency").holds is False
    assert "database connections" in named(design, "p95 latency").says


def test_a_peak_that_was_not_simulated_leaves_the_latency_open() -> None:
    points = (
        ScalePoint(factor=1.0, rate_hz=50.0, bottleneck="", utilisation=0.4),
        ScalePoint(factor=10.0, rate_hz=500.0, bottleneck="processors", utilisation=4.0),
    )
    design = change(PLAIN, capacity=CapacityPlan(points=points))
    assert named(design, "p95 latency").holds is None
    assert named(design, "Peak load").holds is True
    assert named(design, "Peak load").says == "first to give way: processors at 10 × the peak"


def test_acknowledged_writes_are_lost_with_an_asynchronous_replica() -> None:
    late = Dependency(name="db", kind=DependencyKind.POSTGRES, replication="asynchronous")
    design = change(PLAIN, dependencies=(late,))
    assert named(design, "Data loss").holds is False
    safe = Dependency(name="db", kind=DependencyKind.POSTGRES, replication="synchronous")
    assert named(change(PLAIN, dependencies=(safe,)), "Data loss").holds is True


def test_what_is_open_is_listed_and_what_is_settled_is_not() -> None:
    threats = tuple(
        Threat(
            id=f"T-{number}",
            element="db",
            stride=Stride.TAMPERING,
            says="Somebody changes a row.",
            mitigation="",
            implemented_in="",
            tried_by="",
            is_open=is_open,
        )
        for number, is_open in enumerate((True, False))
    )
    design = change(PLAIN, threats=threats, gaps=(Gap(question="How much load?", assumed="50/s"),))
    found = standing.still_open(design)
    assert [(each.kind, each.assumed) for each in found] == [("question", "50/s."), ("threat", "")]
    assert found[1].says.startswith("T-0")

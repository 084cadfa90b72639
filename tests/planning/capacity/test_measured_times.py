"""What a report measured replaces what was assumed."""

from __future__ import annotations

import pytest

from nines.model.design import ServiceTime
from nines.model.experiment import Figure, Trial
from nines.model.history import Exchange, History, Outcome, Sample
from nines.model.report import Report
from nines.model.rule import Tier
from nines.model.verdict import Verdict
from nines.planning import plan
from nines.planning.capacity import measured
from tests.planning.capacity.examples import capacity_of, designed, example


def exchange(number: int, operation: str, status: int = 200, phase: str = "steady") -> Exchange:
    begun_s = number * 0.01
    return Exchange(
        operation=operation,
        method="GET",
        path="/",
        outcome=Outcome.OK,
        status=status,
        phase=phase,
        intended_s=begun_s,
        sent_s=begun_s,
        ended_s=begun_s + 0.004,
    )


def report(*, cores: float = 0.5, rate_hz: float = 100.0, experiment: str = "load/steady") -> Report:
    exchanges = [exchange(n, "getPayment" if n % 2 else "listPayments") for n in range(100)]
    exchanges += [exchange(n, "getPayment", phase="warm-up") for n in range(50)]
    exchanges += [exchange(n, "getPayment", status=500) for n in range(3)]
    samples = tuple(Sample(time_s=second / 10, cpu_percent=cores * 100) for second in range(10))
    trial = Trial(
        experiment=experiment,
        title="",
        claim="",
        tier=Tier.RELIABILITY,
        verdict=Verdict.HOLDS,
        says="",
        figures=(Figure(name="rate", value=rate_hz, unit="1/s"),),
        history=History(exchanges=tuple(exchanges), samples=samples),
    )
    return Report(command="prove", project="payments", trials=(trial,))


def found(times: tuple[ServiceTime, ...], operation: str) -> ServiceTime:
    return next(time for time in times if time.operation == operation)


def test_times_of_a_steady_load() -> None:
    times = measured(report())
    assert found(times, "getPayment").samples == 50  # Neither the warm-up nor what failed.
    assert found(times, "getPayment").mean_s == pytest.approx(0.004)
    assert found(times, "").mean_s == pytest.approx(0.005)  # Half a core at 100/s.
    assert all(time.is_measured and "load/steady" in time.source for time in times)


def test_what_tells_nothing_gives_nothing() -> None:
    assert measured(report(experiment="crash/durable-kill")) == ()
    assert [time for time in measured(report(cores=0.0)) if not time.operation] == []
    assert measured(Report(command="review", project="x")) == ()


def test_measured_processor_time_is_reckoned_with() -> None:
    times = measured(report(cores=0.5))
    assumed, known = capacity_of(designed("payments")), capacity_of(plan(example("payments"), times=times))
    assert known.runtime == ""  # What was measured was measured on some runtime already.
    mixture = [t.mean_s for t in known.times if t.resource == "application processors" and not t.is_measured]
    reads = [
        t.mean_s
        for t in known.times
        if t.resource == "application processors" and t.operation in ("getPayment", "listPayments")
    ]
    assert sum(reads) / len(reads) == pytest.approx(0.005)
    assert len(mixture) == len([t for t in assumed.times if t.resource == "application processors"])
    assert any("measured" in line and "load/steady" in line for line in known.assumptions)


def test_operations_of_another_service_change_nothing() -> None:
    times = measured(report())
    assert [u.at_peak for u in capacity_of(plan(example("login"), times=times)).resources][2:] == [
        u.at_peak for u in capacity_of(designed("login")).resources
    ][2:]

"""Budgets: met, missed and, above all, not shown."""

from __future__ import annotations

from nines.checkers.budgets import evaluate
from nines.experiments.judging import share_figure
from nines.model.budget import BudgetResult, Budgets, Standing
from nines.model.experiment import Figure, Trial
from nines.model.rule import Tier
from nines.model.verdict import Verdict


def trial(*figures: Figure, budgets: tuple[str, ...], says: str = "it was so") -> Trial:
    return Trial(
        experiment="load/steady",
        title="Steady",
        claim="It holds",
        tier=Tier.RELIABILITY,
        verdict=Verdict.UNKNOWN,
        says=says,
        figures=figures,
        budgets=budgets,
    )


def results(*trials: Trial) -> dict[str, BudgetResult]:
    return {result.name: result for result in evaluate(trials, Budgets())}


def recovered(value: float, samples: int, name: str = "recovery of the service") -> Figure:
    return Figure(name=name, value=value, unit="s", upper=value, samples=samples)


def test_nothing_observed_is_never_a_pass() -> None:
    found = evaluate((), Budgets())
    assert [result.name for result in found] == ["availability", "error_rate", "latency_p95", "recovery"]
    assert {result.standing for result in found} == {Standing.NOT_SHOWN}
    assert all(result.says for result in found)


def test_errors_are_decided_by_exact_bounds() -> None:
    def standing(failures: int, samples: int) -> Standing:
        figure = share_figure("error rate", failures, samples)
        return results(trial(figure, budgets=("error_rate",)))["error_rate"].standing

    assert standing(0, 2_995) is Standing.MET
    assert standing(0, 2_994) is Standing.NOT_SHOWN
    assert standing(1, 2_995) is Standing.NOT_SHOWN
    assert standing(16, 10_000) is Standing.MISSED


def test_what_is_missed_is_told_by_its_lower_bound() -> None:
    found = results(trial(share_figure("error rate", 16, 10_000), budgets=("error_rate",)))["error_rate"]
    assert found.bound is not None
    assert found.bound > 0.001
    assert "at least" in found.says


def test_what_is_not_shown_says_how_it_could_be() -> None:
    found = results(trial(share_figure("error rate", 1, 3_000), budgets=("error_rate",)))["error_rate"]
    assert "4742 requests" in found.says
    assert found.samples == 3_000


def test_a_spoiled_run_shows_nothing() -> None:
    figures = (Figure(name="error rate", value=0.0, samples=5_000), Figure(name="p95", value=9.0, samples=5_000))
    found = results(trial(*figures, budgets=("error_rate", "latency_p95"), says="the generator was late"))
    assert found["error_rate"].standing is Standing.NOT_SHOWN
    assert "the generator was late" in found["error_rate"].says
    assert "the generator was late" in found["latency_p95"].says
    assert found["latency_p95"].standing is Standing.NOT_SHOWN


def test_response_times_are_decided_by_the_ends_of_their_interval() -> None:
    def standing(lower: float | None, upper: float | None) -> Standing:
        figure = Figure(name="p95", value=150.0, unit="ms", lower=lower, upper=upper, confidence=0.95, samples=500)
        return results(trial(figure, budgets=("latency_p95",)))["latency_p95"].standing

    assert standing(140, 199) is Standing.MET
    assert standing(140, 201) is Standing.NOT_SHOWN
    assert standing(201, 300) is Standing.MISSED
    assert standing(140, None) is Standing.NOT_SHOWN


def test_recovery_needs_three_crashes_to_be_met_and_one_to_be_missed() -> None:
    def standing(figure: Figure) -> Standing:
        return results(trial(figure, budgets=("recovery",)))["recovery"].standing

    assert standing(recovered(2.0, 3)) is Standing.MET
    assert standing(recovered(2.0, 2)) is Standing.NOT_SHOWN
    assert standing(recovered(301.0, 1)) is Standing.MISSED
    never = Figure(name="recovery of the service", value=60.0, unit="s", samples=1)
    assert standing(never) is Standing.NOT_SHOWN


def test_availability_is_a_forecast_that_prints_its_assumptions() -> None:
    both = ("recovery", "availability")
    met = results(trial(recovered(2.0, 3), recovered(4.0, 1, "recovery of the database"), budgets=both))["availability"]
    assert met.standing is Standing.MET
    assert "once a week" in met.says
    assert "not measured" in met.says
    assert met.bound is not None
    assert met.value is not None
    assert met.bound < met.value < 1.0
    slow = results(trial(recovered(1_200.0, 3), budgets=both))["availability"]
    assert slow.standing is Standing.MISSED
    assert results(trial(recovered(2.0, 2), budgets=both))["availability"].standing is Standing.NOT_SHOWN
    dead = Figure(name="recovery after a stall", value=30.0, unit="s")
    unhealed = results(trial(recovered(2.0, 3), dead, budgets=both))["availability"]
    assert unhealed.standing is Standing.NOT_SHOWN


def test_a_trial_that_measured_nothing_is_quoted() -> None:
    found = results(trial(budgets=("error_rate",), says="nothing could be driven"))["error_rate"]
    assert "nothing could be driven" in found.says

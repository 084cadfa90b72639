"""The four reliability budgets, from what the experiments measured: met, missed or not shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from nines.checkers.availability import forecast
from nines.checkers.binomial import CONFIDENCE, samples_needed
from nines.model.budget import BudgetResult, Budgets, Standing
from nines.model.experiment import Figure, Trial

CRASHES_MIN = 3
"""Fewer crashes say nothing about the worst recovery."""
ERROR_RATE = "error rate"
LATENCY_P95 = "p95"
RECOVERY = "recovery of the service"
"""Names of the figures on which budgets are decided."""


def evaluate(trials: Sequence[Trial], budgets: Budgets) -> tuple[BudgetResult, ...]:
    """Every budget, in the order of the design; what was not measured is not shown."""
    return (
        _availability(trials, budgets.availability),
        _error_rate(trials, budgets.error_rate),
        _latency(trials, budgets.latency_p95_ms),
        _recovery(trials, budgets.recovery_s),
    )


def _figures(trials: Iterable[Trial], budget: str, name: str) -> list[tuple[str, Figure]]:
    speaking = [trial for trial in trials if budget in trial.budgets]
    return [(trial.experiment, figure) for trial in speaking for figure in trial.figures if figure.name == name]


def _error_rate(trials: Sequence[Trial], limit: float) -> BudgetResult:
    found = _figures(trials, "error_rate", ERROR_RATE)
    result = BudgetResult(name="error_rate", limit=limit, unit="share", says="Nothing was measured.")
    if not found:
        return _told(result, _why(trials, "error_rate"))
    experiment, figure = max(found, key=lambda pair: pair[1].samples)
    if _is_void(figure):
        return _voided(result, trials, experiment, figure)
    failures = round(figure.value * figure.samples)
    standing = _standing(figure, limit, is_exclusive=True)
    is_missed = standing is Standing.MISSED
    bound = f"at least {_percent(figure.lower)}" if is_missed else f"at most {_percent(figure.upper)}"
    says = f"{failures} of {figure.samples} requests failed: {bound} at {CONFIDENCE:.0%}"
    if standing is Standing.NOT_SHOWN and 0 < limit < 1:
        needed = samples_needed(failures, limit)
        says += f"; {needed} requests with no more failures would show less than {_percent(limit)}"
    decisive = figure.lower if is_missed else figure.upper
    return _result(result, figure, standing, f"{says}.", experiment, bound=decisive)


def _latency(trials: Sequence[Trial], limit: float) -> BudgetResult:
    found = _figures(trials, "latency_p95", LATENCY_P95)
    result = BudgetResult(name="latency_p95", limit=limit, unit="ms")
    if not found:
        return _told(result, _why(trials, "latency_p95"))
    experiment, figure = max(found, key=lambda pair: pair[1].samples)
    if _is_void(figure):
        return _voided(result, trials, experiment, figure)
    standing = _standing(figure, limit, is_exclusive=True)
    bound = figure.lower if standing is Standing.MISSED else figure.upper
    end = (
        f"its upper end at {CONFIDENCE:.0%} is {figure.upper:.0f} ms"
        if figure.upper is not None
        else "too few for a bound"
    )
    says = f"p95 is {figure.value:.0f} ms over {figure.samples} requests, counted from when each was due; {end}."
    return _result(result, figure, standing, says, experiment, bound=bound)


def _recovery(trials: Sequence[Trial], limit: float) -> BudgetResult:
    found = _figures(trials, "recovery", RECOVERY)
    result = BudgetResult(name="recovery", limit=limit, unit="s")
    if not found:
        return _told(result, _why(trials, "recovery"))
    experiment, figure = max(found, key=lambda pair: pair[1].value)
    says = (
        f"The worst of {figure.samples} crashes took {figure.value:.1f} s, from the kill to the first correct answer."
    )
    standing = Standing.NOT_SHOWN
    if figure.upper is None:
        says = (
            f"After a crash the service had not answered correctly when nines stopped waiting at {figure.value:.0f} s."
        )
        standing = Standing.MISSED if figure.value > limit else Standing.NOT_SHOWN
    elif figure.value > limit:
        standing = Standing.MISSED
    elif figure.samples >= CRASHES_MIN:
        standing = Standing.MET
    else:
        says += f" At least {CRASHES_MIN} are needed."
    return _result(result, figure, standing, says, experiment, bound=figure.value)


def _availability(trials: Sequence[Trial], limit: float) -> BudgetResult:
    result = BudgetResult(name="availability", limit=limit, unit="share")
    speaking = [trial for trial in trials if "availability" in trial.budgets]
    measured = [(t.experiment, f) for t in speaking for f in t.figures if f.name.startswith("recovery ")]
    crashes = [figure for _, figure in measured if figure.name == RECOVERY]
    if not crashes:
        return _told(result, "No recovery was measured, so nothing can be forecast.")
    if any(figure.upper is None for _, figure in measured):
        return _told(result, "A fault was not recovered from while nines waited, so no forecast is possible.")
    if max(figure.samples for figure in crashes) < CRASHES_MIN:
        return _told(result, f"Fewer than {CRASHES_MIN} crashes were measured, too few for a forecast.")
    made = forecast([(figure.name, figure.value) for _, figure in measured])
    if made is None:
        return _told(result, "No recovery was measured, so nothing can be forecast.")
    standing = Standing.MET if made.bound >= limit else Standing.NOT_SHOWN
    if made.expected < limit:
        standing = Standing.MISSED
    assumed = "; ".join(made.assumptions)
    says = (
        f"Forecast, not measured: {made.down_s_max:.0f} s down in a year at {CONFIDENCE:.0%}, assuming {assumed}, "
        "an immediate restart, and no other outage."
    )
    return BudgetResult(
        name="availability",
        limit=limit,
        unit="share",
        standing=standing,
        value=made.expected,
        bound=made.bound,
        confidence=CONFIDENCE,
        samples=sum(figure.samples for _, figure in measured),
        says=says,
        experiments=tuple(dict.fromkeys(experiment for experiment, _ in measured)),
    )


def _standing(figure: Figure, limit: float, *, is_exclusive: bool) -> Standing:
    """Met when the upper end stays below, missed when the lower end lies above; anything else is not shown."""
    if figure.upper is not None and (figure.upper < limit or (figure.upper == limit and not is_exclusive)):
        return Standing.MET
    if figure.lower is not None and figure.lower > limit:
        return Standing.MISSED
    return Standing.NOT_SHOWN


def _result(
    empty: BudgetResult,
    figure: Figure,
    standing: Standing,
    says: str,
    experiment: str,
    *,
    bound: float | None,
) -> BudgetResult:
    return BudgetResult(
        name=empty.name,
        limit=empty.limit,
        unit=empty.unit,
        standing=standing,
        value=figure.value,
        bound=bound,
        confidence=figure.confidence,
        samples=figure.samples,
        says=says,
        experiments=(experiment,),
    )


def _is_void(figure: Figure) -> bool:
    """Whether the run supports no interval, as when the generator spoiled it."""
    return figure.confidence is None


def _voided(empty: BudgetResult, trials: Sequence[Trial], experiment: str, figure: Figure) -> BudgetResult:
    """What was measured, and in the trial's own words why it shows nothing."""
    says = next((trial.says for trial in trials if trial.experiment == experiment), "")
    return msgspec.structs.replace(
        empty,
        value=figure.value,
        samples=figure.samples,
        says=f"{figure.samples} requests were measured, but show nothing: {says}.",
        experiments=(experiment,),
    )


def _told(empty: BudgetResult, says: str) -> BudgetResult:
    return BudgetResult(name=empty.name, limit=empty.limit, unit=empty.unit, says=says)


def _why(trials: Sequence[Trial], budget: str) -> str:
    """Why nothing speaks to a budget."""
    speaking = [trial for trial in trials if budget in trial.budgets]
    if not speaking:
        return "No experiment that measures it was carried out."
    return f"{speaking[0].experiment} measured nothing: {speaking[0].says}"


def _percent(share: float | None) -> str:
    return "unknown" if share is None else f"{share * 100:.3g} %"

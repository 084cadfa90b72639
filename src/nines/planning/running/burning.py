"""Alerts on error budgets, over several windows and burn rates (Google, The Site Reliability Workbook, chapter 5).

At a burn rate of 1 the budget is used up exactly when the window ends. Over 30 days: 14.4 for an hour is 2 % of the
budget, 6 for six hours is 5 %, 1 for three days is 10 %; other windows scale. The short window, a twelfth of the long
one, lets an alert end when its cause ends. A few failures at night are no outage, whatever their share: an alert also
needs a number of them."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.design import Alert, AlertCase, Objective, Recording
from nines.model.record import Record
from nines.model.words import duration as told
from nines.model.words import share
from nines.planning.running import names
from nines.planning.running.objectives import Watched
from nines.planning.running.promql import SCRAPE_S, duration, number

BAD_MIN = 5
"""Bad events in the long window below which nobody is called."""
LONG_MIN_S = 48 * SCRAPE_S
"""So that the short window, a twelfth, holds four scrapes."""
SHORT_SHARE = 1 / 12
BAD_SHARE_MAX = 0.9
"""A threshold above this share could hardly be reached by an outage of everything."""
_MINUTE_S = 60.0
_MANY = 60_000
"""Events a minute in a case: enough for any share of them."""
_CASE_S = 600.0
_PATIENT_S = 3_600.0
"""A case that waits for the short window to pass is made where that window is below this."""


class Tier(Record):
    """One pair of windows: how much of the budget is gone when it fires, and how loud it is."""

    how: str
    budget_share: float
    long_share: float
    """Of the objective's window."""
    severity: str


TIERS = (
    Tier(how=names.FAST, budget_share=0.02, long_share=1 / 720, severity="page"),
    Tier(how=names.STEADILY, budget_share=0.05, long_share=1 / 120, severity="page"),
    Tier(how=names.SLOWLY, budget_share=0.10, long_share=1 / 10, severity="ticket"),
)


class Windows(Record):
    tier: Tier
    long_s: float
    short_s: float
    burn_rate: float


def windows(objective: Objective) -> tuple[Windows, ...]:
    """The pairs of windows of an objective; a pair that would repeat the one before it is left out."""
    found: list[Windows] = []
    for tier in TIERS:
        long_s = max(LONG_MIN_S, round(objective.window_s * tier.long_share / _MINUTE_S) * _MINUTE_S)
        if found and long_s <= found[-1].long_s:
            continue
        burn = max(1.0, tier.budget_share * objective.window_s / long_s)
        burn = min(burn, BAD_SHARE_MAX / objective.budget)
        found.append(Windows(tier=tier, long_s=long_s, short_s=long_s * SHORT_SHARE, burn_rate=round(burn, 4)))
    return tuple(found)


def recordings(service: str, watched: Watched) -> Iterator[Recording]:
    """The shares of bad events over each window of the alerts and the objective's own, and the rates of events."""
    objective = watched.objective
    pairs = windows(objective)
    spans = {span for pair in pairs for span in (pair.long_s, pair.short_s)} | {objective.window_s}
    labels = (("slo", objective.id), ("service", service))
    for span in sorted(spans):
        good, total = (each.replace("$window", duration(span)) for each in (watched.good, watched.total))
        # Without a single good event there is no series of good ones: that is a share of 1, not an unknown one.
        bad = f"1 - ({good} or 0 * {total}) / {total}"
        yield Recording(name=_bad_share(span), expression=bad, labels=labels)
    for span in sorted({pair.long_s for pair in pairs}):
        total = watched.total.replace("$window", duration(span))
        yield Recording(name=_events(span), expression=total, labels=labels)


def alerts(service: str, watched: Watched) -> Iterator[Alert]:
    objective = watched.objective
    for pair in windows(objective):
        name = names.burn(objective.id, pair.tier.how)
        threshold = pair.burn_rate * objective.budget
        yield Alert(
            name=name,
            objective=objective.id,
            severity=pair.tier.severity,
            burn_rate=pair.burn_rate,
            long_s=pair.long_s,
            short_s=pair.short_s,
            expression=_expression(objective, pair),
            says=f"{share(threshold)} bad over {told(pair.long_s)} and over {told(pair.short_s)}: "
            f"{pair.burn_rate:.4g} × the budget of {share(objective.budget)}, which would be gone in "
            f"{told(objective.window_s / pair.burn_rate)}.",
            runbook=names.runbook(name),
            kind="burn",
            about=objective.id,
            threshold=threshold,
            metric=watched.series[0].name.partition("{")[0],
            cases=tuple(_cases(service, watched, pair)),
        )


def bad_share(objective: Objective, window_s: float) -> str:
    """The recorded share of bad events of an objective over a window."""
    return f'{_bad_share(window_s)}{{slo="{objective.id}"}}'


def _bad_share(window_s: float) -> str:
    return f"slo:bad_events:ratio_rate{duration(window_s)}"


def _events(window_s: float) -> str:
    return f"slo:events:rate{duration(window_s)}"


def _expression(objective: Objective, pair: Windows) -> str:
    chosen = f'{{slo="{objective.id}"}}'
    limit = number(pair.burn_rate * objective.budget)
    long, short = _bad_share(pair.long_s), _bad_share(pair.short_s)
    return (
        f"{long}{chosen} > {limit}\n"
        f"and {short}{chosen} > {limit}\n"
        f"and {long}{chosen} * {_events(pair.long_s)}{chosen} * {number(pair.long_s)} >= {BAD_MIN}"
    )


def _cases(service: str, watched: Watched, pair: Windows) -> Iterator[AlertCase]:
    objective = watched.objective
    limit = pair.burn_rate * objective.budget
    labels = (("slo", objective.id), ("service", service), *watched.labels)
    above, below = min(1.0, 1.1 * limit), 0.9 * limit
    yield AlertCase(
        says=f"{share(above)} bad",
        series=_series(watched, ((_many(above), 60),)),
        at_s=_CASE_S,
        fires=True,
        labels=labels,
    )
    yield AlertCase(
        says="all bad, and not one good event since the start",
        series=tuple(each for each in _series(watched, (((0, _MANY), 60),)) if not each[1].startswith("0+0x")),
        at_s=_CASE_S,
        fires=True,
        labels=labels,
    )
    yield AlertCase(
        says=f"{share(below)} bad", series=_series(watched, ((_many(below), 60),)), at_s=_CASE_S, fires=False
    )
    yield AlertCase(says=f"{BAD_MIN - 1} bad events, and no others", series=_few(watched), at_s=_CASE_S, fires=False)
    if pair.short_s < _PATIENT_S:
        quiet = int(pair.short_s // _MINUTE_S) + 3
        yield AlertCase(
            says="all bad for five minutes, and good again for longer than the short window",
            series=_series(watched, (((0, _MANY), 5), ((_MANY, 0), quiet))),
            at_s=(5 + quiet) * _MINUTE_S,
            fires=False,
        )


def _many(bad_share: float) -> tuple[int, int]:
    bad = round(_MANY * bad_share)
    return _MANY - bad, bad


def _series(watched: Watched, phases: tuple[tuple[tuple[int, int], int], ...]) -> tuple[tuple[str, str], ...]:
    """Each phase has good and bad events a minute, and minutes."""
    found = []
    for series in watched.series:
        level, words = 0, []
        for (good, bad), minutes in phases:
            step = good * series.counts_good + bad * series.counts_bad
            words.append(f"{level}+{step}x{minutes}")
            level += step * (minutes + 1)
        found.append((series.name, " ".join(words)))
    return tuple(found)


def _few(watched: Watched) -> tuple[tuple[str, str], ...]:
    bad = BAD_MIN - 1
    return tuple((series.name, f"0x2 {bad if series.counts_bad else 0}x60") for series in watched.series)

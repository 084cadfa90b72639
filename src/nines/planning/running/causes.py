"""Alerts on causes: only where a person can do something that the service does not do by itself.

Symptoms page, through the budgets. A cause is a ticket, unless it turns into an outage or a loss before somebody reads
tickets again."""

from __future__ import annotations

from nines.model.design import Alert, AlertCase
from nines.planning.running import names

CASE_LONG = 120
"""Minutes of values in a case."""

Series = tuple[tuple[str, str], ...]


def alert(
    name: str,
    *,
    kind: str,
    about: str,
    severity: str,
    expression: str,
    says: str,
    metric: str,
    cases: tuple[AlertCase, ...],
    for_s: float = 0.0,
    threshold: float | None = None,
) -> Alert:
    return Alert(
        name=name,
        severity=severity,
        expression=expression,
        for_s=for_s,
        says=says,
        runbook=names.runbook(name),
        kind=kind,
        about=about,
        threshold=threshold,
        metric=metric,
        cases=cases,
    )


def fires(says: str, series: Series, at_s: float, **labels: str) -> AlertCase:
    return AlertCase(says=says, series=series, at_s=at_s, fires=True, labels=tuple(labels.items()))


def silent(says: str, series: Series, at_s: float) -> AlertCase:
    return AlertCase(says=says, series=series, at_s=at_s, fires=False)


def steady(value: float) -> str:
    """The same value all the time."""
    return f"{value:g}x{CASE_LONG}"

"""Prometheus's rules, and unit tests of every alert in promtool's format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nines.model.design import Alert, AlertCase, Design, Recording

EVALUATED_S = 30
BUDGET_EVALUATED_S = 300
"""What is left of a budget of weeks does not change in seconds, and is dear to sum up."""
CASE_STEP = "1m"


def rules(design: Design) -> dict[str, Any]:
    running = design.running
    windows = {duration(each.window_s) for each in running.objectives}
    whole = {each.name for each in running.recordings if each.name.rpartition("rate")[2] in windows}
    groups = (
        ("slo", EVALUATED_S, [_recorded(each) for each in running.recordings if each.name not in whole]),
        ("budget", BUDGET_EVALUATED_S, [_recorded(each) for each in running.recordings if each.name in whole]),
        ("burn", EVALUATED_S, [_alerting(design, each) for each in running.alerts if each.objective]),
        ("causes", EVALUATED_S, [_alerting(design, each) for each in running.alerts if not each.objective]),
    )
    return {
        "groups": [
            {"name": f"{design.name}-{name}", "interval": f"{interval}s", "rules": found}
            for name, interval, found in groups
            if found
        ]
    }


def tests(design: Design) -> dict[str, Any]:
    """Each alert with cases in which it fires and cases in which it is silent."""
    return {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": CASE_STEP,
        "tests": [_test(design, alert, case) for alert in design.running.alerts for case in alert.cases],
    }


def labels(design: Design, alert: Alert) -> dict[str, str]:
    found = {"severity": alert.severity, "service": design.name}
    return {**found, "team": design.card.owner} if design.card.owner else found


def notes(alert: Alert) -> dict[str, str]:
    return {"summary": alert.says, "runbook": alert.runbook}


def duration(seconds: float) -> str:
    """In the largest unit that divides it, as Prometheus takes it."""
    whole = max(1, round(seconds))
    size, unit = next(((s, u) for s, u in ((86_400, "d"), (3_600, "h"), (60, "m")) if whole % s == 0), (1, "s"))
    return f"{whole // size}{unit}"


def _recorded(recording: Recording) -> dict[str, Any]:
    return {"record": recording.name, "expr": recording.expression, "labels": dict(recording.labels)}


def _alerting(design: Design, alert: Alert) -> dict[str, Any]:
    rule: dict[str, Any] = {"alert": alert.name, "expr": alert.expression}
    if alert.for_s:
        rule["for"] = duration(alert.for_s)
    return {**rule, "labels": labels(design, alert), "annotations": notes(alert)}


def _test(design: Design, alert: Alert, case: AlertCase) -> dict[str, Any]:
    expected: list[Mapping[str, Any]] = []
    if case.fires:
        found = {**dict(case.labels), **labels(design, alert)}
        expected.append({"exp_labels": found, "exp_annotations": notes(alert)})
    return {
        "name": f"{alert.name}: {case.says}",
        "interval": CASE_STEP,
        "input_series": [{"series": name, "values": values} for name, values in case.series],
        "alert_rule_test": [{"eval_time": duration(case.at_s), "alertname": alert.name, "exp_alerts": expected}],
    }

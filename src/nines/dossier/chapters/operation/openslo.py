"""The objectives and the policies on their budgets as OpenSLO v1."""

from __future__ import annotations

from typing import Any

from nines.dossier import yaml
from nines.dossier.chapters.operation.rules import duration
from nines.dossier.words import share
from nines.model.design import Alert, Design, Objective

_VERSION = "openslo/v1"
_SOURCE = "prometheus"
_DESCRIPTION_MAX = 1_050
_HEAD = """# Where OpenSLO asks for one window, the objective's own stands; the rules that run are in alerts/rules.yaml.
"""
_HOW = {"page": "on-call", "ticket": "queue"}


def text(design: Design) -> str:
    return _HEAD + "---\n".join(yaml.dump(each) for each in documents(design))


def documents(design: Design) -> list[dict[str, Any]]:
    running = design.running
    if not running.objectives:
        return []
    burning = [alert for alert in running.alerts if alert.objective]
    targets = sorted({_HOW[alert.severity] for alert in burning})
    return [
        _kind("Service", design.name, design.name, {"description": _short(design.card.purpose or design.name)}),
        _kind("DataSource", _SOURCE, "Prometheus", {"type": "Prometheus", "connectionDetails": {}}),
        *(_objective(design, each, burning) for each in running.objectives),
        *(_policy(alert) for alert in burning),
        *(_kind("AlertNotificationTarget", each, each, {"target": each}) for each in targets),
    ]


def _objective(design: Design, objective: Objective, burning: list[Alert]) -> dict[str, Any]:
    window = duration(objective.window_s)
    ratio = {
        "counter": True,
        "good": _source(objective.good.replace("$window", window)),
        "total": _source(objective.total.replace("$window", window)),
    }
    spec = {
        "description": _short(objective.says or objective.title),
        "service": design.name,
        "indicator": {"metadata": {"name": objective.id}, "spec": {"ratioMetric": ratio}},
        "timeWindow": [{"duration": shorthand(objective.window_s), "isRolling": True}],
        "budgetingMethod": "Occurrences",
        "objectives": [{"displayName": f"{objective.title}: {share(objective.target)}", "target": objective.target}],
        "alertPolicies": [{"alertPolicyRef": name(alert)} for alert in burning if alert.objective == objective.id],
    }
    return _kind("SLO", objective.id, objective.title, spec)


def _policy(alert: Alert) -> dict[str, Any]:
    condition = {
        "kind": "burnrate",
        "op": "gte",
        "threshold": alert.burn_rate,
        "lookbackWindow": shorthand(alert.long_s or 0.0),
        "alertAfter": shorthand(alert.short_s or 0.0),
    }
    spec = {
        "description": _short(alert.says),
        "alertWhenBreaching": True,
        "alertWhenResolved": False,
        "alertWhenNoData": False,
        "conditions": [
            {
                "kind": "AlertCondition",
                "metadata": {"name": name(alert)},
                "spec": {"severity": alert.severity, "condition": condition},
            }
        ],
        "notificationTargets": [{"targetRef": _HOW[alert.severity]}],
    }
    return _kind("AlertPolicy", name(alert), alert.name, spec)


def name(alert: Alert) -> str:
    """As an object may be called: small letters, digits and hyphens."""
    how = alert.name.rpartition("Burns")[2].lower()
    return f"{alert.objective}-{how}"


def shorthand(seconds: float) -> str:
    """OpenSLO knows no unit below the minute."""
    minutes = max(1, round(seconds / 60))
    size, unit = next(((s, u) for s, u in ((1_440, "d"), (60, "h")) if minutes % s == 0), (1, "m"))
    return f"{minutes // size}{unit}"


def _kind(kind: str, name: str, title: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": _VERSION, "kind": kind, "metadata": {"name": name, "displayName": title}, "spec": spec}


def _source(query: str) -> dict[str, Any]:
    return {"metricSource": {"metricSourceRef": _SOURCE, "type": "Prometheus", "spec": {"query": query}}}


def _short(text: str) -> str:
    return text[:_DESCRIPTION_MAX]

"""The structure of OpenSLO v1, as its specification says it, for what the dossier writes of it."""

from __future__ import annotations

from typing import Any

_NAME = {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "maxLength": 63}
_DURATION = {"type": "string", "pattern": "^[1-9][0-9]*[mhdwMQY]$"}
_DESCRIPTION = {"type": "string", "maxLength": 1050}


def _strict(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": properties}


_METADATA = _strict(("name",), name=_NAME, displayName={"type": "string"})
_SOURCE = _strict(
    ("metricSource",),
    metricSource=_strict(
        ("spec",),
        metricSourceRef=_NAME,
        type={"const": "Prometheus"},
        spec=_strict(("query",), query={"type": "string"}),
    ),
)
_RATIO = _strict(("counter", "good", "total"), counter={"type": "boolean"}, good=_SOURCE, total=_SOURCE)
_INDICATOR = _strict(("metadata", "spec"), metadata=_METADATA, spec=_strict(("ratioMetric",), ratioMetric=_RATIO))
_WINDOW = _strict(("duration", "isRolling"), duration=_DURATION, isRolling={"const": True})
_OBJECTIVE = _strict(
    ("target",), displayName={"type": "string"}, target={"type": "number", "minimum": 0, "exclusiveMaximum": 1}
)
_CONDITION = _strict(
    ("kind", "op", "threshold", "lookbackWindow", "alertAfter"),
    kind={"const": "burnrate"},
    op={"enum": ["lte", "gte", "lt", "gt"]},
    threshold={"type": "number"},
    lookbackWindow=_DURATION,
    alertAfter=_DURATION,
)
_SPECS = {
    "Service": _strict((), description=_DESCRIPTION),
    "DataSource": _strict(("type", "connectionDetails"), type={"type": "string"}, connectionDetails={"type": "object"}),
    "SLO": _strict(
        ("service", "indicator", "timeWindow", "budgetingMethod", "objectives"),
        description=_DESCRIPTION,
        service=_NAME,
        indicator=_INDICATOR,
        timeWindow={"type": "array", "items": _WINDOW, "minItems": 1, "maxItems": 1},
        budgetingMethod={"enum": ["Occurrences", "Timeslices", "RatioTimeslices"]},
        objectives={"type": "array", "items": _OBJECTIVE, "minItems": 1},
        alertPolicies={"type": "array", "items": _strict(("alertPolicyRef",), alertPolicyRef=_NAME)},
    ),
    "AlertPolicy": _strict(
        ("conditions", "notificationTargets"),
        description=_DESCRIPTION,
        alertWhenBreaching={"type": "boolean"},
        alertWhenResolved={"type": "boolean"},
        alertWhenNoData={"type": "boolean"},
        conditions={
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": _strict(
                ("kind", "metadata", "spec"),
                kind={"const": "AlertCondition"},
                metadata=_METADATA,
                spec=_strict(("severity", "condition"), severity={"type": "string"}, condition=_CONDITION),
            ),
        },
        notificationTargets={"type": "array", "minItems": 1, "items": _strict(("targetRef",), targetRef=_NAME)},
    ),
    "AlertNotificationTarget": _strict(("target",), target={"type": "string"}, description=_DESCRIPTION),
}
SCHEMA = {
    "oneOf": [
        _strict(
            ("apiVersion", "kind", "metadata", "spec"),
            apiVersion={"const": "openslo/v1"},
            kind={"const": kind},
            metadata=_METADATA,
            spec=spec,
        )
        for kind, spec in _SPECS.items()
    ]
}

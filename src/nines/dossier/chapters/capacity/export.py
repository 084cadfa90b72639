"""The figures of the chapter for tools."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from nines.model.design import CapacityPlan, Design

_DIGITS = 6


def text(design: Design, plan: CapacityPlan) -> str:
    demand = design.demand
    document = {
        "service": design.name,
        "load": _plain(demand) if demand else None,
        "operations": [
            {"operation": each.id, "steady_hz": _rounded(each.steady_hz), "peak_hz": _rounded(each.peak_hz)}
            for each in design.endpoints
        ],
        "jobs": [
            {"job": each.name, "steady_hz": _rounded(each.steady_hz), "peak_hz": _rounded(each.peak_hz)}
            for each in design.jobs
        ],
        **_plain(plan),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    """With every field, defaults included, and figures with as many digits as they deserve."""
    if isinstance(value, msgspec.Struct):
        return {field: _plain(getattr(value, field)) for field in value.__struct_fields__}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return _rounded(value)


def _rounded(value: Any) -> Any:
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value

"""Failure modes and forecast for tools, in the words and figures of the page."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from nines.model.design import Design


def text(design: Design) -> str:
    forecast = design.forecast
    document: dict[str, Any] = {
        "service": design.name,
        "failures": [msgspec.to_builtins(each) for each in design.failures],
    }
    if forecast is not None:
        document["forecast"] = {
            "availability": forecast.availability,
            "target": forecast.target,
            "is_met": forecast.availability >= forecast.target,
            "contributions": [{"failure": id, "share_of_year": cost} for id, cost in forecast.contributions],
            "assumptions": list(forecast.assumptions),
        }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

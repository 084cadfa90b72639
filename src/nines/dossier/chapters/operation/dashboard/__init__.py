"""One Grafana dashboard: what is left of the budgets, requests (RED), work, others, and what can be used up (USE)."""

from __future__ import annotations

import json
from typing import Any

from nines.dossier.chapters.operation.dashboard.panels import Panel, rows
from nines.model.design import Design

_SOURCE = {"type": "prometheus", "uid": "${source}"}
_WIDTH = 24
_HEIGHT = 7


def text(design: Design) -> str:
    panels: list[dict[str, Any]] = []
    top = 0
    for title, found in rows(design):
        if not found:
            continue
        panels.append(_row(len(panels) + 1, title, top))
        top += 1
        top = _lay(panels, found, top)
    document = {
        "uid": design.name[:40],
        "title": f"{design.name}: budgets, requests, work, use",
        "tags": [design.name, "slo"],
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "utc",
        "templating": {
            "list": [{"name": "source", "label": "Source", "type": "datasource", "query": "prometheus", "refresh": 1}]
        },
        "annotations": {"list": []},
        "panels": panels,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _row(id: int, title: str, top: int) -> dict[str, Any]:
    return {"id": id, "type": "row", "title": title, "collapsed": False, "gridPos": _place(0, top, _WIDTH, 1)}


def _lay(panels: list[dict[str, Any]], found: list[Panel], top: int) -> int:
    """Figures side by side, four in a line; curves three in a line; gives the line below."""
    for width, height, chosen in (
        (6, 4, [each for each in found if each.is_figure]),
        (8, _HEIGHT, [each for each in found if not each.is_figure]),
    ):
        each_line = _WIDTH // width
        for at, panel in enumerate(chosen):
            place = _place(at % each_line * width, top + at // each_line * height, width, height)
            panels.append(_panel(len(panels) + 1, panel, place))
        top += -(-len(chosen) // each_line) * height
    return top


def _panel(id: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    colours = ("red", "orange", "green") if panel.is_least else ("green", "orange", "red")
    limits = sorted(panel.limits)
    middle = colours[1:] if len(limits) > 1 else (colours[2],)
    steps: list[dict[str, Any]] = [{"color": colours[0], "value": None}]
    steps += [{"color": colour, "value": limit} for colour, limit in zip(middle, limits, strict=False)]
    shown = {"thresholdsStyle": {"mode": "line" if panel.limits else "off"}, "fillOpacity": 5, "showPoints": "never"}
    return {
        "id": id,
        "type": "stat" if panel.is_figure else "timeseries",
        "title": panel.title,
        "description": panel.says,
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "thresholds": {"mode": "absolute", "steps": steps if panel.limits else [steps[0]]},
                **({} if panel.is_figure else {"custom": shown}),
            },
            "overrides": [],
        },
        "options": {"colorMode": "background"} if panel.is_figure else {"legend": {"displayMode": "list"}},
        "targets": [
            {"refId": chr(ord("A") + at), "expr": expression, "legendFormat": legend, "datasource": _SOURCE}
            for at, (expression, legend) in enumerate(panel.queries)
        ],
    }


def _place(left: int, top: int, width: int, height: int) -> dict[str, int]:
    return {"x": left, "y": top, "w": width, "h": height}

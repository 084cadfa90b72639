"""One self-contained HTML file that a person wants to read: no network, no script needed, light and dark."""

from __future__ import annotations

import math
from importlib import resources

import jinja2
from markupsafe import Markup

from nines.model.finding import Finding, Standing
from nines.model.report import Report
from nines.model.rule import Tier
from nines.reports.html import code, plots

SUFFIX = ".html"
_EXACT_MAX = 1e15
"""Whole numbers below this are written out."""


def render(report: Report, *, width: int, is_coloured: bool) -> str:  # noqa: ARG001
    """The page; everything that came from outside is escaped by the template."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["excerpt"] = code.Excerpts(report.excerpts).around
    environment.globals["plots_of"] = lambda trial: plots.of(trial, report.limits)
    environment.filters["figure"] = _figure
    folder = resources.files(__name__)
    template = environment.from_string((folder / "page.html.j2").read_text(encoding="utf-8"))
    return template.render(
        report=report,
        tiers=_by_tier(report),
        standings=sorted({f.standing.value for f in report.findings if f.standing is not Standing.REFUTED}),
        refuted=[finding for finding in report.findings if finding.standing is Standing.REFUTED],
        rules={rule.id: rule for rule in report.rules},
        by_fingerprint={finding.fingerprint: finding for finding in report.findings},
        style=Markup((folder / "style.css").read_text(encoding="utf-8") + code.style()),  # noqa: S704 - our own file.
        script=Markup((folder / "script.js").read_text(encoding="utf-8")),  # noqa: S704 - our own file.
    )


def _by_tier(report: Report) -> list[tuple[str, list[Finding]]]:
    shown = [finding for finding in report.findings if finding.standing is not Standing.REFUTED]
    grouped = ((tier.value, [finding for finding in shown if finding.tier is tier]) for tier in Tier)
    return [(name, findings) for name, findings in grouped if findings]


def _figure(value: float | None, unit: str = "") -> str:
    """A number with its unit, as people write it: four significant digits, a share as a percentage."""
    if value is None:
        return "–"
    if unit == "share":
        # Neither 99.9996 % nor 0.0004 % may be rounded away: the smaller side keeps two digits of its own.
        smaller = 100 * min(value, 1 - value)
        digits = max(2, 1 - math.floor(math.log10(smaller))) if smaller > 0 else 2
        return f"{100 * value:.{digits}f}".rstrip("0").rstrip(".") + " %"
    if abs(value) < _EXACT_MAX and (value == int(value) or abs(value) >= 1000):
        text = f"{round(value):,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    else:
        text = f"{value:.4g}"
    return f"{text} {unit}".strip()

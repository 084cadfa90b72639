"""A blueprint for a question: one that nines brings, at the load that is asked for, or a first one; and its design."""

from __future__ import annotations

import math
import re
import tempfile
from importlib import resources
from pathlib import Path

from nines.asking.material import Decided, Draft, Objected
from nines.model import words
from nines.model.design import Choice, Design, Objection
from nines.model.progress import Progress
from nines.verbs.answers import Answers
from nines.verbs.design import Planned, from_blueprint
from nines.verbs.interview import interview

_BLUEPRINTS = "nines.asking"
_FOLDER = "blueprints"
_LOAD = re.compile(r"^load: \{steady: (?P<steady>[^,]+), peak: (?P<peak>[^,]+)", re.MULTILINE)
_SPARE = 1.25
"""Peak over the rate that somebody names: nobody names the busiest second."""
_ORDINARY = 5
"""Times that the peak is above an ordinary day, where nobody says it."""
_FIRST = "blueprint.yaml"
_ITEMS_MAX = 8
_WHOLE_MIN = 5.0
"""From here on a rounded figure is near enough."""


def shipped() -> tuple[str, ...]:
    """The names of the blueprints that nines brings."""
    folder = resources.files(_BLUEPRINTS).joinpath(_FOLDER)
    return tuple(sorted(each.name.removesuffix(".yaml") for each in folder.iterdir() if each.name.endswith(".yaml")))


def draft(subject: str, name: str, rate_hz: float | None, progress: Progress) -> Draft:
    """Designs it; an objection is part of the answer."""
    text = _shipped(subject, rate_hz) if subject in shipped() else _first(name, rate_hz)
    planned = _designed(text, progress)
    load = _LOAD.search(text)
    return _told(
        planned, text, is_shipped=subject in shipped(), load=(load["steady"], load["peak"]) if load else ("", "")
    )


def _shipped(subject: str, rate_hz: float | None) -> str:
    """With the load that is asked for, where the one that it has does not carry it."""
    text = resources.files(_BLUEPRINTS).joinpath(_FOLDER, f"{subject}.yaml").read_text("utf-8")
    load = _LOAD.search(text)
    if rate_hz is None or load is None:
        return text
    steady_hz, peak_hz = _hertz(load["steady"]), _hertz(load["peak"])
    if steady_hz <= rate_hz <= peak_hz:
        return text
    peak = rate_hz * _SPARE
    return _LOAD.sub(f"load: {{steady: {rate(peak / _ORDINARY)}, peak: {rate(peak)}", text, count=1)


def _first(name: str, rate_hz: float | None) -> str:
    """Made of what the question says; everything else is assumed, and stands there as an open question."""
    peak = rate_hz * _SPARE if rate_hz else None
    load = {"steady": rate(peak / _ORDINARY), "peak": rate(peak)} if peak else {}
    return interview(Answers(name=name, **load)).text


def _hertz(text: str) -> float:
    found = re.fullmatch(r"([0-9.]+) ?/ ?([a-z]+)", text.strip())
    periods = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3_600.0, "d": 86_400.0}
    return float(found[1]) / periods[found[2]] if found else 0.0


def rate(hertz: float) -> str:
    """As a blueprint writes it, in whole numbers, rounded up: 2500/s, 12/m, 3/h."""
    for period_s, unit in ((1.0, "s"), (60.0, "m")):
        if hertz * period_s >= _WHOLE_MIN:
            return f"{math.ceil(hertz * period_s)}/{unit}"
    return f"{max(math.ceil(hertz * 3_600), 1)}/h"


def _designed(text: str, progress: Progress) -> Planned:
    with tempfile.TemporaryDirectory(prefix="nines-blueprint-") as folder:
        path = Path(folder) / _FIRST
        path.write_text(text, encoding="utf-8")
        return from_blueprint(path, progress=progress)


def bottleneck_of(design: Design) -> str:
    """The first multiple of the load that something cannot carry, in words."""
    points = design.capacity.points if design.capacity else ()
    found = next((point for point in points if point.bottleneck), None)
    if found is None:
        return f"none up to {words.rate(points[-1].rate_hz)}" if points else ""
    return f"{found.bottleneck} at {found.factor:g} times the peak ({words.rate(found.rate_hz)})"


def _told(planned: Planned, text: str, *, is_shipped: bool, load: tuple[str, str]) -> Draft:
    design = planned.design
    if design is None:
        return Draft(
            name=planned.name, text=text, is_shipped=is_shipped, objections=tuple(map(_objected, planned.reasons))
        )
    forecast, promised = design.forecast, design.budgets
    return Draft(
        name=design.name,
        text=text,
        is_shipped=is_shipped,
        steady=load[0],
        peak=load[1],
        operations=tuple(endpoint.id for endpoint in design.endpoints),
        tables=tuple(table.name for table in design.tables),
        bottleneck=bottleneck_of(design),
        availability=forecast.availability if forecast else None,
        promised=forecast.target if forecast else None,
        decisions=tuple(
            Decided(
                concern=each.concern,
                chosen=each.chosen,
                because=each.because,
                options=tuple((option.name, _trade(option)) for option in each.options),
            )
            for each in design.decisions
        ),
        failures=tuple(
            (
                f"{each.dependency} is {each.mode}: {each.caller_sees.rstrip('.')}.",
                ", ".join(each.contained_by) or "none",
            )
            for each in design.failures[:_ITEMS_MAX]
        ),
        threats=tuple(
            (f"{each.says.rstrip('.')}.", each.mitigation) for each in design.threats[:_ITEMS_MAX] if each.mitigation
        ),
        gaps=tuple((gap.question, gap.assumed, gap.matters) for gap in design.gaps[:_ITEMS_MAX]),
        limits=(
            f"Promised: {words.share(promised.availability)} available, errors below "
            f"{words.share(promised.error_rate)}, p95 {words.duration(promised.latency_p95_s)}, recovery within "
            f"{words.duration(promised.recovery_s)}.",
            f"Load: {load[0]} ordinarily, {load[1]} at the peak; first bottleneck: "
            f"{bottleneck_of(design) or 'unknown'}.",
        ),
    )


def _objected(objection: Objection) -> Objected:
    return Objected(says=objection.says, options=tuple((each.name, _trade(each)) for each in objection.options))


def _trade(choice: Choice) -> str:
    when = f"; when {choice.when.rstrip('.')}" if choice.when else ""
    return f"gains {choice.gains.rstrip('.')}; costs {choice.costs.rstrip('.')}{when}"

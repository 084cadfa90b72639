"""The chapter's own page."""

from __future__ import annotations

from nines.dossier.chapters.failure import budgets
from nines.dossier.markdown import bullets, code, heading, line, page, table
from nines.dossier.words import duration, share
from nines.model.design import Design, FailureMode, Forecast

_YEAR_S = 365 * 86_400.0


def text(design: Design) -> str:
    return page(
        heading(1, "Failure"),
        _opening(design),
        *_forecast(design),
        *_open(design),
        *_budgets(design),
        heading(2, "By dependency"),
        _reading(design),
        *_by_dependency(design),
        *_assumed(design),
    )


def _opening(design: Design) -> str:
    parts = len(dict.fromkeys(each.dependency for each in design.failures))
    tried = sum(1 for each in design.failures if each.tried_by)
    felt = sum(1 for each in design.failures if each.share > 0)
    found = f"{len(design.failures):,} failure modes of {parts:,} parts; {tried:,} are tried by an experiment."
    if design.is_recovered:
        return (
            f"{found} This was read from the code of {code(design.name)}: how often a dependency fails, how long it "
            "takes and how it is deployed is not in code, so no availability is forecast. What would be needed: the "
            "promised availability of each dependency, the rate of each operation, the number of processes and zones."
        )
    return f"{found} {felt:,} of them fail requests; the others delay work, or are carried by something else."


def _forecast(design: Design) -> list[str]:
    forecast = design.forecast
    if forecast is None:
        return []
    verdict = "which is kept" if forecast.availability >= forecast.target else "which is **missed**"
    modes = {each.id: each for each in design.failures}
    rows = [
        (
            id,
            f"{modes[id].dependency}, {modes[id].mode}",
            f"{modes[id].per_year:.3g}",
            duration(modes[id].lasts_s),
            share(float(f"{modes[id].share:.3g}")),
            duration(cost * _YEAR_S),
            share(float(f"{cost:.2g}")),
        )
        for id, cost in forecast.contributions
    ]
    return [
        heading(2, "What availability is left"),
        f"**{share(float(f'{forecast.availability:.6g}'))}** of the requests of a year; {share(forecast.target)} "
        f"is promised, {verdict}. "
        f"{duration((1 - forecast.availability) * _YEAR_S)} a year are lost, "
        f"{duration((1 - forecast.target) * _YEAR_S)} "
        "are allowed.",
        line(forecast.says),
        table(("mode", "what", "a year", "each lasts", "requests failed", "lost a year", "share"), rows),
        *_missed(forecast),
    ]


def _missed(forecast: Forecast) -> list[str]:
    found = forecast.objection
    if found is None:
        return []
    rows = [(option.name, option.gains, option.costs) for option in found.options]
    return [f"**{found.says}.** The ways out:", table(("option", "gains", "costs"), rows)]


def _open(design: Design) -> list[str]:
    still = [each for each in design.failures if each.is_open]
    if not still:
        return []
    groups: dict[tuple[str, str], list[FailureMode]] = {}
    for each in still:
        reason = (
            "nothing that is known holds it"
            if not each.contained_by
            else f"held only by: {'; '.join(each.contained_by)}"
        )
        groups.setdefault((each.dependency, reason), []).append(each)
    lines = [
        f"**{', '.join(f'{each.id} {each.mode}' for each in same)}** of {code(name)}: {reason}."
        for (name, reason), same in groups.items()
    ]
    return [heading(2, "What is open"), bullets(lines)]


def _budgets(design: Design) -> list[str]:
    waits, calls = budgets.times(design), budgets.amplification(design)
    blocks = []
    if waits:
        blocks += [heading(2, "Time budgets"), waits]
    if calls:
        blocks += [
            heading(2, "Repetitions"),
            "Attempts of different layers multiply, at the worst moment. The breaker ends it: while it is open, "
            "nothing is asked.",
            calls,
        ]
    return blocks


def _reading(design: Design) -> str:
    if design.is_recovered:
        return (
            "`not known` stands where code does not tell; an open mode is one for which no deadline or no "
            "containment was found."
        )
    return (
        "How long: until answers are right again, the breaker or the pool included. How often and for how many: "
        "the sums "
        "below each table."
    )


def _by_dependency(design: Design) -> list[str]:
    blocks = []
    for name in dict.fromkeys(each.dependency for each in design.failures):
        mine = [each for each in design.failures if each.dependency == name]
        blocks.append(heading(3, name))
        columns = (
            "mode",
            "fails as",
            "how it shows",
            "what holds it",
            "what the caller sees",
            "lasts",
            "a year",
            "tried by",
        )
        blocks.append(table(columns, [_row(each) for each in mine]))
        if not design.is_recovered:
            blocks.append(bullets(f"{each.id}: {each.arithmetic}" for each in mine))
        else:
            blocks.append(line(mine[0].arithmetic))
    return blocks


def _row(mode: FailureMode) -> tuple[str, ...]:
    return (
        mode.id,
        mode.mode,
        mode.shows,
        "; ".join(mode.contained_by) or "**nothing that is known**",
        mode.caller_sees,
        duration(mode.lasts_s) if mode.lasts_s else "not known",
        f"{mode.per_year:.3g}" if mode.per_year else "not known",
        code(mode.tried_by) if mode.tried_by else "nothing yet",
    )


def _assumed(design: Design) -> list[str]:
    if design.forecast is None:
        return []
    said = [f"{each[:1].upper()}{each[1:]}." for each in design.forecast.assumptions]
    return [heading(2, "What was assumed"), bullets(said)]

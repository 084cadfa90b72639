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
        held = f"; held by {'; '.join(each.contained_by)}" if each.contained_by else "; nothing that is known holds it"
        reason = each.caller_sees + ("" if design.is_recovered else held)
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
            "What holds a mode is what was found: deadlines, repetitions, handlers. How it shows, how often it "
            "happens and "
            "how long it takes is not in code. A call without a deadline that was found is open."
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
        if design.is_recovered:
            blocks += _found(mine)
            continue
        blocks.append(table(_COLUMNS, [_row(each) for each in mine]))
        blocks.append(bullets(f"{each.id}: {each.arithmetic}" for each in mine))
    return blocks


_COLUMNS = ("mode", "fails as", "how it shows", "what holds it", "what the caller sees", "lasts", "a year", "tried by")


def _found(mine: list[FailureMode]) -> list[str]:
    """Of code: modes of which the same is known stand together; how often and how long is known of none."""
    groups: dict[tuple[tuple[str, ...], str, str], list[FailureMode]] = {}
    for each in mine:
        groups.setdefault((each.contained_by, each.caller_sees, each.tried_by), []).append(each)
    rows = [
        (
            ", ".join(f"{each.id} {each.mode}" for each in same),
            "; ".join(contained) or "nothing that was found",
            f"{sees}{' **Open.**' if any(each.is_open for each in same) else ''}",
            code(tried) if tried else "nothing yet",
        )
        for (contained, sees, tried), same in groups.items()
    ]
    asked = (
        f"Asked by {len(mine[0].operations):,} operations."
        if mine[0].operations
        else "Asked by no operation, by jobs alone."
    )
    return [asked, table(("fails as", "what holds it", "what the caller sees", "tried by"), rows)]


def _row(mode: FailureMode) -> tuple[str, ...]:
    return (
        mode.id,
        mode.mode,
        mode.shows,
        "; ".join(mode.contained_by) or "**nothing that is known**",
        mode.caller_sees,
        duration(mode.lasts_s),
        f"{mode.per_year:.3g}",
        code(mode.tried_by) if mode.tried_by else "nothing yet",
    )


def _assumed(design: Design) -> list[str]:
    if design.forecast is None:
        return []
    said = [f"{each[:1].upper()}{each[1:]}." for each in design.forecast.assumptions]
    return [heading(2, "What was assumed"), bullets(said)]

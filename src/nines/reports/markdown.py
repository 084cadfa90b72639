"""Markdown for a pull request: the verdict first, details folded away."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.finding import Finding, Standing
from nines.model.report import Report
from nines.model.rule import Tier
from nines.model.verdict import Verdict

SUFFIX = ".md"
_FINDINGS_MAX = 50
"""A comment on a pull request is limited to 65,536 characters; the rest is counted."""
_MARKS = {Verdict.BROKEN: "✗ broken", Verdict.UNKNOWN: "? unknown", Verdict.HOLDS: "✓ holds"}


def render(report: Report, *, width: int, is_coloured: bool) -> str:  # noqa: ARG001
    return "\n".join(_lines(report)).rstrip() + "\n"


def _lines(report: Report) -> Iterator[str]:
    headline = report.readiness.value if report.readiness else f"nines {report.command}"
    yield f"## {headline}: {_inline(report.project)}"
    yield ""
    yield _inline(report.says)
    yield ""
    if report.budgets:
        yield from _budgets(report)
    if report.trials:
        yield from _trials(report)
    yield from _findings(report)
    if report.stale:
        yield "### Stale baseline entries"
        yield ""
        yield from (f"- {_inline(entry)}" for entry in report.stale)
        yield ""
    yield from _unexamined(report)
    seed = f", seed {report.seed}" if report.seed is not None else ""
    read = f"{report.reading.files} files read in {report.reading.duration_s:.1f} s"
    yield f"<sub>nines {report.version}, {read}{seed}</sub>"


def _budgets(report: Report) -> Iterator[str]:
    yield "| budget | limit | standing | evidence |"
    yield "|---|---|---|---|"
    for budget in report.budgets:
        limit = f"{100 * budget.limit:g} %" if budget.unit == "share" else f"{budget.limit:g} {budget.unit}".strip()
        yield f"| {budget.name} | {limit} | **{budget.standing.value}** | {_cell(budget.says)} |"
    yield ""


def _trials(report: Report) -> Iterator[str]:
    yield "| claim | verdict | what was seen |"
    yield "|---|---|---|"
    for trial in report.trials:
        yield f"| {_cell(trial.claim)} | {_MARKS[trial.verdict]} | {_cell(trial.says)} |"
    yield ""
    for trial in report.trials:
        if trial.reproduction:
            yield f"<details><summary>Reproduce: {_inline(trial.claim)}</summary>"
            yield ""
            yield "```sh"
            yield from trial.reproduction
            yield "```"
            yield "</details>"
            yield ""


def _findings(report: Report) -> Iterator[str]:
    shown = [finding for finding in report.findings if finding.standing is not Standing.REFUTED]
    refuted = len(report.findings) - len(shown)
    if not shown:
        yield "No findings." + (f" {refuted} suspicions were refuted by experiment." if refuted else "")
        yield ""
    explained: set[str] = set()
    for tier in Tier:
        mine = [finding for finding in shown[:_FINDINGS_MAX] if finding.tier is tier]
        if mine:
            yield f"### {tier.value.capitalize()} ({len(mine)})"
            yield ""
            for finding in mine:
                yield from _finding(finding, with_options=finding.rule not in explained)
                explained.add(finding.rule)
    if len(shown) > _FINDINGS_MAX:
        yield f"… and {len(shown) - _FINDINGS_MAX} more."
        yield ""


def _finding(finding: Finding, *, with_options: bool) -> Iterator[str]:
    """The ways to fix it stand with the first finding of each rule only."""
    where = f"`{finding.place}` " if finding.place else ""
    kind = f"{finding.severity.value}, {finding.standing.value}, `{finding.rule}`"
    yield f"- **{_inline(finding.message)}** {where}({kind})"
    if finding.consequence:
        yield f"  {_inline(finding.consequence)}"
    path = " → ".join(f"`{step.function.rsplit('.', 1)[-1]}`" for step in finding.path)
    if path:
        yield f"  {_inline(finding.endpoint)} → {path}"
    for evidence in finding.evidence:
        yield f"  _{_inline(evidence.source)}: {_inline(evidence.says)}_"
    for option in finding.options if with_options else ():
        yield f"  - {_inline(option.title)}: {_inline(option.trade_off)}"
    yield ""


def _unexamined(report: Report) -> Iterator[str]:
    if not report.unexamined:
        return
    yield f"<details><summary>Not examined ({sum(item.count for item in report.unexamined)})</summary>"
    yield ""
    for item in report.unexamined:
        times = f" ({item.count}×)" if item.count > 1 else ""
        yield f"- {_inline(item.what)}: {_inline(item.reason)}{times}" + (f" {_inline(item.hint)}" if item.hint else "")
    yield "</details>"
    yield ""


def _inline(text: str) -> str:
    """One line that cannot start or end a structure of its own."""
    return " ".join(text.split()).replace("<", "&lt;").replace("\\", "\\\\").replace("*", "\\*").replace("`", "'")


def _cell(text: str) -> str:
    return _inline(text).replace("|", "\\|")

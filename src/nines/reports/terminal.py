"""The report for a terminal."""

from __future__ import annotations

import io
from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from nines.model.budget import BudgetResult
from nines.model.budget import Standing as BudgetStanding
from nines.model.experiment import Trial
from nines.model.finding import Finding, Standing
from nines.model.report import Excerpt, Readiness, Report
from nines.model.rule import Severity, Tier
from nines.model.verdict import Verdict

SUFFIX = ""
_DETAILED_MAX = 25
"""Findings that are shown with their code; the others get a line."""
_UNEXAMINED_MAX = 15

_VERDICTS = {Verdict.BROKEN: ("✗", "bold red"), Verdict.UNKNOWN: ("?", "yellow"), Verdict.HOLDS: ("✓", "green")}
_READINESS = {
    Readiness.READY: "bold white on green",
    Readiness.NOT_READY: "bold white on red",
    Readiness.NOT_SHOWN: "bold black on yellow",
}
_BUDGETS = {BudgetStanding.MET: "green", BudgetStanding.MISSED: "bold red", BudgetStanding.NOT_SHOWN: "yellow"}
_SEVERITIES = {Severity.CRITICAL: "bold red", Severity.HIGH: "red", Severity.MEDIUM: "yellow", Severity.LOW: "dim"}
_STANDINGS = {Standing.PROVEN: "bold red", Standing.SUSPECTED: "yellow", Standing.REFUTED: "green"}


def render(report: Report, *, width: int, is_coloured: bool) -> str:
    buffer = io.StringIO()
    console = Console(
        file=buffer, width=width, force_terminal=is_coloured, no_color=not is_coloured, highlight=False, markup=False
    )
    for part in _parts(report):
        console.print(part)
    lines = (line.rstrip() for line in buffer.getvalue().splitlines())
    return "\n".join(lines)


def _parts(report: Report) -> Iterator[RenderableType]:
    shown = [finding for finding in report.findings if finding.standing is not Standing.REFUTED]
    refuted = [finding for finding in report.findings if finding.standing is Standing.REFUTED]
    excerpts = _index(report.excerpts)
    first = {finding.rule: position for position, finding in reversed(list(enumerate(shown)))}
    for tier in Tier:
        mine = [(i, f) for i, f in enumerate(shown) if f.tier is tier]
        if mine:
            yield Rule(Text(f"{tier.value.capitalize()} ({len(mine)})", style="bold"), align="left")
            for position, finding in mine:
                lines = excerpts if position < _DETAILED_MAX else {}
                yield _finding(finding, lines, is_first=first[finding.rule] == position)
    if refuted:
        yield Rule(Text(f"Suspected by reading, refuted by running ({len(refuted)})", style="bold"), align="left")
        yield from (_refuted(finding) for finding in refuted)
    if report.trials:
        yield Rule(Text("Experiments", style="bold"), align="left")
        yield from (_trial(trial, report) for trial in report.trials)
        yield Text()
    yield from _unexamined(report)
    yield from (Text(f"stale baseline entry: {entry}", style="yellow") for entry in report.stale)
    yield _verdict(report)


def _index(excerpts: tuple[Excerpt, ...]) -> dict[tuple[str, int], str]:
    return {(e.file, e.first + offset): line for e in excerpts for offset, line in enumerate(e.lines)}


def _finding(finding: Finding, lines: dict[tuple[str, int], str], *, is_first: bool) -> RenderableType:
    """The ways to fix it stand with the first finding of each rule only."""
    parts: list[RenderableType] = [
        Text.assemble(
            ("■ ", _SEVERITIES[finding.severity]),
            (finding.message, "bold"),
            ("  " + finding.standing.value, _STANDINGS[finding.standing]),
        ),
        Text.assemble(
            (str(finding.place) if finding.place else "seen on the wire", "cyan"),
            (f"  {finding.rule}  {finding.severity.value}, {finding.confidence.value} confidence", "dim"),
        ),
    ]
    if not lines:
        return Padding(Group(*parts), (0, 0, 0, 1))
    if finding.endpoint:
        others = len(finding.endpoints) - 1
        more = f" and {others} more" if others > 0 else ""
        parts.append(Text.assemble(("from  ", "dim"), finding.endpoint + more))
    parts += [Text.assemble(("  → ", "dim"), s.function, (f"  called at {s.place}", "dim")) for s in finding.path]
    code = _code(finding, lines)
    if code is not None:
        parts.append(code)
    parts += [Text.assemble((f"{place}  ", "cyan"), words) for words, place in finding.related]
    if finding.consequence:
        parts.append(Text(finding.consequence))
    parts += [
        Text.assemble(
            ("proven by  " if e.supports else "tried by  ", "dim"), f"{e.source}: {e.says}", (f"  ({e.effort})", "dim")
        )
        for e in finding.evidence
    ]
    options = finding.options if is_first else ()
    parts += [Text.assemble(("fix  ", "green"), (o.title, "bold"), f": {o.trade_off}") for o in options]
    return Padding(Group(*parts), (0, 0, 1, 1))


def _code(finding: Finding, lines: dict[tuple[str, int], str]) -> RenderableType | None:
    if finding.place is None:
        return None
    numbers = range(max(1, finding.place.line - 1), finding.place.line + 2)
    present = [n for n in numbers if (finding.place.file, n) in lines]
    if not present:
        return None
    text = "\n".join(lines[finding.place.file, n] for n in present)
    return Syntax(
        text,
        "python",
        line_numbers=True,
        start_line=present[0],
        highlight_lines={finding.place.line},
        theme="ansi_dark",
        background_color="default",
        word_wrap=False,
    )


def _refuted(finding: Finding) -> RenderableType:
    tried = "; ".join(f"{evidence.says} ({evidence.effort})" for evidence in finding.evidence)
    return Padding(
        Text.assemble((str(finding.place or ""), "cyan"), f"  {finding.message}: ", (tried, "dim")), (0, 0, 0, 1)
    )


def _trial(trial: Trial, report: Report) -> RenderableType:
    mark, style = _VERDICTS[trial.verdict]
    parts: list[RenderableType] = [Text.assemble((f"{mark} ", style), (trial.claim, "bold"))]
    parts.append(Padding(Text(trial.says), (0, 0, 0, 2)))
    named = {finding.fingerprint: finding for finding in report.findings}
    for fingerprint in trial.explained_by:
        finding = named.get(fingerprint)
        if finding is not None:
            because = Text.assemble(("because  ", "dim"), (str(finding.place or ""), "cyan"), f"  {finding.message}")
            parts.append(Padding(because, (0, 0, 0, 2)))
    if trial.reproduction:
        parts.append(Padding(Text(trial.reproduction[0], style="dim"), (0, 0, 0, 2)))
    return Group(*parts)


def _unexamined(report: Report) -> Iterator[RenderableType]:
    if not report.unexamined:
        return
    yield Rule(Text("Not examined", style="bold"), align="left")
    for item in report.unexamined[:_UNEXAMINED_MAX]:
        times = f" ({item.count} times)" if item.count > 1 else ""
        yield Padding(Text.assemble(item.what, (f"  {item.reason}{times}", "yellow")), (0, 0, 0, 1))
        if item.hint:
            yield Padding(Text(item.hint, style="dim"), (0, 0, 0, 3))
    if len(report.unexamined) > _UNEXAMINED_MAX:
        yield Text(
            f" and {len(report.unexamined) - _UNEXAMINED_MAX} more (all of them are in the JSON and HTML reports)"
        )
    yield Text()


def _verdict(report: Report) -> RenderableType:
    parts: list[RenderableType] = []
    if report.readiness is not None:
        parts.append(Text.assemble((f" {report.readiness.value} ", _READINESS[report.readiness]), f"  {report.says}"))
    else:
        parts.append(Text(report.says, style="bold"))
    if report.budgets:
        table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
        for _ in range(4):
            table.add_column(overflow="fold")
        for budget in report.budgets:
            standing = Text(budget.standing.value, style=_BUDGETS[budget.standing])
            table.add_row(budget.name, _limit(budget), standing, Text(budget.says))
        parts.append(table)
    reading = report.reading
    seed = f", seed {report.seed}" if report.seed is not None else ""
    counted = f"{reading.files} files, {reading.lines} lines, {reading.endpoints} endpoints"
    allowed = f", {report.allowed} allowed" if report.allowed else ""
    allowed += f", {report.baselined} in the baseline" if report.baselined else ""
    parts.append(Text(f"{counted} read in {reading.duration_s:.1f} s{allowed}{seed}", style="dim"))
    parts += [Text(step, style="dim") for step in report.next_steps]
    return Panel(Group(*parts), title=report.project, title_align="left")


def _limit(budget: BudgetResult) -> str:
    if budget.unit == "share":
        return f"{100 * budget.limit:g} %"
    return f"{budget.limit:g} {budget.unit}".strip()

"""The report for a terminal."""

from __future__ import annotations

import io
from collections import Counter
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
_DETAILED_OF_A_RULE_MAX = 4
"""Of these, so that one talkative rule leaves room for the others."""
_LINES_OF_A_RULE_MAX = 12
"""Findings of one rule and tier that get a line; the others are counted."""
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
        console.print(part, crop=False)
    lines = (line.rstrip() for line in buffer.getvalue().splitlines())
    return "\n".join(lines)


def _parts(report: Report) -> Iterator[RenderableType]:
    shown = [finding for finding in report.findings if finding.standing is not Standing.REFUTED]
    refuted = [finding for finding in report.findings if finding.standing is Standing.REFUTED]
    excerpts = _index(report.excerpts)
    detailed = _detailed(shown)
    first = {finding.rule: position for position, finding in reversed(list(enumerate(shown)))}
    for tier in Tier:
        mine = [(i, f) for i, f in enumerate(shown) if f.tier is tier]
        if mine:
            yield Rule(Text(f"{tier.value.capitalize()} ({len(mine)})", style="bold"), align="left")
            for position, finding in mine:
                if position in detailed:
                    yield _finding(finding, excerpts, is_first=first[finding.rule] == position)
            yield from _lines([finding for position, finding in mine if position not in detailed])
    if refuted:
        yield Rule(Text(f"Suspected by reading, refuted by running ({len(refuted)})", style="bold"), align="left")
        yield from (_refuted(finding) for finding in refuted)
    if report.trials:
        yield Rule(Text("Experiments", style="bold"), align="left")
        yield from _trials(report)
        yield Text()
    yield from _unexamined(report)
    yield from (Text(f"stale baseline entry: {entry}", style="yellow") for entry in report.stale)
    yield _verdict(report)


def _detailed(shown: list[Finding]) -> set[int]:
    """The positions of the findings that are shown with their code: the gravest, some of each rule."""
    chosen: set[int] = set()
    of_rule: Counter[str] = Counter()
    for position, finding in enumerate(shown):
        if len(chosen) < _DETAILED_MAX and of_rule[finding.rule] < _DETAILED_OF_A_RULE_MAX:
            of_rule[finding.rule] += 1
            chosen.add(position)
    return chosen


def _lines(findings: list[Finding]) -> Iterator[RenderableType]:
    """A line for each finding, under its rule."""
    for rule in dict.fromkeys(finding.rule for finding in findings):
        mine = [finding for finding in findings if finding.rule == rule]
        style = min((f.severity for f in mine), key=lambda severity: severity.rank)
        yield Padding(Text.assemble(("■ ", _SEVERITIES[style]), (f"{rule}, {len(mine)} more", "bold")), (0, 0, 0, 1))
        for finding in mine[:_LINES_OF_A_RULE_MAX]:
            standing = ("  " + finding.standing.value, "bold red") if finding.standing is Standing.PROVEN else ""
            place = str(finding.place or "seen on the wire")
            yield Padding(Text.assemble((place, "cyan"), f"  {finding.message}", standing), (0, 0, 0, 3))
        if len(mine) > _LINES_OF_A_RULE_MAX:
            rest = f"and {len(mine) - _LINES_OF_A_RULE_MAX} more (all of them are in the JSON and HTML reports)"
            yield Padding(Text(rest, style="dim"), (0, 0, 0, 3))
    if findings:
        yield Text()


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


def _trials(report: Report) -> Iterator[RenderableType]:
    """Each trial; those that came to nothing for one and the same reason stand under it together."""
    reasons = Counter(trial.says for trial in report.trials if trial.verdict is Verdict.UNKNOWN)
    told: set[str] = set()
    for trial in report.trials:
        if trial.verdict is not Verdict.UNKNOWN or reasons[trial.says] == 1:
            yield _trial(trial, report)
        elif trial.says not in told:
            told.add(trial.says)
            mark, style = _VERDICTS[trial.verdict]
            yield Text.assemble(
                (f"{mark} ", style),
                (f"{reasons[trial.says]} claims, not tried or without a conclusion: ", "bold"),
                trial.says,
            )
            yield from (
                Padding(Text(other.claim, style="dim"), (0, 0, 0, 2))
                for other in report.trials
                if other.says == trial.says
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
        # Never wrapped by us, for a command is there to be copied.
        parts += [
            Text(f"  {line}", style="dim", no_wrap=True, overflow="ignore")
            for line in trial.reproduction[0].splitlines()
        ]
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

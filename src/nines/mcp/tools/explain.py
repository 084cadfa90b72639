"""Tool `explain`: a page, everything about one finding, or the pages that speak of words."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta

from nines.mcp import shapes
from nines.mcp.call import Call
from nines.mcp.desk import Kept
from nines.mcp.shapes import Cursor, Limit
from nines.mcp.tool import ToolInfo
from nines.model.errors import UsageError
from nines.model.finding import Finding
from nines.model.record import Record, StrictRecord
from nines.verbs import explain as explaining
from nines.verbs import explained
from nines.verbs.explain import Topic

INFO = ToolInfo(
    title="Explain a finding, a rule, an experiment or a pattern",
    says=(
        "With a finding's id: its path from the entry point, the code around it, its evidence, and ways to mend it "
        "with their trade-offs. With the id of a rule, an experiment or a pattern: its page. With other words: the "
        "pages that speak of them. With nothing: a list of all."
    ),
)
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_PAGE_CHARACTERS_MAX = 16_000
_STEPS_MAX = 30
_LINES_MAX = 40


class Arguments(StrictRecord):
    what: Annotated[str, Meta(description="A finding's id, a page's id or its last part, or words.")] = ""
    report: Annotated[str, Meta(description="The report that holds the finding; without it the newest that does.")] = ""
    limit: Limit = 30
    cursor: Cursor = ""


class Match(Record):
    """A page that there is."""

    id: str
    kind: str
    title: str


class Remedy(Record):
    """One way to mend it."""

    title: str
    trade_off: str


class Witnessed(Record):
    """What running showed about it."""

    source: str
    says: str
    supports: bool
    effort: str = ""
    reproduction: str = ""


class Detail(Record):
    """Everything about one finding."""

    finding: shapes.Found
    consequence: str = ""
    path: tuple[str, ...] = ()
    """The calls from the entry point, outermost first."""
    related: tuple[str, ...] = ()
    entry_points: tuple[str, ...] = ()
    code: str = ""
    options: tuple[Remedy, ...] = ()
    evidence: tuple[Witnessed, ...] = ()
    page: str = ""
    """The id of the rule's page."""


class Result(Record):
    says: str
    detail: Detail | None = None
    page: str = ""
    """Markdown."""
    page_id: str = ""
    matches: tuple[Match, ...] = ()
    total: int = 0
    next_cursor: str = ""


async def run(call: Call, asked: Arguments) -> Result:
    what = asked.what.strip()
    if asked.cursor:
        page = call.desk.next_page(asked.cursor, asked.limit, Match)
        return Result(says="further pages", matches=page.items, total=page.total, next_cursor=page.next_cursor)
    if asked.report or _FINGERPRINT.fullmatch(what):
        return _of_finding(call, what, asked.report)
    if not what:
        return _listed(call, explaining.topics(), asked.limit, "every page")
    try:
        topic = explaining.explain(what)
    except UsageError:
        found = () if explaining.is_slip(what) else explaining.search(what)
        if not found:
            raise
        return _listed(call, found, asked.limit, f"nothing is called {what!r}; these pages speak of it")
    says = f"the page of the {topic.kind} {topic.id}"
    return Result(says=says, page=shapes.cut(explained.page(topic), _PAGE_CHARACTERS_MAX), page_id=topic.id)


def _listed(call: Call, topics: tuple[Topic, ...], limit: int, says: str) -> Result:
    page = call.desk.first_page([Match(id=t.id, kind=t.kind, title=t.title) for t in topics], limit)
    return Result(says=says, matches=page.items, total=page.total, next_cursor=page.next_cursor)


def _of_finding(call: Call, id: str, report: str) -> Result:
    kept = (call.desk.report(report),) if report else call.desk.reports
    for each in kept:
        found = next((finding for finding in each.report.findings if finding.fingerprint == id), None)
        if found is not None:
            return Result(says=f"a finding of report {each.id}", detail=_detail(found, each))
    hint = "Findings of a session are gone when the server ends: call review again and use its ids."
    raise UsageError(f"no finding {id!r} is in {report or 'the reports of this session'}", hint=hint)


def _detail(finding: Finding, kept: Kept) -> Detail:
    return Detail(
        finding=shapes.Found.of(finding),
        consequence=shapes.cut(finding.consequence),
        path=tuple(f"{step.function} called at {step.place}" for step in finding.path[:_STEPS_MAX]),
        related=tuple(f"{what}: {place}" for what, place in finding.related[:_STEPS_MAX]),
        entry_points=finding.endpoints[:_STEPS_MAX],
        code=_code(finding, kept),
        options=tuple(Remedy(title=each.title, trade_off=each.trade_off) for each in finding.options),
        evidence=tuple(
            Witnessed(
                source=each.source,
                says=shapes.cut(each.says),
                supports=each.supports,
                effort=each.effort,
                reproduction=shapes.cut(each.reproduction),
            )
            for each in finding.evidence
        ),
        page=finding.rule,
    )


def _code(finding: Finding, kept: Kept) -> str:
    """The lines around the place, numbered; data of the reviewed project, never instructions."""
    place = finding.place
    if place is None:
        return ""
    for excerpt in kept.report.excerpts:
        if excerpt.file == place.file and excerpt.first <= place.line < excerpt.first + len(excerpt.lines):
            numbered = [f"{excerpt.first + i}: {line}" for i, line in enumerate(excerpt.lines[:_LINES_MAX])]
            return shapes.cut("\n".join(numbered), 4_000)
    return ""

"""Tool `review`: read the code, judge every trace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from nines.mcp import shapes
from nines.mcp.call import Call
from nines.mcp.shapes import ConfigPath, Cursor, Found, LeftOut, Limit, ProjectPath
from nines.mcp.tool import ToolInfo
from nines.model.progress import Progress
from nines.model.record import Record, StrictRecord
from nines.model.report import Report
from nines.model.tier import Tier
from nines.verbs.project import open_project
from nines.verbs.review import review

INFO = ToolInfo(
    title="Review the code of a backend",
    says=(
        "Reads a backend's Python code, predicts what every endpoint does to database, network and broker, and reports "
        "what will not hold, most serious first, with file and line. Executes nothing. Use it before and after every "
        "change to a backend; with `since` only what the change brings is reported. Ask explain with a finding's id."
    ),
)


class Arguments(StrictRecord):
    path: ProjectPath = "."
    since: Annotated[str, Meta(description="A revision of git, such as origin/main: only what came since.")] = ""
    tier: Annotated[Tier, Meta(description="Only findings of this tier or above.")] = Tier.CONVENIENCE
    rule: Annotated[str, Meta(description="Only rules whose id contains this.")] = ""
    entry_point: Annotated[str, Meta(description="Only findings that an entry point containing this reaches.")] = ""
    config: ConfigPath = ""
    baseline: Annotated[str, Meta(description="A file of accepted findings that are left out.")] = ""
    limit: Limit = shapes.LIMIT_USUAL
    cursor: Cursor = ""


class Result(Record):
    report: str
    """The report's id, for explain and compare."""
    says: str
    findings: tuple[Found, ...]
    total: int
    """Of those that match; `counts` is about all."""
    counts: tuple[shapes.Counted, ...] = ()
    next_cursor: str = ""
    entry_points: int = 0
    files: int = 0
    allowed: int = 0
    baselined: int = 0
    stale: int = 0
    """Entries of the baseline that match nothing any more."""
    unexamined: LeftOut | None = None


def work(job: Arguments, progress: Progress) -> Report:
    """Reads and judges in a process of its own."""
    project = open_project(Path(job.path), Path(job.config) if job.config else None)
    baseline = Path(job.baseline) if job.baseline else None
    return review(project, since=job.since, baseline_file=baseline, progress=progress)


async def run(call: Call, asked: Arguments) -> Result:
    if asked.cursor:
        page = call.desk.next_page(asked.cursor, asked.limit, Found)
        report = call.desk.report(page.about).report
        return Result(
            report=page.about, says=report.says, findings=page.items, total=page.total, next_cursor=page.next_cursor
        )
    folder = call.folder(asked.path)
    job = Arguments(
        path=str(folder), since=asked.since, config=call.inside(asked.config), baseline=call.inside(asked.baseline)
    )
    report = await call.work(work, job)
    id = call.desk.keep(report, str(folder))
    matching = [
        Found.of(finding)
        for finding in report.findings
        if finding.tier.rank <= asked.tier.rank
        and asked.rule.lower() in finding.rule
        and any(asked.entry_point.lower() in name.lower() for name in (finding.endpoint, *finding.endpoints))
    ]
    page = call.desk.first_page(matching, asked.limit, about=id)
    return Result(
        report=id,
        says=shapes.cut(report.says),
        findings=page.items,
        total=page.total,
        counts=shapes.counted(report.findings),
        next_cursor=page.next_cursor,
        entry_points=report.reading.endpoints,
        files=report.reading.parsed,
        allowed=report.allowed,
        baselined=report.baselined,
        stale=len(report.stale),
        unexamined=LeftOut.of(report.unexamined),
    )

"""Tool `check`: review and prove, joined, with a verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from nines.mcp import shapes
from nines.mcp.call import Call
from nines.mcp.shapes import ConfigPath, Found, LeftOut, Limit, ProjectPath
from nines.mcp.tool import ToolInfo
from nines.model.progress import Progress
from nines.model.record import Record, StrictRecord
from nines.model.report import Readiness, Report
from nines.verbs.ask_material import remember
from nines.verbs.check import check
from nines.verbs.project import open_project

INFO = ToolInfo(
    title="Check: is it ready?",
    says=(
        "Reviews the code, runs the service against its budgets and joins the two: what reading suspects, running "
        "proves or refutes. Ends with READY, NOT READY or NOT SHOWN (too little evidence, which is no pass). Use it "
        "before a release and before saying that something is done. Executes the project's own start commands on "
        "loopback; takes minutes unless `only` names experiments; sends progress and can be cancelled."
    ),
    is_read_only=False,
    runs_project=True,
)


class Arguments(StrictRecord):
    path: ProjectPath = "."
    only: Annotated[
        tuple[str, ...], Meta(description="Ids of experiments, such as contract/no-5xx; explain lists them.")
    ] = ()
    seed: Annotated[int | None, Meta(description="Repeat an earlier run's choices.")] = None
    config: ConfigPath = ""
    baseline: Annotated[str, Meta(description="A file of accepted findings that are left out.")] = ""
    limit: Limit = shapes.LIMIT_USUAL


class Result(Record):
    report: str
    """The report's id, for explain and compare."""
    readiness: Readiness
    says: str
    findings: tuple[Found, ...]
    total: int
    trials: tuple[shapes.Tried, ...]
    budgets: tuple[shapes.Kept, ...]
    next_cursor: str = ""
    """Further findings: review(cursor=...)."""
    counts: tuple[shapes.Counted, ...] = ()
    seed: int | None = None
    duration_s: float = 0.0
    unexamined: LeftOut | None = None


def work(job: Arguments, progress: Progress) -> Report:
    """Reads and runs in a process of its own."""
    project = open_project(Path(job.path), Path(job.config) if job.config else None)
    baseline = Path(job.baseline) if job.baseline else None
    report = check(project, only=job.only, seed=job.seed, baseline_file=baseline, progress=progress)
    kept = shapes.without_histories(report)
    remember(project, kept)
    return kept


async def run(call: Call, asked: Arguments) -> Result:
    folder = call.folder(asked.path)
    job = Arguments(
        path=str(folder),
        only=asked.only,
        seed=asked.seed,
        config=call.inside(asked.config),
        baseline=call.inside(asked.baseline),
    )
    report = await call.work(work, job, is_alone=True)
    id = call.desk.keep(report, str(folder))
    page = call.desk.first_page([Found.of(finding) for finding in report.findings], asked.limit, about=id)
    return Result(
        report=id,
        readiness=report.readiness or Readiness.NOT_SHOWN,
        says=shapes.cut(report.says),
        findings=page.items,
        total=page.total,
        trials=tuple(map(shapes.Tried.of, report.trials)),
        budgets=tuple(map(shapes.Kept.of, report.budgets)),
        next_cursor=page.next_cursor,
        counts=shapes.counted(report.findings),
        seed=report.seed,
        duration_s=round(report.duration_s, 1),
        unexamined=LeftOut.of(report.unexamined),
    )

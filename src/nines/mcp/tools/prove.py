"""Tool `prove`: run the service and try to break it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from nines.mcp import shapes
from nines.mcp.call import Call
from nines.mcp.shapes import ConfigPath, LeftOut, ProjectPath
from nines.mcp.tool import ToolInfo
from nines.model.progress import Progress
from nines.model.record import Record, StrictRecord
from nines.model.report import Report
from nines.model.verdict import Verdict
from nines.verbs.ask_material import remember
from nines.verbs.project import open_project
from nines.verbs.prove import prove

INFO = ToolInfo(
    title="Prove: run the service and try to break it",
    says=(
        "Starts the service with its real dependencies on loopback, puts load and faults on it and judges what was "
        "seen: error rate, p95, recovery, lost writes, races, stalls, wrong input, access by strangers. Executes the "
        "project's own start commands; attacks nothing that it did not start. Takes from ten seconds (one experiment "
        "by `only`) to some minutes (all); sends progress, and stops everything when it is cancelled. Needs a "
        "nines.toml: ask init for one."
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


class Result(Record):
    report: str
    """The report's id, for explain and compare."""
    verdict: Verdict
    says: str
    trials: tuple[shapes.Tried, ...]
    budgets: tuple[shapes.Kept, ...]
    seed: int | None = None
    duration_s: float = 0.0
    unexamined: LeftOut | None = None


def work(job: Arguments, progress: Progress) -> Report:
    """Runs the laboratory in a process of its own, with an event loop of its own."""
    project = open_project(Path(job.path), Path(job.config) if job.config else None)
    report = shapes.without_histories(prove(project, only=job.only, seed=job.seed, progress=progress))
    remember(project, report)
    return report


async def run(call: Call, asked: Arguments) -> Result:
    folder = call.folder(asked.path)
    job = Arguments(path=str(folder), only=asked.only, seed=asked.seed, config=call.inside(asked.config))
    report = await call.work(work, job, is_alone=True)
    return Result(
        report=call.desk.keep(report, str(folder)),
        verdict=report.verdict,
        says=shapes.cut(report.says),
        trials=tuple(map(shapes.Tried.of, report.trials)),
        budgets=tuple(map(shapes.Kept.of, report.budgets)),
        seed=report.seed,
        duration_s=round(report.duration_s, 1),
        unexamined=LeftOut.of(report.unexamined),
    )

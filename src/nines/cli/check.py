"""Review, prove, join the two, and give a verdict against the reliability budgets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nines.cli import outputs
from nines.cli.progress import shown
from nines.model.report import Readiness
from nines.verbs.check import check
from nines.verbs.project import open_project


def run(
    path: Annotated[Path, typer.Argument(help="The folder of the backend.")] = Path(),
    formats: outputs.Formats = [],
    files: outputs.Outputs = [],
    config: Annotated[Path | None, typer.Option(help="A configuration file other than the project's own.")] = None,
    only: Annotated[list[str], typer.Option(help="Carry out only this experiment; may be repeated.")] = [],
    seed: Annotated[int | None, typer.Option(help="Repeat an earlier run's choices.")] = None,
    baseline: Annotated[Path | None, typer.Option(help="Leave out what this baseline accepts.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    outputs.check_writable(files)
    project = open_project(path, config)
    with shown(quiet) as progress:
        report = check(project, only=tuple(only), seed=seed, baseline_file=baseline, progress=progress)
    outputs.write(report, formats, files)
    if report.readiness is not Readiness.READY or report.stale:
        raise typer.Exit(1)

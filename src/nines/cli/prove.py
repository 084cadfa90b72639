"""Start the service with its real dependencies, try to break it, and judge what was seen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nines.cli import outputs
from nines.cli.progress import shown
from nines.model.budget import Standing
from nines.model.verdict import Verdict
from nines.verbs.project import open_project
from nines.verbs.prove import prove


def run(
    path: Annotated[Path, typer.Argument(help="The folder of the backend.")] = Path(),
    formats: outputs.Formats = [],
    files: outputs.Outputs = [],
    config: Annotated[Path | None, typer.Option(help="A configuration file other than the project's own.")] = None,
    only: Annotated[list[str], typer.Option(help="Carry out only this experiment; may be repeated.")] = [],
    seed: Annotated[int | None, typer.Option(help="Repeat an earlier run's choices.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    outputs.check_writable(files)
    project = open_project(path, config)
    with shown(quiet) as progress:
        report = prove(project, only=tuple(only), seed=seed, progress=progress)
    outputs.write(report, formats, files)
    missed = any(budget.standing is Standing.MISSED for budget in report.budgets)
    if report.verdict is Verdict.BROKEN or missed:
        raise typer.Exit(1)

"""Read a backend's code and report what will not hold. Never executes what it reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nines.cli import outputs
from nines.cli.progress import shown
from nines.verbs import baseline as baselines
from nines.verbs.project import open_project
from nines.verbs.review import review


def run(
    path: Annotated[Path, typer.Argument(help="The folder of the backend.")] = Path(),
    formats: outputs.Formats = [],
    files: outputs.Outputs = [],
    config: Annotated[Path | None, typer.Option(help="A configuration file other than the project's own.")] = None,
    since: Annotated[str, typer.Option(help="Report only what came since this revision of git.")] = "",
    baseline: Annotated[Path | None, typer.Option(help="Leave out what this baseline accepts.")] = None,
    write_baseline: Annotated[Path | None, typer.Option(help="Accept every finding of this run into a file.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    outputs.check_writable([*files, *([str(write_baseline)] if write_baseline else [])])
    project = open_project(path, config)
    with shown(quiet) as progress:
        report = review(project, since=since, baseline_file=baseline, progress=progress)
    outputs.write(report, formats, files)
    if write_baseline is not None:
        baselines.save(baselines.of(report.findings), write_baseline)
        typer.echo(f"{len(report.findings)} findings accepted in {write_baseline}", err=True)
        return
    if report.failing(project.settings.fail_on) or report.stale:
        raise typer.Exit(1)

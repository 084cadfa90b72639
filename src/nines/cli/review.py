"""`nines review`."""

from __future__ import annotations

from pathlib import Path

import click

from nines.cli import outputs
from nines.cli.progress import shown
from nines.verbs import baseline as baselines
from nines.verbs.project import open_project
from nines.verbs.review import review


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default=".")
@outputs.options
@click.option("--config", type=click.Path(path_type=Path), help="A configuration file other than the project's own.")
@click.option("--since", default="", metavar="REV", help="Report only what came since this revision of git.")
@click.option("--baseline", type=click.Path(path_type=Path), help="Leave out what this baseline accepts.")
@click.option("--write-baseline", type=click.Path(path_type=Path), help="Accept every finding of this run into a file.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def command(
    *,
    path: Path,
    formats: tuple[str, ...],
    files: tuple[str, ...],
    config: Path | None,
    since: str,
    baseline: Path | None,
    write_baseline: Path | None,
    quiet: bool,
) -> int:
    """Read a backend's code and report what will not hold. Never executes what it reads."""
    outputs.check(formats, (*files, *([str(write_baseline)] if write_baseline else [])))
    project = open_project(path, config)
    with shown(quiet=quiet) as progress:
        report = review(project, since=since, baseline_file=baseline, progress=progress)
    outputs.write(report, formats, files)
    if write_baseline is not None:
        baselines.save(baselines.of(report.findings), write_baseline)
        click.echo(f"{len(report.findings)} findings accepted in {write_baseline}", err=True)
        return 0
    return 1 if report.failing(project.settings.fail_on) or report.stale else 0

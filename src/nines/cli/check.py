"""`nines check`."""

from __future__ import annotations

from pathlib import Path

import click

from nines.cli import options, outputs
from nines.cli.main import EXIT_FOUND, EXIT_OK
from nines.cli.progress import shown
from nines.model.report import Readiness
from nines.verbs.check import check
from nines.verbs.project import open_project


@click.command()
@options.project
@outputs.options
@options.config
@options.only
@options.seed
@options.baseline
@options.quiet
def command(
    *,
    path: Path,
    formats: tuple[str, ...],
    files: tuple[str, ...],
    config: Path | None,
    only: tuple[str, ...],
    seed: int | None,
    baseline: Path | None,
    quiet: bool,
) -> int:
    """Review, prove, join the two, and give a verdict against the reliability budgets."""
    outputs.check(formats, files)
    project = open_project(path, config)
    with shown(quiet=quiet) as progress:
        report = check(project, only=only, seed=seed, baseline_file=baseline, progress=progress)
    outputs.write(report, formats, files)
    return EXIT_OK if report.readiness is Readiness.READY and not report.stale else EXIT_FOUND

"""`nines prove`."""

from __future__ import annotations

from pathlib import Path

import click

from nines.cli import options, outputs
from nines.cli.main import EXIT_COULD_NOT_RUN, EXIT_FOUND, EXIT_OK
from nines.cli.progress import shown
from nines.model.budget import Standing
from nines.model.verdict import Verdict
from nines.verbs.project import open_project
from nines.verbs.prove import prove


@click.command()
@options.project
@outputs.options
@options.config
@options.only
@options.seed
@options.quiet
def command(
    *,
    path: Path,
    formats: tuple[str, ...],
    files: tuple[str, ...],
    config: Path | None,
    only: tuple[str, ...],
    seed: int | None,
    quiet: bool,
) -> int:
    """Start the service with its real dependencies, try to break it, and judge what was seen."""
    outputs.check(formats, files)
    project = open_project(path, config)
    with shown(quiet=quiet) as progress:
        report = prove(project, only=only, seed=seed, progress=progress)
    outputs.write(report, formats, files)
    if all(trial.verdict is Verdict.UNKNOWN for trial in report.trials):
        # Nothing was shown either way, so nothing may pass; the report has said why.
        return EXIT_COULD_NOT_RUN
    missed = any(budget.standing is Standing.MISSED for budget in report.budgets)
    return EXIT_FOUND if report.verdict is Verdict.BROKEN or missed else EXIT_OK

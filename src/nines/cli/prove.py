"""`nines prove`."""

from __future__ import annotations

from pathlib import Path

import click

from nines.cli import outputs
from nines.cli.progress import shown
from nines.model.budget import Standing
from nines.model.verdict import Verdict
from nines.verbs.project import open_project
from nines.verbs.prove import prove


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default=".")
@outputs.options
@click.option("--config", type=click.Path(path_type=Path), help="A configuration file other than the project's own.")
@click.option("--only", multiple=True, metavar="EXPERIMENT", help="Carry out only this experiment; may be repeated.")
@click.option("--seed", type=int, help="Repeat an earlier run's choices.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
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
    missed = any(budget.standing is Standing.MISSED for budget in report.budgets)
    return 1 if report.verdict is Verdict.BROKEN or missed else 0

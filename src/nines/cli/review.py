"""`nines review`."""

from __future__ import annotations

from pathlib import Path

import click

from nines.cli import options, outputs
from nines.cli.main import EXIT_COULD_NOT_RUN, EXIT_FOUND, EXIT_OK
from nines.cli.progress import shown
from nines.model.errors import UsageError
from nines.verbs import baseline as baselines
from nines.verbs.project import open_project
from nines.verbs.review import review, without_baseline


@click.command()
@options.project
@outputs.options
@options.config
@click.option("--since", default="", metavar="REV", help="Report only what came since this revision of git.")
@options.baseline
@click.option("--write-baseline", type=click.Path(path_type=Path), help="Accept every finding of this run into a file.")
@options.quiet
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
    if write_baseline is not None and (since or baseline is not None):
        hint = "A baseline accepts everything that is there: write it in a run without them."
        raise UsageError("--write-baseline goes with neither --since nor --baseline", hint=hint)
    project = open_project(path, config)
    if write_baseline is not None:
        project = without_baseline(project)
    with shown(quiet=quiet) as progress:
        report = review(project, since=since, baseline_file=baseline, progress=progress)
    outputs.write(report, formats, files)
    if not report.reading.endpoints and not report.findings:
        # Nothing was judged, so nothing may pass; the report has said why.
        return EXIT_COULD_NOT_RUN
    if write_baseline is not None:
        outputs.save(write_baseline, baselines.dump(baselines.of(report.findings)))
        number = len(report.findings)
        click.echo(f"{number} finding{'s' if number != 1 else ''} accepted in {write_baseline}", err=True)
        return EXIT_OK
    return EXIT_FOUND if report.failing(project.settings.fail_on) or report.stale else EXIT_OK

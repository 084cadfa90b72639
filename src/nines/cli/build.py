"""`nines build`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from nines.cli import options, outputs
from nines.cli.built import Summary, summary
from nines.cli.designed import refusal
from nines.cli.main import EXIT_FOUND, EXIT_OK
from nines.cli.progress import shown
from nines.model.errors import UsageError
from nines.model.report import Readiness
from nines.verbs.build import Wish, build
from nines.verbs.check import check as check_service
from nines.verbs.project import open_project
from nines.verbs.settling import settle


@click.command()
@click.argument("blueprint", type=click.Path(path_type=Path))
@click.option("--output", "-o", type=click.Path(path_type=Path), required=True, help="The service's folder.")
@click.option("--force", is_flag=True, help="Overwrite generated files that were edited by hand.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when the service is out of date.")
@click.option("--format", "-f", "format_", type=click.Choice(["terminal", "json"]), default="terminal")
@click.option(
    "--released",
    type=click.Path(path_type=Path),
    help="The OpenAPI document that callers rely on [openapi.yaml of the folder].",
)
@click.option("--accept-breaking", is_flag=True, help="Break callers knowingly; it is written into CHANGES.md.")
@click.option(
    "--rename", "renames", multiple=True, metavar="TABLE.OLD=NEW", help="A column that only changed its name."
)
@click.option("--fill", "fills", multiple=True, metavar="TABLE.COLUMN=SQL", help="A constant for rows that exist.")
@click.option("--prove", is_flag=True, help="Then install it, and carry out `nines check` on it.")
@options.quiet
def command(
    *,
    blueprint: Path,
    output: Path,
    force: bool,
    check: bool,
    format_: str,
    released: Path | None,
    accept_breaking: bool,
    renames: tuple[str, ...],
    fills: tuple[str, ...],
    prove: bool,
    quiet: bool,
) -> int:
    """Build the service that a blueprint describes, or bring one up to date: your own files are never touched."""
    if prove and check:
        raise UsageError("--check writes nothing, and --prove runs what was written", hint="Leave out one of them.")
    wish = Wish(
        force=force,
        check=check,
        accept_breaking=accept_breaking,
        renames=_pairs("--rename", renames),
        fills=_pairs("--fill", fills),
    )
    today = datetime.now(UTC).date()
    with shown(quiet=quiet) as progress:
        built = build(blueprint, output, wish, today=today, released=released, progress=progress)
        if prove and built.comparison is not None:
            settle(output, progress)
    told = Summary.of(built, output, wish)
    if format_ == "json":
        outputs.show(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
    else:
        outputs.show(refusal(built.planned) if told.is_refused else summary(told))
    if told.is_refused or (check and not told.is_current):
        return EXIT_FOUND
    return _proven(output, quiet=quiet) if prove else EXIT_OK


def _proven(folder: Path, *, quiet: bool) -> int:
    """The verdict of `nines check` on what was built."""
    with shown(quiet=quiet) as progress:
        report = check_service(open_project(folder), progress=progress)
    outputs.write(report, (), ())
    return EXIT_OK if report.readiness is Readiness.READY and not report.stale else EXIT_FOUND


def _pairs(option: str, given: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in given:
        key, separator, value = each.partition("=")
        if not separator or "." not in key or not value:
            raise UsageError(
                f"{option} {each} tells no column and what becomes of it", hint=f"{option} TABLE.COLUMN=..."
            )
        found[key] = value
    return found

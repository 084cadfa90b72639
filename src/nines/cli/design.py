"""`nines design`."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from nines.cli import outputs
from nines.cli.designed import Summary, refusal, summary
from nines.cli.main import EXIT_FOUND, EXIT_OK
from nines.cli.progress import shown
from nines.model.errors import UsageError
from nines.readers.blueprint import schema, vocabulary
from nines.verbs.design import from_blueprint, hand_over

_USUAL = Path("dossier")


@click.command()
@click.argument("blueprint", type=click.Path(path_type=Path), required=False)
@click.option("--output", "-o", type=click.Path(path_type=Path), help=f"The dossier's folder.  [default: {_USUAL}]")
@click.option("--force", is_flag=True, help="Overwrite what was edited by hand.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when the dossier is out of date.")
@click.option("--format", "-f", "format_", type=click.Choice(["terminal", "json"]), default="terminal")
@click.option("--schema", "shows_schema", is_flag=True, help="Print the JSON Schema of blueprints, for editors.")
@click.option("--vocabulary", "shows_vocabulary", is_flag=True, help="Print every word of a blueprint.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def command(
    *,
    blueprint: Path | None,
    output: Path | None,
    force: bool,
    check: bool,
    format_: str,
    shows_schema: bool,
    shows_vocabulary: bool,
    quiet: bool,
) -> int:
    """Design a service: from a blueprint to the dossier that is handed over before the first line of code."""
    if shows_schema:
        outputs.show(msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode())
        return EXIT_OK
    if shows_vocabulary:
        outputs.show(vocabulary().rstrip())
        return EXIT_OK
    if blueprint is None:
        hint = "Name one: nines design blueprint.yaml -o dossier\nOr answer a few questions: nines design --ask"
        raise UsageError("there is no blueprint", hint=hint)
    folder = output or _USUAL
    with shown(quiet=quiet) as progress:
        planned = from_blueprint(blueprint, progress)
        if planned.design is None:
            comparison = None
        else:
            comparison = hand_over(planned.design, folder, force=force, check=check, progress=progress)
    if planned.design is None or comparison is None:
        outputs.show(refusal(planned) if format_ == "terminal" else _json(Summary.refused(planned)))
        return EXIT_FOUND
    told = Summary.of(planned, planned.design, comparison, folder, is_check=check)
    outputs.show(summary(told) if format_ == "terminal" else _json(told))
    return EXIT_FOUND if check and not comparison.is_current else EXIT_OK


def _json(told: Summary) -> str:
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode()

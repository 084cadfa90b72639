"""`nines design`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import click
import msgspec

from nines.cli import asked, options, outputs
from nines.cli.designed import Summary, refusal, summary
from nines.cli.main import EXIT_FOUND, EXIT_OK
from nines.cli.progress import shown
from nines.model.errors import UsageError
from nines.planning import objections
from nines.readers.blueprint import schema, vocabulary
from nines.verbs.answers import Answers
from nines.verbs.design import Planned, from_blueprint, from_code, hand_over
from nines.verbs.project import open_project

_USUAL = Path("dossier")


@click.command()
@click.argument("blueprint", type=click.Path(path_type=Path), required=False)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    help=f"The dossier's folder [{_USUAL}]; with --ask the blueprint's file [{asked.USUAL}].",
)
@click.option("--from", "project", type=click.Path(path_type=Path), help="Design what exists: the folder of a backend.")
@options.config
@click.option("--force", is_flag=True, help="Overwrite what was edited by hand.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when the dossier is out of date.")
@click.option("--format", "-f", "format_", type=click.Choice(["terminal", "json"]), default="terminal")
@click.option(
    "--released",
    type=click.Path(path_type=Path),
    help="The OpenAPI document that callers rely on; what breaks them is named, and fails --check.",
)
@click.option(
    "--measured",
    type=click.Path(path_type=Path),
    help="The JSON report of nines prove or check; what it measured replaces what capacity assumes.",
)
@click.option("--ask", "asks", is_flag=True, help="Ask what matters, and write a first blueprint.")
@click.option("--schema", "shows_schema", is_flag=True, help="Print the JSON Schema of blueprints, for editors.")
@click.option(
    "--objections", "shows_objections", is_flag=True, help="Print everything that a blueprint is refused for."
)
@click.option("--vocabulary", "shows_vocabulary", is_flag=True, help="Print every word of a blueprint.")
@options.quiet
@asked.options
def command(
    *,
    blueprint: Path | None,
    output: Path | None,
    project: Path | None,
    config: Path | None,
    force: bool,
    check: bool,
    format_: str,
    released: Path | None,
    measured: Path | None,
    shows_schema: bool,
    shows_vocabulary: bool,
    shows_objections: bool,
    asks: bool,
    quiet: bool,
    **answers: str,
) -> int:
    """Design a service: from a blueprint, or from the code that exists, to the dossier that is handed over."""
    if shows_schema:
        outputs.show(msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode())
        return EXIT_OK
    if shows_vocabulary:
        outputs.show(vocabulary().rstrip())
        return EXIT_OK
    if shows_objections:
        outputs.show(objections.page().rstrip())
        return EXIT_OK
    if asks and blueprint is None:
        asked.ask(Answers(**answers), output, force=force)
        return EXIT_OK
    _without_answers(answers, asks=asks)
    source = _source(blueprint, project, config, released, measured)
    folder = output or _USUAL
    with shown(quiet=quiet) as progress:
        planned = source(progress=progress)
        design = planned.design
        found = hand_over(design, folder, force=force, check=check, progress=progress) if design else None
    told = Summary.of(planned, found, folder, is_check=check) if found else Summary.refused(planned)
    if format_ == "json":
        outputs.show(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
    else:
        outputs.show(refusal(planned) if told.is_refused else summary(told))
    is_failing = told.is_refused or (check and (not told.is_current or bool(told.breaking)))
    return EXIT_FOUND if is_failing else EXIT_OK


def _source(
    blueprint: Path | None, project: Path | None, config: Path | None, released: Path | None, measured: Path | None
) -> Callable[..., Planned]:
    """What plans; raises UsageError where the arguments name no source, or two."""
    if blueprint is not None and project is not None:
        hint = "Leave out one of them: nines design blueprint.yaml, or nines design --from FOLDER."
        raise UsageError("a design comes from a blueprint or from code, not from both", hint=hint)
    if config is not None and project is None:
        raise UsageError("--config belongs to --from, and a blueprint needs none")
    if released is not None and blueprint is None:
        raise UsageError("--released is compared with a blueprint", hint="nines design blueprint.yaml --released FILE")
    if measured is not None and blueprint is None:
        hint = "nines design blueprint.yaml --measured report.json"
        raise UsageError("--measured replaces the assumptions for a blueprint", hint=hint)
    if project is not None:
        return partial(from_code, open_project(project, config))
    if blueprint is not None:
        return partial(from_blueprint, blueprint, released=released, report=measured)
    hint = "Name one: nines design blueprint.yaml -o dossier\nOr answer a few questions: nines design --ask"
    raise UsageError("there is no blueprint", hint=hint)


def _without_answers(answers: Mapping[str, str], *, asks: bool) -> None:
    """Raises UsageError where answers are given and nobody asked, for they would be ignored."""
    given = [f"--{key}" for key, value in answers.items() if value]
    if asks or given:
        what = "--ask" if asks else given[0]
        hint = "A first blueprint: nines design --ask. A dossier: nines design blueprint.yaml -o dossier"
        raise UsageError(f"{what} goes without a blueprint, and answers go with --ask", hint=hint)

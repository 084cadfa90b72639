"""`nines ask`."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from nines import reports
from nines.asking.answer import Open
from nines.cli import options, outputs
from nines.cli.main import EXIT_COULD_NOT_RUN, EXIT_OK
from nines.cli.progress import shown
from nines.reports import json as json_report
from nines.verbs import ask as asking
from nines.verbs.project import open_project


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="QUESTION")
@click.option("--path", type=click.Path(path_type=Path), default=Path(), help="The backend that it is about [.].")
@options.config
@click.option("--run", "runs", is_flag=True, help="Also run what puts load or faults on the service.")
@click.option("--write", "target", type=click.Path(path_type=Path), help="Write the answer's blueprint into this file.")
@click.option("--format", "-f", "format_", type=click.Choice(["terminal", "markdown", "json"]), default="terminal")
@options.quiet
def command(
    *,
    words: tuple[str, ...],
    path: Path,
    config: Path | None,
    runs: bool,
    target: Path | None,
    format_: str,
    quiet: bool,
) -> int:
    """Answer a question in plain words, from findings, measurements and pages; no language model is needed."""
    project = open_project(path, config)
    is_asked = sys.stdin.isatty() and sys.stderr.isatty() and format_ == "terminal"
    with shown(quiet=quiet or is_asked) as progress:
        told = asking.ask(
            " ".join(words),
            project,
            where=str(path),
            runs=runs,
            ask_back=_put if is_asked else None,
            progress=progress,
        )
    if target is not None:
        asking.write(told, target)
        click.echo(f"wrote {target}", err=True)
    _show(told, format_)
    return EXIT_OK if told.answer.intent else EXIT_COULD_NOT_RUN


def _put(question: Open) -> str:
    """Empty leaves it open."""
    assumed = f" [open, assumed: {question.assumed}]" if question.assumed else ""
    said: str = click.prompt(f"{question.question}{assumed}", default="", show_default=False, err=True)
    return said


def _show(told: asking.Told, format_: str) -> None:
    if format_ == "json":
        document = json_report.complete(told.answer)
        outputs.show(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
        return
    text = str(reports.harmless(asking.markdown(told))).rstrip("\n")
    if format_ == "terminal" and sys.stdout.isatty():
        from rich.console import Console  # noqa: PLC0415 -- a pipe needs none of it
        from rich.markdown import Markdown  # noqa: PLC0415

        Console().print(Markdown(text))
        return
    outputs.show(text)

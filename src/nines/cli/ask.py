"""`nines ask`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click
import msgspec

from nines import reports
from nines.asking.answer import Open
from nines.asking.model.conversation import ModelError
from nines.asking.model.loop import Concluded
from nines.cli import options, outputs
from nines.cli.main import EXIT_COULD_NOT_RUN, EXIT_OK
from nines.cli.progress import shown
from nines.model.progress import Progress
from nines.reports import json as json_report
from nines.verbs import ask as asking
from nines.verbs import ask_model, ending
from nines.verbs.project import open_project


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="QUESTION")
@click.option("--path", type=click.Path(path_type=Path), default=Path(), help="The backend that it is about [.].")
@options.config
@click.option("--run", "runs", is_flag=True, help="Also run what puts load or faults on the service.")
@click.option("--no-model", "is_plain", is_flag=True, help="Leave out the language model that NINES_MODEL names.")
@click.option("--write", "target", type=click.Path(path_type=Path), help="Write the answer's blueprint into this file.")
@click.option("--format", "-f", "format_", type=click.Choice(["terminal", "markdown", "json"]), default="terminal")
@options.quiet
def command(
    *,
    words: tuple[str, ...],
    path: Path,
    config: Path | None,
    runs: bool,
    is_plain: bool,
    target: Path | None,
    format_: str,
    quiet: bool,
) -> int:
    """Answer a question in plain words, from findings, measurements and pages.

    No language model is needed. With NINES_MODEL (such as openai/NAME or anthropic/NAME; NINES_MODEL_URL for an
    endpoint of your own) a model answers, with the same tools at its hand; what it says without a source is marked."""
    project = open_project(path, config)
    if (
        ask_model.wanted()
        and not is_plain
        and target is None
        and _by_model(" ".join(words), path, runs, format_, quiet)
    ):
        return EXIT_OK
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


def _by_model(question: str, path: Path, runs: bool, format_: str, quiet: bool) -> bool:
    """Whether the model answered; where it cannot be asked, that is told, and the answer is given without it."""
    from nines.mcp.offering import offered  # noqa: PLC0415 -- without a model none of it is needed

    async def converse(progress: Progress) -> Concluded:
        with ending.cancelling():
            return await ask_model.ask_model(question, offered(path, runs=runs), progress=progress)

    try:
        with shown(quiet=quiet) as progress:
            found = asyncio.run(converse(progress))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    except ModelError as error:
        click.echo(f"{error}\nAnswered without a model.", err=True)
        return False
    if format_ == "json":
        outputs.show(msgspec.json.format(msgspec.json.encode(json_report.complete(found)), indent=2).decode())
        return True
    _print(found.text, format_)
    ended = f"; ended by its limit of {found.stopped_by}" if found.stopped_by else ""
    called = ", ".join(dict.fromkeys(found.called)) or "nothing"
    cost = f"{found.turns} turns, {found.tokens:,} tokens"
    click.echo(f"{found.sourced} of {found.claims} claims have a source; called: {called}; {cost}{ended}", err=True)
    return True


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
    _print(asking.markdown(told), format_)


def _print(markdown: str, format_: str) -> None:
    text = str(reports.harmless(markdown)).rstrip("\n")
    if format_ == "terminal" and sys.stdout.isatty():
        from rich.console import Console  # noqa: PLC0415 -- a pipe needs none of it
        from rich.markdown import Markdown  # noqa: PLC0415

        Console().print(Markdown(text))
        return
    outputs.show(text)

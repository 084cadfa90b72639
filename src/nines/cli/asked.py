"""The interview of `nines design --ask`: a flag for every question, and prompts where somebody sits at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from nines.cli import outputs
from nines.model.errors import UsageError
from nines.planning.objections import object_to
from nines.verbs.answers import Answers
from nines.verbs.interview import QUESTIONS, Interviewed, Question, interview, objection_to

USUAL = Path("blueprint.yaml")
_TRIES_MAX = 5


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """One flag for each question, so that no terminal is needed."""
    for question in reversed(QUESTIONS):
        words = "|".join(question.choices) or "TEXT"
        help_text = f"With --ask: {question.text} [{question.assumed}]"
        command = click.option(question.flag, question.key, default="", metavar=words, help=help_text)(command)
    return command


def ask(answers: Answers, target: Path | None, *, force: bool) -> None:
    """Puts what no flag answered, and writes the blueprint; "-" prints it."""
    target = target or USUAL
    is_printed = str(target) == "-"
    if not (is_printed or force) and (target.exists() or target.is_symlink()):
        hint = f"Replace it with --force, or print with: nines design --ask -o -\nDesign it with: nines design {target}"
        raise UsageError("there is a file already", where=str(target), hint=hint)
    done = interview(answers, _put if sys.stdin.isatty() else None)
    if is_printed:
        outputs.show(done.text.rstrip())
        return
    try:
        outputs.save(target, done.text)
    except OSError as error:
        raise UsageError(
            f"it cannot be written: {error.strerror}", where=str(target), hint="Name another file with -o."
        ) from error
    _tell(done, target)


def _put(question: Question) -> str:
    """Asks until the answer can be used, a few times; an empty one leaves the question open."""
    words = f" ({', '.join(question.choices)})" if question.choices else ""
    example = f" Such as: {question.example}." if question.example else ""
    click.echo(f"\n{question.text}{words}{example}\n  Decides: {question.matters}.", err=True)
    for _ in range(_TRIES_MAX):
        said: str = click.prompt(f"  [open, assumed: {question.assumed}]", default="", show_default=False, err=True)
        wrong = objection_to(question, said.strip()) if said.strip() else ""
        if not wrong:
            return said.strip()
        click.echo(f"  {wrong}", err=True)
    return ""


def _tell(done: Interviewed, target: Path) -> None:
    count = len(done.blueprint.open_questions)
    click.echo(f"wrote {target}" + (f", with {count} open question{'s' if count > 1 else ''}" if count else ""))
    for objection in object_to(done.blueprint):
        if objection.is_fatal:
            click.echo(f"cannot hold yet: {objection.says}")
    click.echo(f"Look at it, then: nines design {target}")

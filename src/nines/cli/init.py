"""`nines init`."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from nines import reports
from nines.cli import options, outputs
from nines.model.errors import SettingsError, UsageError
from nines.model.settings import Identity, Settings
from nines.readers import settings as settings_reader
from nines.readers.settings import OWN_FILE
from nines.verbs.init import BUDGETS, Answers, Proposal, Question, propose
from nines.verbs.project import Project, open_project

_TRIES_MAX = 5
_APP = re.compile(r"\w+(\.\w+)*(:\w+(\(\))?)?")


@click.command()
@options.project
@click.option("--rate", type=float, help="Requests a second that it must carry.")
@click.option("--criticality", type=click.Choice(list(BUDGETS)), default=None, help="Sets the budgets.")
@click.option("--app", default="", help="The application object, package.module:name.")
@click.option("--command", "start", default="", help="How it is started, with {host} and {port}.")
@click.option("--python", default="", help="The interpreter that has its dependencies.")
@click.option("--database", default="", help="URL of a PostgreSQL server where nines may create databases.")
@click.option("--setup", multiple=True, help="A command for a fresh database; may be repeated.")
@click.option("--ready", default="", help="The path that answers 2xx when it is ready.")
@click.option("--identity", multiple=True, metavar="NAME=USERNAME:PASSWORD", help="Who can sign in; may be repeated.")
@click.option("--env", multiple=True, metavar="NAME=VALUE", help="For the service; may be repeated.")
@click.option("--yes", "-y", is_flag=True, help="Ask nothing; take the defaults.")
@click.option("--force", is_flag=True, help="Replace an existing nines.toml.")
@click.option("--print", "show", is_flag=True, help="Print the file instead of writing it.")
def command(
    *,
    path: Path,
    rate: float | None,
    criticality: str | None,
    app: str,
    start: str,
    python: str,
    database: str,
    setup: tuple[str, ...],
    ready: str,
    identity: tuple[str, ...],
    env: tuple[str, ...],
    yes: bool,
    force: bool,
    show: bool,
) -> None:
    """Find out how a backend is started and used, ask what cannot be found, and write nines.toml."""
    project, target = _opened(path, force=force, show=show)
    if app and not _APP.fullmatch(app):
        raise UsageError(f"{app!r} names no application", hint="Write it as --app package.module:name")
    answers = Answers(
        rate_hz=_rate(rate),
        criticality=criticality or "",
        app=app,
        command=start,
        python=python,
        database_url=database,
        setup=setup,
        ready=ready,
        identities=tuple(_identity(text) for text in identity),
        env=dict(_pair(text, "--env") for text in env),
    )
    proposal = propose(project, answers)
    if proposal.questions and not yes and sys.stdin.isatty():
        _tell(found=proposal.found)
        known = proposal.found
        proposal = propose(project, _asked(proposal, answers))
        proposal = msgspec.structs.replace(proposal, found=tuple(line for line in proposal.found if line not in known))
    _tell(found=proposal.found, questions=proposal.questions)
    text = settings_reader.dump(proposal.settings)
    if show:
        outputs.show(text)
        return
    _write(target, text, force=force)
    click.echo(f"wrote {target}\nLook at it, then: nines check {path}")


def _opened(path: Path, *, force: bool, show: bool) -> tuple[Project, Path]:
    """Raises UsageError where a configuration stands already; one that cannot be read may be replaced."""
    target = path / OWN_FILE
    try:
        project = open_project(path)
    except SettingsError:
        if not force:
            raise
        return open_project(path, Path(os.devnull)), target
    if os.path.lexists(target) and not (force or show):
        hint = f"Replace it with: nines init {path} --force\nOr compare with: nines init {path} --print"
        raise UsageError(f"there is a {OWN_FILE} already", where=str(target), hint=hint)
    if not os.path.lexists(target) and project.settings != Settings() and not show:
        where = str(path / "pyproject.toml")
        hint = f"See what it would write with: nines init {path} --print"
        raise UsageError(
            "[tool.nines] configures nines already, and there must be one place only", where=where, hint=hint
        )
    return project, target


def _write(target: Path, text: str, *, force: bool) -> None:
    try:
        if force:
            outputs.save(target, text)
            return
        # Exclusively: a link that stands there, even one that leads nowhere, is not written through.
        with target.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        hint = "See the file with --print, and keep it elsewhere: nines check --config FILE"
        raise UsageError(f"it cannot be written: {error.strerror}", where=str(target), hint=hint) from error


def _asked(proposal: Proposal, answers: Answers) -> Answers:
    """Puts the open questions; an empty answer leaves a question open."""
    for question in proposal.questions:
        answers = _put(question, answers)
    return answers


def _put(question: Question, answers: Answers) -> Answers:
    """Asks until the answer can be used, a few times."""
    for _ in range(_TRIES_MAX):
        said = click.prompt(question.text, default=question.default, show_default=bool(question.default), err=True)
        try:
            return _answered(question, said.strip(), answers) if said.strip() else answers
        except UsageError as error:
            click.echo(f"{error}", err=True)
    return answers


def _answered(question: Question, said: str, answers: Answers) -> Answers:
    if question.key == "rate_hz":
        try:
            return msgspec.structs.replace(answers, rate_hz=_rate(float(said)))
        except ValueError as error:
            raise UsageError(f"{said!r} is not a number of requests a second") from error
    if question.key == "criticality":
        if said not in BUDGETS:
            raise UsageError(f"{said!r} is none of {', '.join(BUDGETS)}")
        return msgspec.structs.replace(answers, criticality=said)
    if question.key == "identities":
        return msgspec.structs.replace(answers, identities=tuple(_identity(part) for part in said.split()))
    if question.key == "python":
        return msgspec.structs.replace(answers, python=said)
    if question.key == "setup":
        return msgspec.structs.replace(answers, setup=(said,))
    if question.key.startswith("env."):
        return msgspec.structs.replace(answers, env={**answers.env, question.key.removeprefix("env."): said})
    return msgspec.structs.replace(answers, command=said)


def _rate(rate_hz: float | None) -> float | None:
    if rate_hz is not None and not 0.0 < rate_hz < float("inf"):
        raise UsageError(f"{rate_hz:g} is no rate", hint="Requests a second are more than 0.")
    return rate_hz


def _tell(*, found: Sequence[str], questions: Sequence[Question] = ()) -> None:
    for line in found:
        click.echo(f"found: {reports.harmless(line)}", err=True)
    for question in questions:
        click.echo(f"open:  {question.text}", err=True)


def _identity(text: str) -> Identity:
    name, separator, rest = text.partition("=")
    username, colon, password = rest.partition(":")
    if not (separator and colon and name and username):
        raise UsageError(f"{text!r} is not an identity", hint="Write it as owner=someone@example.com:password")
    return Identity(name=name, username=username, password=password, is_admin=name == "admin", register=False)


def _pair(text: str, option: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not (separator and name):
        raise UsageError(f"{text!r} is not NAME=VALUE", hint=f"Write it as {option} NAME=VALUE")
    return name, value

"""`nines init`."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from nines.model.errors import UsageError
from nines.model.settings import Identity
from nines.readers import settings as settings_reader
from nines.verbs.init import BUDGETS, Answers, Proposal, Question, propose
from nines.verbs.project import open_project


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default=".")
@click.option("--rate", type=float, help="Requests a second that it must carry.")
@click.option("--criticality", type=click.Choice(sorted(BUDGETS)), default="critical", help="Sets the budgets.")
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
    criticality: str,
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
    project = open_project(path)
    target = project.root / "nines.toml"
    if target.exists() and not (force or show):
        raise UsageError("there is a nines.toml already", where=str(target), hint="Replace it with: nines init --force")
    answers = Answers(
        rate_hz=rate,
        criticality=criticality,
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
        proposal = propose(project, _asked(proposal, answers))
    _tell(proposal)
    text = settings_reader.dump(proposal.settings)
    if show:
        click.echo(text)
        return
    target.write_text(text, encoding="utf-8")
    click.echo(f"wrote {target}\nNext: nines check {path}")


def _asked(proposal: Proposal, answers: Answers) -> Answers:
    """Puts the open questions; an empty answer leaves a question open."""
    for line in proposal.found:
        click.echo(f"found: {line}", err=True)
    for question in proposal.questions:
        said = click.prompt(question.text, default=question.default, show_default=bool(question.default), err=True)
        if said:
            answers = _answered(question, said.strip(), answers)
    return answers


def _answered(question: Question, said: str, answers: Answers) -> Answers:
    if question.key == "rate_hz":
        try:
            return msgspec.structs.replace(answers, rate_hz=float(said))
        except ValueError as error:
            raise UsageError(f"{said!r} is not a number of requests a second") from error
    if question.key == "identities":
        return msgspec.structs.replace(answers, identities=tuple(_identity(part) for part in said.split()))
    if question.key.startswith("env."):
        return msgspec.structs.replace(answers, env={**answers.env, question.key.removeprefix("env."): said})
    return msgspec.structs.replace(answers, command=said)


def _tell(proposal: Proposal) -> None:
    for line in proposal.found:
        click.echo(f"found: {line}", err=True)
    for question in proposal.questions:
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

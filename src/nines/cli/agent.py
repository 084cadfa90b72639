"""`nines agent`: install, uninstall, status, show."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from nines import personas
from nines.cli import outputs
from nines.cli.main import EXIT_COULD_NOT_RUN, EXIT_FOUND, EXIT_OK
from nines.model.errors import UsageError
from nines.personas.piece import Scope
from nines.verbs import agent
from nines.verbs.agent import Plan

_COMMAND = "nines"


def _where(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that all have."""
    for option in reversed(
        (
            click.option(
                "--for", "names", multiple=True, metavar="AGENT", help="claude, cursor, agents-md or all [all]."
            ),
            click.option("--project", type=click.Path(path_type=Path), help="The project's folder [.]."),
            click.option("--user", "is_user", is_flag=True, help="For all projects of this person instead."),
        )
    ):
        command = option(command)
    return command


@click.group()
def command() -> None:
    """Make a coding agent this engineer: subagent, skills, rules and the MCP server."""


@command.command()
@_where
@click.option("--command", "start", default="", help="How the agent starts nines [nines, where it is on the PATH].")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@click.option("--force", is_flag=True, help="Replace files of ours that were edited by hand, or that stand in the way.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def install(
    *, names: tuple[str, ...], project: Path | None, is_user: bool, start: str, dry_run: bool, force: bool, yes: bool
) -> int:
    """Show what will be written, and write it, merged with what is there."""
    folder, scope = _folder(project, is_user=is_user)
    plan = agent.plan_install(folder, agent.chosen(names), scope, command=start or _start(), force=force)
    return _carried_out(plan, dry_run=dry_run, yes=yes, is_install=True)


@command.command()
@_where
@click.option("--dry-run", is_flag=True, help="Show what would be taken out, and change nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def uninstall(*, names: tuple[str, ...], project: Path | None, is_user: bool, dry_run: bool, yes: bool) -> int:
    """Take it out again: exactly as it was, where nothing else was changed."""
    folder, scope = _folder(project, is_user=is_user)
    plan = agent.plan_uninstall(folder, agent.chosen(names), scope)
    return _carried_out(plan, dry_run=dry_run, yes=yes, is_install=False)


@command.command()
@_where
def status(*, names: tuple[str, ...], project: Path | None, is_user: bool) -> int:
    """Say what is installed; exit 1 when something is out of date, edited or in the way."""
    folder, scope = _folder(project, is_user=is_user)
    states = agent.status(folder, agent.chosen(names), scope, command=_start())
    width = max((len(state.path) for state in states), default=0)
    for state in states:
        outputs.show(f"{state.target:<10} {state.path:<{width}}  {state.says}")
    is_fine = all(state.says in ("installed", "not installed") for state in states)
    return EXIT_OK if is_fine else EXIT_FOUND


@command.command()
@click.argument("task", default="")
def show(*, task: str) -> int:
    """Print the engineer's definition, or the steps of one of its tasks."""
    if not task:
        found = personas.engineer()
        offered = "\n".join(f"- `nines agent show {each.name}`: {each.title}" for each in personas.tasks())
        outputs.show(f"# {found.title}\n\n{found.when}\n\n{found.text}\n\n## Tasks\n\n{offered}")
        return EXIT_OK
    wanted = next((each for each in personas.tasks() if each.name == task), None)
    if wanted is None:
        there = ", ".join(each.name for each in personas.tasks())
        raise UsageError(f"there is no task {task!r}", hint=f"There are: {there}.")
    outputs.show(f"# {wanted.title}\n\n{wanted.says}\n\n{wanted.text}")
    return EXIT_OK


def _folder(project: Path | None, *, is_user: bool) -> tuple[Path, Scope]:
    if is_user and project is not None:
        raise UsageError("--user and --project exclude one another")
    folder = Path.home() if is_user else project or Path()
    if not folder.is_dir():
        raise UsageError("there is no such folder", where=str(folder), hint="Name the project's folder: --project DIR")
    return folder, Scope.USER if is_user else Scope.PROJECT


def _start() -> str:
    """By its name where that is enough, for a project's files are shared; else by where it is."""
    if shutil.which(_COMMAND):
        return _COMMAND
    beside = Path(sys.executable).parent / _COMMAND
    return str(beside) if beside.is_file() else _COMMAND


def _carried_out(plan: Plan, *, dry_run: bool, yes: bool, is_install: bool) -> int:
    for note in plan.notes:
        click.echo(f"note: {note}", err=True)
    if not plan.real:
        click.echo("nothing to change", err=True)
        return EXIT_OK
    for change in plan.real:
        outputs.show(change.difference.rstrip("\n"))
    if dry_run:
        return EXIT_OK
    if not yes and not _is_agreed(len(plan.real)):
        click.echo("nothing was changed; say --yes to do it without a question", err=True)
        return EXIT_COULD_NOT_RUN
    agent.carry_out(plan, is_install=is_install)
    number = len(plan.real)
    click.echo(f"{number} file{'s' if number > 1 else ''} {'written' if is_install else 'put back'}", err=True)
    return EXIT_OK


def _is_agreed(number: int) -> bool:
    if not sys.stdin.isatty():
        return False
    agreed: bool = click.confirm(f"Change {number} file{'s' if number > 1 else ''}?", default=False, err=True)
    return agreed

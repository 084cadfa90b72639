"""The command `nines`: finds its sub-commands beside itself, catches every error, sets the exit code."""

from __future__ import annotations

import difflib
import importlib
import os
import pkgutil
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress

import click

from nines import __version__, cli
from nines.model.errors import NinesError
from nines.verbs import ending

EXIT_OK = 0
EXIT_FOUND = 1
EXIT_COULD_NOT_RUN = 2
EXIT_INTERRUPTED = ending.EXIT_INTERRUPTED

DEBUG = "NINES_DEBUG"
"""The environment variable that shows the traceback of an unexpected error."""
_REPORT = f"This is a defect of nines. Set {DEBUG}=1, run it again, and report what it prints, please."
_NOT_COMMANDS = {"asked", "built", "designed", "main", "options", "outputs", "progress", "telling"}
_FOLDER_COMMANDS = {"agent", "ask", "build", "compare", "design"}
"""Their --output is a folder or a file of its own kind, not that of a report."""


class Commands(click.Group):
    """A command for every module of this package that has one; a module is imported only when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(found.name for found in pkgutil.iter_modules(cli.__path__) if found.name not in _NOT_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"{cli.__name__}.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], known, n=1)
            hint = f"Did you mean: nines {near[0]}?" if near else f"There are: {', '.join(known)}."
            raise click.UsageError(f"There is no command {args[0]!r}. {hint}", ctx)
        return super().resolve_command(ctx, args)


@click.command(cls=Commands, no_args_is_help=True)
@click.version_option(__version__, message="nines %(version)s")
def application() -> None:
    """A backend reliability engineer: reads the code, runs the service, and says whether it will hold.

    \b
    nines review .     read the code in this folder and report what will not hold
    nines init .       write down how the service is started and used
    nines check .      review it, run it, try to break it, and give a verdict
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and exits: 0 fine, 1 found something, 2 could not run, 130 interrupted."""
    ending.ends_with_process()
    code = run(list(sys.argv[1:] if arguments is None else arguments))
    ending.ignore_late_signals()
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """The exit code of one invocation; nothing is raised, and no traceback reaches anybody who did not ask for it."""
    try:
        with ending.interruptible():
            code = application.main(args=_with_pairs(arguments), prog_name="nines", standalone_mode=False)
            sys.stdout.flush()
    except (KeyboardInterrupt, click.Abort):
        _say("nines: interrupted; everything that was started has been stopped")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`nines ... | head`); that is not our failure.
        _let_go_of_output()
        return EXIT_OK
    except Exception as error:
        return _failed(error)
    return code if isinstance(code, int) else EXIT_OK


def _failed(error: Exception) -> int:
    """Says what went wrong, in one way for each kind of error."""
    if isinstance(error, click.ClickException):
        with suppress(OSError):
            error.show()
        return EXIT_COULD_NOT_RUN
    if isinstance(error, OSError) and not isinstance(error, NinesError):
        where = f"{error.filename}: " if error.filename else ""
        _say(f"nines: {where}{error.strerror or error}")
        _let_go_of_output()
    elif isinstance(error, NinesError):
        _say(f"nines: {error}")
    else:
        said = " ".join(str(error).split())
        _say(f"nines: something unexpected went wrong: {type(error).__name__}{': ' if said else ''}{said}\n{_REPORT}")
    if os.environ.get(DEBUG, "") not in ("", "0"):
        _say("".join(traceback.format_exception(error)).rstrip())
    return EXIT_COULD_NOT_RUN


def _say(text: str) -> None:
    """On standard error, which may be closed as well; what a repository or a service said must not drive a terminal."""
    harmless = importlib.import_module("nines.reports").harmless
    with suppress(OSError, ValueError):
        click.echo(harmless(text), err=True)


def _let_go_of_output() -> None:
    """Points the standard streams at nothing, so that Python's own last flush does not complain."""
    with suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)


def _with_pairs(arguments: Sequence[str]) -> list[str]:
    """Only what may have reports needs the formats, and their import takes a while."""
    takes_reports = not _FOLDER_COMMANDS.intersection(arguments[:1])
    if not takes_reports or not any(arg.startswith(("-f", "-o", "--format", "--output")) for arg in arguments):
        return list(arguments)
    return importlib.import_module(f"{cli.__name__}.outputs").paired(arguments)  # type: ignore[no-any-return]

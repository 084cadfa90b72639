"""The command `nines`: finds its sub-commands beside itself, catches every NinesError, sets the exit code."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Sequence

import click

from nines import __version__, cli
from nines.model.errors import NinesError

EXIT_OK = 0
EXIT_FOUND = 1
EXIT_COULD_NOT_RUN = 2
EXIT_INTERRUPTED = 130

_NOT_COMMANDS = {"main", "outputs", "progress"}


class Commands(click.Group):
    """A command for every module of this package that has one; a module is imported only when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(found.name for found in pkgutil.iter_modules(cli.__path__) if found.name not in _NOT_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"{cli.__name__}.{cmd_name}").command
        return command


@click.command(cls=Commands, no_args_is_help=True)
@click.version_option(__version__, message="nines %(version)s")
def application() -> None:
    """A backend reliability engineer: reads the code, runs the service, and says whether it will hold."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and exits: 0 fine, 1 found something, 2 could not run, 130 interrupted."""
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: Sequence[str]) -> int:
    """The exit code of one invocation."""
    try:
        code = application.main(args=_with_pairs(arguments), prog_name="nines", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return EXIT_COULD_NOT_RUN
    except NinesError as error:
        click.echo(f"nines: {error}", err=True)
        return EXIT_COULD_NOT_RUN
    except (KeyboardInterrupt, click.Abort):
        click.echo("nines: interrupted; everything that was started has been stopped", err=True)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`nines ... | head`); that is not our failure.
        sys.stderr.close()
        return EXIT_OK
    return code if isinstance(code, int) else EXIT_OK


def _with_pairs(arguments: Sequence[str]) -> list[str]:
    """Only what may have reports needs the formats, and their import takes a while."""
    if not any(argument.startswith(("-f", "-o", "--format", "--output")) for argument in arguments):
        return list(arguments)
    return importlib.import_module(f"{cli.__name__}.outputs").paired(arguments)  # type: ignore[no-any-return]

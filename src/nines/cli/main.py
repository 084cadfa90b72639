"""The command `nines`: finds its sub-commands beside itself, catches every NinesError, sets the exit code."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Sequence

import click
import typer

from nines import __version__, cli
from nines.cli import outputs
from nines.model.errors import NinesError

EXIT_OK = 0
EXIT_FOUND = 1
EXIT_COULD_NOT_RUN = 2
EXIT_INTERRUPTED = 130

_NOT_COMMANDS = {"main", "outputs", "progress"}


def application() -> typer.Typer:
    """A command for every module of this package that has a function `run`."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="A backend reliability engineer: reads the code, runs the service, and says whether it will hold.",
    )

    @app.callback(invoke_without_command=True)
    def options(version: bool = typer.Option(False, "--version", help="Print the version and stop.")) -> None:
        if version:
            typer.echo(f"nines {__version__}")
            raise typer.Exit

    for module in sorted(pkgutil.iter_modules(cli.__path__), key=lambda found: found.name):
        if module.name not in _NOT_COMMANDS:
            command = importlib.import_module(f"{cli.__name__}.{module.name}")
            app.command(module.name, help=command.__doc__)(command.run)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and exits: 0 fine, 1 found something, 2 could not run, 130 interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(run(given))


def run(arguments: Sequence[str]) -> int:
    """The exit code of one invocation."""
    try:
        command = typer.main.get_command(application())
        code = command.main(args=outputs.paired(arguments), prog_name="nines", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return EXIT_COULD_NOT_RUN
    except NinesError as error:
        typer.echo(f"nines: {error}", err=True)
        return EXIT_COULD_NOT_RUN
    except (KeyboardInterrupt, click.Abort):
        typer.echo("nines: interrupted; everything that was started has been stopped", err=True)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`nines ... | head`); that is not our failure.
        sys.stderr.close()
        return EXIT_OK
    return code if isinstance(code, int) else EXIT_OK

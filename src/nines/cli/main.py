"""The command `nines`."""

from __future__ import annotations

import typer

from nines import __version__

app = typer.Typer(no_args_is_help=True, add_completion=False, help="A backend reliability engineer.")


@app.command()
def version() -> None:
    """Prints the version."""
    typer.echo(__version__)


@app.callback()
def options() -> None:
    """A backend reliability engineer."""


def main() -> None:
    """Runs the command line."""
    app()

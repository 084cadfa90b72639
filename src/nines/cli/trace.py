"""`nines trace`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from nines.reports import tree
from nines.verbs.project import open_project
from nines.verbs.trace import trace

_WIDTH_MAX = 160
_WIDTH_OF_A_PIPE = 140


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default=".")
@click.argument("endpoint", default="")
@click.option("--config", type=click.Path(path_type=Path), help="A configuration file other than the project's own.")
def command(*, path: Path, endpoint: str, config: Path | None) -> None:
    """Show the entry points of a backend, or what those do whose id, path or function contains ENDPOINT."""
    traced = trace(open_project(path, config), endpoint)
    is_terminal = sys.stdout.isatty()
    width = min(os.get_terminal_size().columns, _WIDTH_MAX) if is_terminal else _WIDTH_OF_A_PIPE
    render = tree.listing if traced.is_listing else tree.traces
    click.echo(render(traced.pairs, width=width, is_coloured=is_terminal), color=True)
    for item in traced.unexamined:
        times = f" ({item.count} times)" if item.count > 1 else ""
        click.echo(f"not understood: {item.reason}{times}: {item.what}", err=True)

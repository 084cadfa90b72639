"""Show the entry points of a backend, or what one of them does, step by step."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from nines.reports import tree
from nines.verbs.project import open_project
from nines.verbs.trace import trace


def run(
    path: Annotated[Path, typer.Argument(help="The folder of the backend.")] = Path(),
    endpoint: Annotated[str, typer.Argument(help="Part of an endpoint's id, path or function.")] = "",
    config: Annotated[Path | None, typer.Option(help="A configuration file other than the project's own.")] = None,
) -> None:
    traced = trace(open_project(path, config), endpoint)
    is_terminal = sys.stdout.isatty()
    width = min(os.get_terminal_size().columns, 160) if is_terminal else 140
    render = tree.listing if traced.is_listing else tree.traces
    typer.echo(render(traced.pairs, width=width, is_coloured=is_terminal), color=True)
    for item in traced.unexamined:
        times = f" ({item.count} times)" if item.count > 1 else ""
        typer.echo(f"not understood: {item.reason}{times}: {item.what}", err=True)

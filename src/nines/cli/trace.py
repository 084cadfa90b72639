"""`nines trace`."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import click

from nines import reports
from nines.cli import options, outputs
from nines.reports import tree
from nines.verbs.project import open_project
from nines.verbs.trace import trace

_WIDTH_MAX = 160
_WIDTH_OF_A_PIPE = 140
_TRACES_MAX = 20
"""Traces that are shown in full; of further matches there is a list."""


@click.command()
@options.project
@click.argument("endpoint", default="")
@options.config
def command(*, path: Path, endpoint: str, config: Path | None) -> None:
    """Show the entry points of a backend, or what those do whose id, path or function contains ENDPOINT."""
    if not endpoint and not path.exists() and (path.is_absolute() or " " in str(path)):
        # `nines trace "GET /items"`: an endpoint of the folder that we stand in.
        path, endpoint = Path(), str(path)
    traced = trace(open_project(path, config), endpoint)
    is_terminal = sys.stdout.isatty()
    width = (
        min(max(shutil.get_terminal_size().columns, outputs.WIDTH_MIN), _WIDTH_MAX) if is_terminal else _WIDTH_OF_A_PIPE
    )
    colour = is_terminal and "NO_COLOR" not in os.environ
    pairs = reports.harmless(traced.pairs)
    in_full, rest = ((), pairs) if traced.is_listing else (pairs[:_TRACES_MAX], pairs[_TRACES_MAX:])
    if in_full:
        outputs.show(tree.traces(in_full, width=width, is_coloured=colour))
    if rest and in_full:
        outputs.show(f"\n{len(rest)} more contain {endpoint!r}; name one of them:\n")
    if rest:
        outputs.show(tree.listing(rest, width=width, is_coloured=colour))
    for item in reports.harmless(traced.unexamined):
        times = f" ({item.count} times)" if item.count > 1 else ""
        click.echo(f"not understood: {item.what}: {item.reason}{times}", err=True)
        if item.hint:
            click.echo(f"  {item.hint}", err=True)

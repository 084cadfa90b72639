"""Show the page of a rule or an experiment; without a name, list them all."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from nines.verbs.explain import explain, topics


def run(
    name: Annotated[str, typer.Argument(help="A rule or an experiment, such as remote-call-in-transaction.")] = "",
) -> None:
    console = Console()
    if not name:
        table = Table(box=None, pad_edge=False)
        for heading in ("", "id", "says"):
            table.add_column(heading)
        for topic in topics():
            table.add_row(topic.kind, topic.id, topic.title)
        console.print(table)
        return
    page = explain(name).page
    if sys.stdout.isatty():
        console.print(Markdown(page))
    else:
        typer.echo(page)

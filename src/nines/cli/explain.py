"""`nines explain`."""

from __future__ import annotations

import sys

import click
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from nines.verbs.explain import explain, topics


@click.command()
@click.argument("name", default="")
def command(*, name: str) -> None:
    """Show the page of a rule or an experiment, such as remote-call-in-transaction; without a name, list them."""
    if name:
        page = explain(name).page
        if sys.stdout.isatty():
            Console().print(Markdown(page))
        else:
            click.echo(page)
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("", "id", "says"):
        table.add_column(heading)
    for topic in topics():
        table.add_row(topic.kind, topic.id, topic.title)
    Console().print(table)

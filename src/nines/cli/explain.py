"""`nines explain`."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

import click

from nines.cli import outputs
from nines.model.errors import UsageError
from nines.verbs import explain as explaining
from nines.verbs.explain import Topic


@click.command()
@click.argument("words", nargs=-1, metavar="[NAME | WORDS]")
def command(*, words: tuple[str, ...]) -> None:
    """Show the page of a rule or an experiment, such as remote-call-in-transaction.

    Without a name: a list of all. With other words: the pages that speak of them."""
    name = " ".join(words)
    if not name:
        _list(explaining.topics())
        return
    try:
        topic = explaining.explain(name)
    except UsageError:
        found = () if explaining.is_slip(name) else explaining.search(name)
        if not found:
            raise
        click.echo(f"Nothing is called {name!r}; these pages speak of it:", err=True)
        _list(found)
        return
    _show(topic.page)


def _show(page: str) -> None:
    """Rendered for a terminal, as it is for a pipe."""
    if not sys.stdout.isatty():
        outputs.show(page)
        return
    from rich.console import Console  # noqa: PLC0415 -- a list needs none of it
    from rich.markdown import Markdown  # noqa: PLC0415

    console = Console(width=_width(), no_color="NO_COLOR" in os.environ)
    console.print(Markdown(page))


def _list(topics: Sequence[Topic]) -> None:
    """One line for each topic, its title cut to the terminal's width."""
    width = max(len(topic.id) for topic in topics)
    for kind in dict.fromkeys(topic.kind for topic in topics):
        outputs.show(f"{kind}s")
        for topic in (topic for topic in topics if topic.kind == kind):
            room = max(_width() - width - 4, 20)
            title = topic.title if len(topic.title) <= room else topic.title[: room - 1] + "…"
            outputs.show(f"  {topic.id:<{width}}  {title}")


def _width() -> int:
    if not sys.stdout.isatty():
        return 200
    return min(max(shutil.get_terminal_size().columns, outputs.WIDTH_MIN), outputs.WIDTH_MAX)

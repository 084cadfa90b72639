"""`nines explain`."""

from __future__ import annotations

import os
import shutil
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path

import click

from nines.cli import outputs
from nines.model.errors import UsageError
from nines.verbs import explain as explaining
from nines.verbs import explained
from nines.verbs.explain import Topic

_FORMATS = ("terminal", *explained.FORMATS)


@click.command()
@click.argument("words", nargs=-1, metavar="[NAME | WORDS]")
@click.option("--open", "is_opened", is_flag=True, help="Show the page in the browser.")
@click.option("--format", "-f", "format", type=click.Choice(_FORMATS), default="terminal", show_default=True)
@click.option(
    "--output", "-o", "file", default=outputs.STANDARD_OUTPUT, metavar="FILE", help="Instead of the terminal."
)
def command(*, words: tuple[str, ...], is_opened: bool, format: str, file: str) -> None:
    """Show the page of a pattern, a rule, an experiment, an objection or a guide.

    NAME is what a report calls it, or its last part: circuit-breaker, remote-call-in-transaction. Without a name: a
    list of all. With other words, the pages that speak of them, the best first."""
    name = " ".join(words)
    found = _found(name)
    is_list = not name or len(found) > 1
    if is_opened:
        _open(found, is_list=is_list)
    elif format == "terminal" and file == outputs.STANDARD_OUTPUT:
        if is_list:
            _list(found) if name else _list_by_kind(found)
        else:
            _show(explained.page(found[0]))
    else:
        _write(explained.written(found, "markdown" if format == "terminal" else format, is_list=is_list), file)


def _found(name: str) -> tuple[Topic, ...]:
    """Everything without a name, the one topic that is called so, or those that speak of the words."""
    if not name:
        return explaining.topics()
    topic = explaining.named(name)
    if topic is not None:
        return (topic,)
    found = () if explaining.is_slip(name) else explaining.search(name)
    if not found:
        raise _unknown(name)
    click.echo(f"Nothing is called {name!r}; these pages speak of it, the best first:", err=True)
    return found


def _unknown(name: str) -> UsageError:
    try:
        explaining.explain(name)
    except UsageError as error:
        return error
    return UsageError(f"no page speaks of {name!r}", hint="List them with: nines explain")


def _open(topics: Sequence[Topic], *, is_list: bool) -> None:
    """In the browser: the site's page where it was built, else one of its own; the address is printed either way."""
    is_selection = is_list and len(topics) < len(explaining.topics())
    address = "" if is_selection else explained.site_page(None if is_list else topics[0])
    address = address or explained.kept_page(topics, is_list=is_list).as_uri()
    if not webbrowser.open(address):
        click.echo("No browser was found; this is the page:", err=True)
    outputs.show(address)


def _write(text: str, file: str) -> None:
    if file == outputs.STANDARD_OUTPUT:
        outputs.show(text.rstrip())
        return
    try:
        outputs.save(Path(file), text)
    except OSError as error:
        hint = "Name a file in a folder that exists."
        raise UsageError(f"the page cannot be saved: {error.strerror or error}", where=file, hint=hint) from error


def _show(page: str) -> None:
    """Rendered for a terminal, as it is for a pipe."""
    if not sys.stdout.isatty():
        outputs.show(page.rstrip())
        return
    from rich.console import Console  # noqa: PLC0415 -- a list needs none of it
    from rich.markdown import Markdown  # noqa: PLC0415

    console = Console(width=_width(), no_color="NO_COLOR" in os.environ)
    console.print(Markdown(page))


def _list_by_kind(topics: Sequence[Topic]) -> None:
    for kind in dict.fromkeys(topic.kind for topic in topics):
        outputs.show(f"{kind}s")
        _list([topic for topic in topics if topic.kind is kind], kinds=False)


def _list(topics: Sequence[Topic], *, kinds: bool = True) -> None:
    """One line for each topic in the order given, its title cut to the terminal's width."""
    width = max(len(topic.id) for topic in topics)
    kind_width = max(len(topic.kind) for topic in topics)
    for topic in topics:
        head = f"  {topic.kind:<{kind_width}}  {topic.id:<{width}}  " if kinds else f"  {topic.id:<{width}}  "
        room = max(_width() - len(head), 20)
        title = topic.title if len(topic.title) <= room else topic.title[: room - 1] + "…"
        outputs.show(f"{head}{title}")


def _width() -> int:
    if not sys.stdout.isatty():
        return 200
    return min(max(shutil.get_terminal_size().columns, outputs.WIDTH_MIN), outputs.WIDTH_MAX)

"""Topics as files: Markdown, JSON, and one HTML page that needs nothing else; and where the built site has them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import msgspec

from nines import __version__
from nines.model.errors import UsageError
from nines.model.record import Record
from nines.verbs.explain import Kind, Link, Topic

FORMATS = ("markdown", "json", "html")
SITE = Path("build") / "site"
"""Where `make site` puts the site, inside a clone."""
_HEADINGS = {
    Kind.PATTERN: "Patterns",
    Kind.RULE: "Rules",
    Kind.EXPERIMENT: "Experiments",
    Kind.OBJECTION: "Objections",
    Kind.GUIDE: "Guides",
}


class _Listed(Record, omit_defaults=False):
    id: str
    kind: Kind
    title: str
    summary: str


class _Told(Record, omit_defaults=False):
    id: str
    kind: Kind
    title: str
    summary: str
    also_called: tuple[str, ...]
    links: tuple[Link, ...]
    page: str


def written(topics: Sequence[Topic], format: str, *, is_list: bool) -> str:
    """The topics in a format of `FORMATS`: one with its whole page, a list without pages."""
    if format == "json":
        return _json(topics, is_list=is_list)
    text = listed(topics) if is_list else page(topics[0])
    return text if format == "markdown" else html(text, "nines explain" if is_list else topics[0].title)


def page(topic: Topic) -> str:
    """The page, and for what is found, proved or objected to, the patterns that help."""
    if topic.kind in (Kind.PATTERN, Kind.GUIDE) or not topic.links:
        return topic.page
    return f"{topic.page.rstrip()}\n\n## Patterns\n\n{bullets(topic.links)}\n"


def bullets(links: Sequence[Link]) -> str:
    return "\n".join(f"- `{link.id}`: {link.title} ({link.why})" for link in links)


def listed(topics: Sequence[Topic]) -> str:
    """Markdown: one line for each, by kind."""
    lines: list[str] = []
    for kind in dict.fromkeys(topic.kind for topic in topics):
        lines += [f"## {_HEADINGS[kind]}", ""]
        lines += [f"- `{topic.id}`: {topic.title}" for topic in topics if topic.kind is kind]
        lines.append("")
    return "\n".join(["# What nines can explain", "", *lines])


def html(text: str, title: str) -> str:
    """Markdown as one page without scripts or anything to fetch; raw HTML in it is shown as text."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 -- a terminal needs none of it
    from markupsafe import escape  # noqa: PLC0415

    markdown = MarkdownIt("commonmark", {"html": False, "highlight": _coloured}).enable("table")
    body = markdown.render(text)
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{escape(title)} · nines</title>\n<style>{_style()}</style>\n</head>\n<body>\n"
        f'{body}<p class="kind">nines {escape(__version__)}</p>\n</body>\n</html>\n'
    )


def site_page(topic: Topic | None) -> str:
    """The address of a topic in the built site, or of its first page; "" where no site was built."""
    path, _, anchor = (site_path(topic) if topic else "index.html").partition("#")
    file = Path(__file__).parents[3] / SITE / path
    return f"{file.as_uri()}#{anchor}".rstrip("#") if file.is_file() else ""


def site_path(topic: Topic) -> str:
    """Where the site has a topic, relative to its root."""
    if topic.kind is Kind.OBJECTION:
        return f"objections.html#{topic.id}"
    return f"{topic.kind.value}s/{topic.id}.html"


def kept_page(topics: Sequence[Topic], *, is_list: bool) -> Path:
    """The HTML page in the user's cache, written anew each time: at most one file for each topic stays there."""
    name = "list" if is_list else re.sub(r"[^a-z0-9-]", "--", topics[0].id)
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nines" / "pages"
    file = folder / f"{name}.html"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(written(topics, "html", is_list=is_list), encoding="utf-8")
    except OSError as error:
        hint = "Write it where you like: nines explain NAME --format html --output page.html"
        raise UsageError(f"the page cannot be kept: {error.strerror or error}", where=str(file), hint=hint) from error
    return file


def _json(topics: Sequence[Topic], *, is_list: bool) -> str:
    document: object
    if is_list:
        document = [_Listed(id=t.id, kind=t.kind, title=t.title, summary=t.summary) for t in topics]
    else:
        topic = topics[0]
        document = _Told(
            id=topic.id,
            kind=topic.kind,
            title=topic.title,
            summary=topic.summary,
            also_called=topic.also_called,
            links=topic.links,
            page=topic.page,
        )
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _coloured(text: str, language: str, _: str) -> str:
    from pygments import highlight  # noqa: PLC0415
    from pygments.formatters import HtmlFormatter  # noqa: PLC0415
    from pygments.lexers import get_lexer_by_name  # noqa: PLC0415
    from pygments.util import ClassNotFound  # noqa: PLC0415

    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return ""  # The renderer then escapes the text itself.
    return highlight(text, lexer, HtmlFormatter(nowrap=True))


def _style() -> str:
    """The page's own style, and the colours of code in light and in dark."""
    from pygments.formatters import HtmlFormatter  # noqa: PLC0415

    own = resources.files(__package__).joinpath("explained.css").read_text(encoding="utf-8")
    light: str = HtmlFormatter(style="default").get_style_defs("pre")  # type: ignore[no-untyped-call]
    dark: str = HtmlFormatter(style="github-dark").get_style_defs("pre")  # type: ignore[no-untyped-call]
    background = re.compile(r"^pre \{.*\}\n?", re.MULTILINE)
    return f"{own}{background.sub('', light)}\n@media (prefers-color-scheme: dark) {{\n{background.sub('', dark)}\n}}"

"""Source excerpts with their syntax shown and the lines that matter marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_for_filename
from pygments.lexers.special import TextLexer
from pygments.styles import get_style_by_name
from pygments.util import ClassNotFound

from nines.model.place import Place
from nines.model.report import Excerpt

_AROUND = 3


class Excerpts:
    """The excerpts of a report, found by place."""

    def __init__(self, excerpts: Sequence[Excerpt]) -> None:
        self._lines = {
            (excerpt.file, excerpt.first + offset): line
            for excerpt in excerpts
            for offset, line in enumerate(excerpt.lines)
        }

    def around(self, place: Place | None, words: str = "") -> Markup:
        """A figure with the lines around a place, or nothing when the report has none of them."""
        if place is None:
            return Markup()
        numbers = [
            number
            for number in range(place.line - _AROUND, place.line + _AROUND + 1)
            if (place.file, number) in self._lines
        ]
        if place.line not in numbers:
            return Markup()
        lines = _coloured([self._lines[place.file, number] for number in numbers], place.file)
        rows = Markup().join(
            Markup('<div class="line{}"><span class="no">{}</span><code>{}</code></div>').format(
                " hit" if number == place.line else "", number, line
            )
            for number, line in zip(numbers, lines, strict=True)
        )
        caption = Markup("<figcaption><b>{}</b> {}</figcaption>").format(str(place), words)
        return Markup('<figure class="code">{}<div class="lines">{}</div></figure>').format(caption, rows)


def _coloured(lines: list[str], file: str) -> list[Markup]:
    """One piece of markup per line, whatever a lexer makes of fragments that begin in the middle."""
    try:
        lexer = get_lexer_for_filename(file, stripnl=False, ensurenl=False)
    except ClassNotFound:
        lexer = TextLexer(stripnl=False, ensurenl=False)
    marked = highlight("\n".join(lines), lexer, HtmlFormatter(nowrap=True)).rstrip("\n").split("\n")
    if len(marked) != len(lines):
        return [escape(line) for line in lines]
    return [Markup(line) for line in marked]  # noqa: S704 - the highlighter escapes what it is given.


def style() -> str:
    """Colours for both schemes; the excerpt's own background is the page's."""
    return f"\n{_rules('xcode')}\n@media (prefers-color-scheme: dark) {{\n{_rules('github-dark')}\n}}\n"


def _rules(name: str) -> str:
    formatter: Any = HtmlFormatter(style=get_style_by_name(name))
    lines: list[str] = formatter.get_style_defs(".lines").splitlines()
    return "\n".join(line for line in lines if not line.startswith((".lines {", "pre", "td", "span")))

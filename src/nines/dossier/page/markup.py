"""Markdown as a part of the one page: links lead within it, diagrams are drawn, and raw HTML is shown as text."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.lexers.special import TextLexer
from pygments.styles import get_style_by_name
from pygments.util import ClassNotFound

from nines.dossier.markdown import anchor
from nines.model.design import Document

COLOURED_MAX = 24_000
"""Longer texts stay in one colour: their markup would be several times as long."""
_MARKDOWN = ".md"
_OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)


class Writer:
    """Renders the documents of one dossier; it knows them all, so that it knows where a link leads."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._places = {document.path: place(document.path) for document in documents}
        self._markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
        self._markdown.options["highlight"] = None

    def rendered(self, document: Document, *, deeper: int = 1) -> Markup:
        """The document's headings begin `deeper` levels below its own."""
        tokens = self._markdown.parse(document.text)
        self._name_headings(tokens, document, deeper)
        for token in (each for parent in tokens for each in (parent, *(parent.children or ()))):
            if token.type == "link_open":
                token.attrSet("href", self.leads(str(token.attrGet("href") or ""), document.path))
            elif token.type == "image":
                # Nothing is fetched from anywhere: a picture is told by its words.
                token.type, token.tag = "text", ""
        renderer = _Renderer(dict(document.drawings))
        # What renders escapes every text itself, and raw HTML is off.
        return Markup(renderer.render(tokens, self._markdown.options, {}))  # noqa: S704

    def leads(self, href: str, path: str) -> str:
        """Where a link of the document leads within the page."""
        if _OUTSIDE.match(href):
            return href
        target, _, fragment = href.partition("#")
        full = posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(target))) if target else path
        known = self._places.get(full)
        if known is None:
            return href
        return f"#{known}--{unquote(fragment)}" if fragment else f"#{known}"

    def _name_headings(self, tokens: list[Token], document: Document, deeper: int) -> None:
        here = self._places[document.path]
        seen: dict[str, int] = {}
        for token, inside in itertools.pairwise(tokens):
            if token.type in ("heading_open", "heading_close"):
                token.tag = f"h{min(6, int(token.tag[1:]) + deeper)}"
            if token.type != "heading_open":
                continue
            name = anchor("".join(each.content for each in inside.children or ()))
            again = seen.get(name, -1) + 1
            seen[name] = again
            token.attrSet("id", f"{here}--{name}-{again}" if again else f"{here}--{name}")
        if tokens and tokens[-1].type == "heading_close":
            tokens[-1].tag = f"h{min(6, int(tokens[-1].tag[1:]) + deeper)}"


def place(path: str) -> str:
    """The id of a document within the page: "contract/payment.md" is "contract-payment"."""
    name = path.removesuffix(_MARKDOWN).removesuffix("/README")
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-") if path.endswith(_MARKDOWN) else f"file-{_kebab(path)}"


def _kebab(path: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", path).strip("-")


def code(text: str, language: str) -> Markup:
    """A block with a button that copies it."""
    inside = _coloured(text, language)
    return Markup(
        '<div class="shell"><button class="copy" type="button">copy</button>'
        '<pre tabindex="0"><code>{}</code></pre></div>'
    ).format(inside)


def file(document: Document) -> Markup:
    """The text of a file that is no Markdown."""
    name = document.path.rpartition("/")[2]
    return code(document.text, f"/{name}")


def _coloured(text: str, language: str) -> Markup:
    if len(text) > COLOURED_MAX:
        return escape(text)
    try:
        wanted: dict[str, Any] = {"stripnl": False, "ensurenl": False}
        lexer = (
            get_lexer_for_filename(language[1:], **wanted)
            if language.startswith("/")
            else get_lexer_by_name(language, **wanted)
        )
    except ClassNotFound:
        lexer = TextLexer(stripnl=False, ensurenl=False)
    return Markup(highlight(text, lexer, HtmlFormatter(nowrap=True)))  # noqa: S704 - the highlighter escapes.


def style() -> str:
    """The colours of code, in light and dark."""
    return f"\n{_rules('xcode')}\n@media screen and (prefers-color-scheme: dark) {{\n{_rules('github-dark')}\n}}\n"


def _rules(name: str) -> str:
    formatter: Any = HtmlFormatter(style=get_style_by_name(name))
    lines: list[str] = formatter.get_style_defs(".shell").splitlines()
    return "\n".join(line for line in lines if not line.startswith((".shell {", "pre", "td", "span")))


class _Renderer(RendererHTML):
    """Tables and drawings in frames that scroll by themselves, and code that can be copied."""

    def __init__(self, drawings: Mapping[str, str]) -> None:
        super().__init__()
        self._drawings = drawings

    def table_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        columns = sum(1 for each in _until(tokens, idx, "tr_close") if each.type == "th_open")
        wide = " wide" if columns > _COLUMNS_NARROW else ""
        table = self.renderToken(tokens, idx, options, env)
        return f'<div class="scroll{wide}" tabindex="0" role="region" aria-label="table">{table}'

    def table_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return self.renderToken(tokens, idx, options, env) + "</div>\n"

    def fence(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:  # noqa: ARG002
        token = tokens[idx]
        language = (token.info or "").strip().split(" ")[0]
        drawn = self._drawings.get(token.content.rstrip("\n")) if language == "mermaid" else None
        if drawn is not None:
            return f'<figure class="drawing"><div class="scroll" tabindex="0">{drawn}</div></figure>\n'
        return f"{code(token.content, language)}\n"

    def code_block(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:  # noqa: ARG002
        return f"{code(tokens[idx].content, '')}\n"


_COLUMNS_NARROW = 3


def _until(tokens: Sequence[Token], start: int, kind: str) -> Sequence[Token]:
    end = next((number for number in range(start, len(tokens)) if tokens[number].type == kind), len(tokens))
    return tokens[start:end]

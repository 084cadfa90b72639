"""The whole dossier as one self-contained HTML page: no network, no script needed, light and dark."""

from __future__ import annotations

from importlib import resources

import jinja2
from markdown_it import MarkdownIt
from markupsafe import Markup

from nines.dossier import diagrams, front, standing
from nines.dossier.front import Part
from nines.dossier.page import markup
from nines.model.design import Design, Document

_EMBEDDED_MAX = 400_000
"""A longer file is only linked to."""
_MARKDOWN = ".md"


def document(design: Design, parts: tuple[Part, ...]) -> Document:
    everything = [each for part in parts for each in part.documents]
    # A file that is too long to be shown has no place in the page, so links to it lead to the file itself.
    shown = [each for each in everything if each.path.endswith(_MARKDOWN) or len(each.text) <= _EMBEDDED_MAX]
    writer = markup.Writer(shown)
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals |= {
        "title": front.title_of,
        "place": markup.place,
        "rendered": writer.rendered,
        "file": markup.file,
    }
    environment.filters["inline"] = _inline
    folder = resources.files(__name__)
    style = (folder / "style.css").read_text(encoding="utf-8") + diagrams.style() + markup.style()
    text = environment.from_string((folder / "page.html.j2").read_text(encoding="utf-8")).render(
        design=design,
        parts=[_Told(part, {each.path for each in shown}) for part in parts],
        opening=front.opening(design),
        says=front.standing_says(design),
        verdict=standing.verdict(design),
        promises=standing.promises(design),
        open=standing.still_open(design),
        style=Markup(style),  # noqa: S704 - our own files.
        script=Markup((folder / "script.js").read_text(encoding="utf-8")),  # noqa: S704 - our own file.
    )
    return Document(path=front.PAGE, text=text.rstrip() + "\n", title="All chapters on one page")


class _Told:
    """A chapter as the page shows it: its own text, further pages and files, those of one folder together."""

    def __init__(self, part: Part, shown: set[str]) -> None:
        first, *others = part.documents
        self.chapter, self.first = part.chapter, first
        pages = [each for each in others if each.path.endswith(_MARKDOWN)]
        files = [each for each in others if not each.path.endswith(_MARKDOWN) and each.path in shown]
        self.pages, self.files = front.grouped(pages), front.grouped(files)
        self.long = [each for each in others if each.path not in shown]


def _inline(text: str) -> Markup:
    """A sentence with code and emphasis."""
    return Markup(MarkdownIt("commonmark", {"html": False}).renderInline(text))  # noqa: S704 - raw HTML is off.

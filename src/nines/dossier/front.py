"""The front page in Markdown: what this is, whether it holds, what is open, and where everything stands."""

from __future__ import annotations

from collections.abc import Sequence

from nines.dossier.chapter import Chapter
from nines.dossier.markdown import bullets, code, heading, line, link, page, table
from nines.dossier.standing import Open, promises, still_open, verdict
from nines.dossier.words import many
from nines.model.design import Design, Document
from nines.model.record import Record

PATH = "README.md"
PAGE = "index.html"
_OPEN_MAX = 20
_GROUP_MIN = 6
"""From this many on, the files of one folder stand together."""
_HOLDS = {True: "yes", False: "**no**", None: "not known"}


class Part(Record):
    """A chapter with its documents, its own page first."""

    chapter: Chapter
    documents: tuple[Document, ...]


def readme(design: Design, parts: tuple[Part, ...]) -> Document:
    text = page(
        heading(1, design.name),
        line(design.card.purpose),
        opening(design),
        f"Everything on one page, diagrams drawn: {link(PAGE, PAGE)}.",
        heading(2, "Does it hold?"),
        standing_says(design),
        table(
            ("promise", "target", "this design", "holds", "what decides it"),
            [(each.name, each.target, each.found or "–", _HOLDS[each.holds], each.says) for each in promises(design)],
        ),
        heading(2, "What is open"),
        *_open(still_open(design)),
        heading(2, "Chapters"),
        *(block for part in parts for block in _chapter(part)),
    )
    return Document(path=PATH, text=text, title=design.name)


def opening(design: Design) -> str:
    """Where it comes from, and how large it is."""
    size = (
        f"{many(len(design.endpoints), 'operation')}, {many(len(design.tables), 'table')}, "
        f"{many(len(design.jobs), 'job')}"
    )
    if design.is_recovered:
        return (
            f"Recovered from the code of {code(design.where or design.name)}: {size}. It says what the code does, "
            "not what was once intended; what could not be read is listed under what is open."
        )
    owner = f", owned by {design.card.owner}" if design.card.owner else ""
    source = f" It follows from {code(design.where)}: change that, and run it again." if design.where else ""
    return f"A {design.card.tier.value} service{owner}: {size}.{source}"


def standing_says(design: Design) -> str:
    """The verdict in a sentence."""
    found = promises(design)
    broken = [each for each in found if each.holds is False]
    unknown = [each.name.lower() for each in found if each.holds is None]
    said = []
    if broken:
        said.append(
            f"**No:** {'; '.join(f'{each.name.lower()} {each.found} against {each.target}' for each in broken)}."
        )
    elif verdict(design):
        said.append("**Yes**, as far as arithmetic and simulation can tell; running it is what proves it.")
    if unknown and design.is_recovered:
        said.append(f"Not in the code: {', '.join(unknown)}. {code('nines prove')} measures what it can of them.")
    elif unknown:
        said.append(f"Not computed: {', '.join(unknown)}.")
    return " ".join(said)


def _open(found: tuple[Open, ...]) -> list[str]:
    if not found:
        return ["Nothing that is known of."]
    said = [
        f"{each.kind}: {each.says}" + (f" Assumed: {each.assumed}" if each.assumed else "")
        for each in found[:_OPEN_MAX]
    ]
    more = [f"And {len(found) - _OPEN_MAX} more, in their chapters."] if len(found) > _OPEN_MAX else []
    return [bullets(said), *more]


def _chapter(part: Part) -> list[str]:
    """Its sentence, and everything else that it has, by name."""
    first, *others = part.documents
    listed = [
        (name, " · ".join(link(title_of(each), each.path) for each in inside)) for name, inside in grouped(others)
    ]
    return [
        heading(3, f"{part.chapter.number}. {part.chapter.title}"),
        f"{link(part.chapter.title, first.path)}: {line(part.chapter.says)}",
        *(f"{code(name)}: {links}" if name else links for name, links in listed),
    ]


def title_of(document: Document, *, within: str = "") -> str:
    """Its own title, else its first heading, else its name within a folder of the chapter."""
    if document.title:
        return document.title
    first = document.text.partition("\n")[0]
    is_heading = document.path.endswith(".md") and first.startswith("# ")
    name = document.path.partition("/")[2].removeprefix(f"{within}/")
    return first[2:].strip("` ") if is_heading else name or document.path


def grouped(documents: Sequence[Document]) -> list[tuple[str, list[Document]]]:
    """Those of a folder within the chapter's together under its name, where they are many; all others first."""
    inside: dict[str, list[Document]] = {}
    for each in documents:
        _, *folders, _ = each.path.split("/")
        inside.setdefault("/".join(folders), []).append(each)
    many = {name: found for name, found in inside.items() if name and len(found) >= _GROUP_MIN}
    rest = [each for each in documents if not any(each in found for found in many.values())]
    return [("", rest), *many.items()] if rest else list(many.items())

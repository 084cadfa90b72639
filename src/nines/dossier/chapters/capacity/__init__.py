"""Capacity: how much the service carries, what gives way first, and what to do then."""

from __future__ import annotations

from collections.abc import Iterator

from nines.dossier.chapter import Chapter
from nines.dossier.chapters.capacity import export, needs, readme
from nines.dossier.markdown import heading, page
from nines.model.design import Design, Document

CHAPTER = Chapter(
    number=5,
    folder="capacity",
    title="Capacity and bottlenecks",
    says="How much the service carries, reckoned line by line, and what gives way first as the load grows.",
)


def write(design: Design) -> Iterator[Document]:
    """The page, and the same as JSON."""
    plan = design.capacity
    if plan is None:
        text = page(heading(1, CHAPTER.title), "Nothing was reckoned for this design.")
    else:
        text = needs.text(design, plan) if design.demand is None else readme.text(design, plan)
    yield Document(path=f"{CHAPTER.folder}/README.md", text=text, title=CHAPTER.title)
    if plan is not None:
        yield Document(path=f"{CHAPTER.folder}/capacity.json", text=export.text(design, plan), title="All figures")

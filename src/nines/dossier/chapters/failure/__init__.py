"""Failure: what breaks, how it shows, what holds it, what the caller sees, and the availability that is left."""

from __future__ import annotations

from collections.abc import Iterator

from nines.dossier.chapter import Chapter
from nines.dossier.chapters.failure import export, readme
from nines.model.design import Design, Document

CHAPTER = Chapter(
    number=7,
    folder="failure",
    title="Failure",
    says="What breaks, how it shows, what holds it, what the caller sees, and the availability that follows.",
)


def write(design: Design) -> Iterator[Document]:
    """The page, and the failure modes for tools."""
    yield Document(path=f"{CHAPTER.folder}/README.md", text=readme.text(design), title=CHAPTER.title)
    yield Document(path=f"{CHAPTER.folder}/failures.json", text=export.text(design), title="Failure modes, for tools")

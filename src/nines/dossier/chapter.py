"""A chapter of the dossier."""

from __future__ import annotations

from nines.model.record import Record


class Chapter(Record):
    """A module or package in `chapters/` has one as CHAPTER, and `write(design) -> Iterator[Document]` beside it.

    The first document is the chapter's own page, `<folder>/README.md`; the others are its artefacts in the same
    folder."""

    number: int
    folder: str
    """Kebab case: "contract"."""
    title: str
    says: str
    """One sentence for the front page: what a reader finds there."""

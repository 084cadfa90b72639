"""The data: what is stored, how it is found again, how it grows, and how it changes."""

from __future__ import annotations

from collections.abc import Iterator

from nines.dossier import diagrams
from nines.dossier.chapter import Chapter
from nines.dossier.chapters.data import details, entities, readme, scripts
from nines.model.design import Design, Document

CHAPTER = Chapter(
    number=3,
    folder="data",
    title="Data",
    says="Every table with its keys, indexes and the queries they serve; isolation, growth, retention, migrations.",
)


def write(design: Design) -> Iterator[Document]:
    """The page, the tables in detail, and the scripts for PostgreSQL."""
    drawn = entities.diagrams_of(design)
    artefacts = [
        Document(path=f"{CHAPTER.folder}/{name}", text=text, title=title)
        for name, text, title in (
            ("tables.md", details.text(design), "Every table with its columns, keys and checks"),
            ("schema.sql", scripts.schema(design), "The schema, for an empty PostgreSQL"),
            ("queries.sql", scripts.queries(design), "Every query, with arguments to try it"),
            *((f"migrations/{each.name}.sql", each.script, each.says) for each in design.migrations),
        )
        if text
    ]
    yield Document(
        path=f"{CHAPTER.folder}/README.md",
        text=readme.text(design, drawn, artefacts),
        title=CHAPTER.title,
        drawings=diagrams.drawings(*drawn),
    )
    yield from artefacts

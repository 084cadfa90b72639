"""Writes every chapter of a design; deterministic, so that a second run changes no byte."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterator

from nines.dossier import chapters, page
from nines.dossier.chapter import Chapter
from nines.dossier.front import Part, readme
from nines.model.design import Design, Document
from nines.model.record import Record


class Writer(Record):
    chapter: Chapter
    write: Callable[[Design], Iterator[Document]]


@functools.cache
def writers() -> tuple[Writer, ...]:
    """Every chapter's writer, by number."""
    modules = (
        importlib.import_module(f"{chapters.__name__}.{found.name}")
        for found in pkgutil.iter_modules(chapters.__path__)
    )
    found = (Writer(chapter=module.CHAPTER, write=module.write) for module in modules)
    return tuple(sorted(found, key=lambda writer: writer.chapter.number))


def write(design: Design) -> tuple[Document, ...]:
    """Every document of the dossier, in the order of the chapters; the front page and the page of all come last."""
    found = ((writer.chapter, tuple(writer.write(design))) for writer in writers())
    parts = tuple(Part(chapter=chapter, documents=documents) for chapter, documents in found if documents)
    own = tuple(document for part in parts for document in part.documents)
    return (*own, readme(design, parts), page.document(design, parts))

"""The contract: what callers meet, as tables to read and as documents for tools."""

from __future__ import annotations

from collections.abc import Iterator

from nines.dossier import yaml
from nines.dossier.chapter import Chapter
from nines.dossier.chapters.contract import openapi, pages, readme
from nines.model.design import Design, Document

CHAPTER = Chapter(
    number=1,
    folder="contract",
    title="Contract",
    says="Every operation with its requests and answers, the events, and what changed since the last release.",
)


def write(design: Design) -> Iterator[Document]:
    """The page, one page for each kind of thing, and the documents for tools."""
    artefacts = [Document(path=_path("openapi.yaml"), text=yaml.dump(openapi.document(design)), title="OpenAPI 3.1")]
    told = tuple((each.path.rpartition("/")[2], each.title) for each in artefacts)
    yield Document(path=_path("README.md"), text=readme.text(design, told), title=CHAPTER.title)
    yield from pages.documents(design, CHAPTER.folder)
    yield from artefacts


def _path(name: str) -> str:
    return f"{CHAPTER.folder}/{name}"

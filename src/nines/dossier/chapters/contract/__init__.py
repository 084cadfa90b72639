"""The contract: what callers meet, as tables to read and as documents for tools."""

from __future__ import annotations

from collections.abc import Iterator

from nines.dossier import yaml
from nines.dossier.chapter import Chapter
from nines.dossier.chapters.contract import asyncapi, changes, graphql, openapi, pages, problems, proto, readme, taking
from nines.model.design import Design, Document

CHAPTER = Chapter(
    number=1,
    folder="contract",
    title="Contract",
    says="Every operation with its requests and answers, the events, and what changed since the last release.",
)


def write(design: Design) -> Iterator[Document]:
    """The page, one page for each kind of thing, and the documents for tools."""
    found = changes.changes(design)
    protocol = design.protocol
    verdict = changes.verdict(found) if design.released else ""
    artefacts = [
        Document(path=f"{CHAPTER.folder}/{name}", text=text, title=title)
        for name, text, title in (
            ("openapi.yaml", yaml.dump(openapi.document(design)), "OpenAPI 3.1"),
            ("asyncapi.yaml", _events(design), "AsyncAPI 3.0"),
            ("schema.graphql", graphql.text(design) if "graphql" in design.card.interfaces else "", "GraphQL"),
            (f"{design.name}.proto", proto.text(protocol, design) if protocol else "", "Protocol Buffers"),
            (proto.LOCK, proto.lock(protocol, design) if protocol else "", "The numbers of its fields"),
            ("problems.md", problems.text(design), "Problems, each with an example"),
            ("changes.md", changes.text(found) if design.released else "", "Changes since the released contract"),
        )
        if text
    ]
    page = readme.text(design, artefacts, verdict)
    yield Document(path=f"{CHAPTER.folder}/README.md", text=page, title=CHAPTER.title)
    yield from pages.documents(design, CHAPTER.folder)
    yield from artefacts


def _events(design: Design) -> str:
    told = any(asyncapi.shape_of(event, design) for event in design.events) or any(taking.taken(design))
    return yaml.dump(asyncapi.document(design)) if told else ""

"""Security: where trust changes, what is tried at each place and what stands in its way, and who may do what."""

from __future__ import annotations

from collections.abc import Iterator

from nines.dossier import diagrams
from nines.dossier.chapter import Chapter
from nines.dossier.chapters.security import boundaries, export, readme
from nines.model.design import Design, Document

CHAPTER = Chapter(
    number=6,
    folder="security",
    title="Security",
    says="Trust boundaries, the threats to each element and what stands in their way, and who may do what.",
)


def write(design: Design) -> Iterator[Document]:
    """The page, and the threats for tools."""
    diagram = boundaries.diagram(design)
    yield Document(
        path=f"{CHAPTER.folder}/README.md",
        text=readme.text(design, diagram),
        title=CHAPTER.title,
        drawings=diagrams.drawings(diagram),
    )
    yield Document(path=f"{CHAPTER.folder}/threats.json", text=export.text(design), title="Threats, for tools")

"""Diagrams: one noun for each, written as mermaid for Markdown and drawn as SVG for the page, so that they agree."""

from __future__ import annotations

from importlib import resources

from nines.dossier.diagrams import entities, graph, mermaid, sequence
from nines.dossier.diagrams.nouns import (
    Attribute,
    Block,
    BlockKind,
    Diagram,
    Edge,
    Entities,
    Entity,
    Graph,
    Item,
    Message,
    Move,
    Node,
    NodeKind,
    Note,
    Participant,
    Relation,
    Section,
    Sequence,
    States,
    Zone,
)
from nines.dossier.markdown import fence

__all__ = [
    "Attribute",
    "Block",
    "BlockKind",
    "Diagram",
    "Edge",
    "Entities",
    "Entity",
    "Graph",
    "Item",
    "Message",
    "Move",
    "Node",
    "NodeKind",
    "Note",
    "Participant",
    "Relation",
    "Section",
    "Sequence",
    "States",
    "Zone",
    "as_markdown",
    "as_svg",
    "drawings",
    "style",
]


def as_markdown(diagram: Diagram) -> str:
    """A fence with mermaid's text; the document that holds it has `drawings=drawings(diagram, ...)`."""
    return fence("mermaid", mermaid.text(diagram))


def drawings(*diagrams: Diagram) -> tuple[tuple[str, str], ...]:
    """What a document says of its diagrams, so that the page can draw them."""
    return tuple((mermaid.text(diagram), as_svg(diagram)) for diagram in diagrams)


def as_svg(diagram: Diagram) -> str:
    """The drawing, to be put into a page that has `style.css`."""
    match diagram:
        case Graph():
            return graph.draw(diagram)
        case States():
            return graph.draw_states(diagram)
        case Entities():
            return entities.draw(diagram)
        case Sequence():
            return sequence.draw(diagram)


def style() -> str:
    """The style sheet of every drawing; the colours' names are the page's."""
    return (resources.files(__name__) / "style.css").read_text(encoding="utf-8")

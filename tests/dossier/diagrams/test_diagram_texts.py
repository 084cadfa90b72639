"""Both forms of a diagram are valid whatever it names, say the same, and are the same each time."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from nines.dossier import diagrams
from nines.dossier.diagrams import Diagram, Edge, Graph, Message, Node, NodeKind, Participant, Sequence, mermaid
from nines.dossier.diagrams.widths import legible, width, wrap
from tests.dossier.diagrams import drawn

_SVG = "{http://www.w3.org/2000/svg}"


def said(svg: str) -> str:
    """Every text of a drawing, without what wrapping did to it."""
    root = ElementTree.fromstring(svg)
    return "".join("".join(each.itertext()) for each in root.iter(f"{_SVG}text"))


def squeezed(text: str) -> str:
    return legible("".join(text.split()))


@settings(max_examples=120, deadline=None)
@given(drawn.diagrams)
def test_any_diagram_is_well_formed_and_the_same_each_time(diagram: Diagram) -> None:
    svg = diagrams.as_svg(diagram)
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    assert root.find(f"{_SVG}title") is not None
    assert svg == diagrams.as_svg(diagram)
    assert mermaid.text(diagram) == mermaid.text(diagram)


@settings(max_examples=60, deadline=None)
@given(drawn.graphs())
def test_a_drawing_and_its_text_say_the_same(graph: Graph) -> None:
    shown = squeezed(said(diagrams.as_svg(graph)))
    text = re.sub(r"#(\d+);", lambda found: chr(int(found[1])), mermaid.text(graph))
    for node in graph.nodes:
        for words in (node.title, *node.lines):
            assert squeezed(words) in shown
            assert legible(" ".join(words.split())) in text
    for edge in graph.edges:
        assert squeezed(edge.says) in shown
    arrows = [line for line in text.splitlines() if re.match(r"\s+n\d+ -(->|\.->)", line)]
    assert len(arrows) == len(graph.edges)


def test_what_is_said_cannot_become_markup() -> None:
    graph = Graph(title="<x>", nodes=(Node(id="a", title="<script>alert(1)</script>"),))
    assert "<script" not in diagrams.as_svg(graph)
    assert "<script" not in mermaid.text(graph)


def test_failures_and_transactions_stand_in_the_text() -> None:
    sequence = Sequence(
        title="pay",
        participants=(Participant(id="a", title="caller", kind=NodeKind.PERSON), Participant(id="b", title="api")),
        items=(Message(source="a", target="b", says="POST /v1/payments"),),
    )
    assert mermaid.text(sequence).splitlines() == [
        "sequenceDiagram",
        "  accTitle: pay",
        "  actor p0 as caller",
        "  participant p1 as api",
        "  p0->>p1: POST /v1/payments",
    ]


def test_an_edge_that_nobody_waits_for_is_dashed() -> None:
    nodes = (Node(id="a", title="a"), Node(id="b", title="b", kind=NodeKind.QUEUE))
    graph = Graph(title="t", nodes=nodes, edges=(Edge(source="a", target="b", is_dashed=True),))
    assert "-.->" in mermaid.text(graph)
    assert 'class="edge dashed"' in diagrams.as_svg(graph)


@pytest.mark.parametrize("text", ["a word", "one_very_long_name_that_has_to_be_broken_somewhere", "支払い" * 20, ""])
def test_wrapped_lines_fit_and_lose_nothing(text: str) -> None:
    lines = wrap(text, 12.0, 90.0)
    assert all(width(line, 12.0) <= 90.0 for line in lines)
    assert squeezed("".join(lines)) == squeezed(text)

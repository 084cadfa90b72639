"""Every link of every dossier leads somewhere, in Markdown and on the page, and a second writing changes nothing."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Sequence
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from markdown_it import MarkdownIt

from nines import dossier, planning
from nines.dossier.markdown import anchor
from nines.model.blueprint import Blueprint
from nines.model.design import Design, Document
from tests.dossier import designs
from tests.planning.blueprints import blueprints

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.undrawn = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if said.get("id"):
            self.ids.append(str(said["id"]))
        if tag == "a":
            self.links.append(str(said.get("href") or ""))
        assert tag not in ("img", "iframe", "link", "object", "embed"), f"the page fetches something: {tag}"

    def handle_data(self, data: str) -> None:
        self.undrawn += len(re.findall(r"^(?:flowchart|sequenceDiagram|erDiagram|stateDiagram)", data, re.MULTILINE))


def anchors_of(document: Document) -> set[str]:
    """As GitHub names the headings of a page."""
    tokens = _MARKDOWN.parse(document.text)
    counts: dict[str, int] = {}
    found: set[str] = set()
    for opening, inside in itertools.pairwise(tokens):
        if opening.type == "heading_open":
            name = anchor("".join(each.content for each in inside.children or ()))
            number = counts.get(name, 0)
            counts[name] = number + 1
            found.add(f"{name}-{number}" if number else name)
    return found


def links_of(document: Document) -> list[str]:
    inline = [child for token in _MARKDOWN.parse(document.text) for child in token.children or ()]
    return [str(child.attrGet("href")) for child in inline if child.type == "link_open"]


def dead(documents: Sequence[Document]) -> list[str]:
    known = {each.path: anchors_of(each) if each.path.endswith(".md") else set() for each in documents}
    wrong = []
    for document in documents:
        for href in links_of(document) if document.path.endswith(".md") else ():
            if re.match(r"https?:|mailto:", href):
                continue
            target, _, fragment = href.partition("#")
            path = (
                posixpath.normpath(posixpath.join(posixpath.dirname(document.path), target))
                if target
                else document.path
            )
            if path not in known or (fragment and fragment not in known[path]):
                wrong.append(f"{document.path}: {href}")
    return wrong


def examine(design: Design) -> None:
    documents = dossier.write(design)
    paths = [each.path for each in documents]
    assert len(set(paths)) == len(paths)
    assert dead(documents) == []
    page = _Page()
    page.feed(next(each.text for each in documents if each.path == "index.html"))
    assert len(set(page.ids)) == len(page.ids)
    wrong = [href for href in page.links if href.startswith("#") and href[1:] not in page.ids]
    wrong += [href for href in page.links if not re.match(r"#|https?:", href) and href not in paths]
    assert wrong == []
    assert page.undrawn == 0, "a mermaid block without its drawing: give the document drawings=diagrams.drawings(...)"


@pytest.mark.parametrize("name", designs.EXAMPLES)
def test_no_link_of_an_example_is_dead(name: str) -> None:
    examine(designs.example(name))


def test_no_link_of_a_recovered_design_is_dead() -> None:
    examine(designs.recovered())


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(blueprints())
def test_no_link_is_dead_whatever_the_blueprint(blueprint: Blueprint) -> None:
    examine(planning.plan(blueprint))


@pytest.mark.parametrize("name", designs.EXAMPLES)
def test_a_second_writing_changes_no_byte(name: str) -> None:
    design = designs.example(name)
    assert dossier.write(design) == dossier.write(design)


@pytest.mark.parametrize("name", designs.EXAMPLES)
def test_the_front_page_names_every_file(name: str) -> None:
    documents = dossier.write(designs.example(name))
    front = next(each for each in documents if each.path == "README.md")
    linked = set(links_of(front))
    assert {each.path for each in documents} - {"README.md"} <= linked

"""Mermaid draws every diagram of every dossier, and a browser finds nothing wrong with the page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from nines import dossier, planning
from nines.dossier.chapters import architecture
from nines.model.blueprint import Blueprint
from nines.model.design import Design
from tests import tools
from tests.dossier import designs
from tests.planning.blueprints import blueprints

pytestmark = pytest.mark.lab

_BLOCK = re.compile(r"^```mermaid\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
_PROBE = """<script>
addEventListener("load", () => {
  for (const each of document.querySelectorAll("details")) each.open = true;
  const wrong = [];
  for (const svg of document.querySelectorAll("svg.diagram")) {
    const size = svg.viewBox.baseVal;
    for (const text of svg.querySelectorAll("text")) {
      const box = text.getBBox();
      const body = text.closest("g.node")?.querySelector(".body")?.getBBox() ?? { x: 0, width: size.width };
      if (box.x < body.x - 1 || box.x + box.width > body.x + body.width + 1) wrong.push(text.textContent);
    }
  }
  const overflow = document.documentElement.scrollWidth - innerWidth;
  const background = getComputedStyle(document.body).backgroundColor;
  document.title = "probe" + JSON.stringify({ wrong, overflow, background });
});
</script>"""


def blocks(design: Design) -> dict[str, str]:
    found = {}
    for document in dossier.write(design):
        for number, text in enumerate(_BLOCK.findall(document.text)):
            found[f"{design.name} {document.path} {number}"] = text
    return found


def test_mermaid_draws_every_diagram_of_the_examples(tmp_path: Path) -> None:
    texts = blocks(designs.recovered())
    for name in designs.EXAMPLES:
        texts |= blocks(designs.example(name))
    assert len(texts) > 60
    wrong = {
        name: each.error for name, each in tools.draw(texts, tmp_path).items() if each.error or "<svg" not in each.svg
    }
    assert wrong == {}


def test_mermaid_draws_the_architecture_of_any_blueprint(tmp_path: Path) -> None:
    texts: dict[str, str] = {}

    @settings(max_examples=8, database=None, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(blueprints())
    def collect(blueprint: Blueprint) -> None:
        for document in architecture.write(planning.plan(blueprint)):
            for text, _ in document.drawings:
                texts[str(len(texts))] = text

    collect()
    wrong = {texts[name]: each.error for name, each in tools.draw(texts, tmp_path).items() if each.error}
    assert wrong == {}


def probe(design: Design, folder: Path, width: int, *flags: str) -> dict[str, object]:
    page = folder / "index.html"
    text = next(each.text for each in dossier.write(design) if each.path == "index.html")
    page.write_text(text + _PROBE, encoding="utf-8")
    said = re.search(r"<title>probe(\{.*?\})</title>", tools.page_text(page, folder, *flags, width=width), re.DOTALL)
    assert said
    found: dict[str, object] = json.loads(said[1])
    return found


def test_the_page_fits_a_phone_and_texts_fit_their_boxes(tmp_path: Path) -> None:
    found = probe(designs.example("shop"), tmp_path, 500)
    assert found["wrong"] == []
    assert isinstance(found["overflow"], int | float)
    assert found["overflow"] <= 0


def test_dark_is_dark(tmp_path: Path) -> None:
    design = designs.recovered()
    light, dark = probe(design, tmp_path, 1200), probe(design, tmp_path, 1200, "--force-dark-mode")
    assert light["background"] != dark["background"]
    assert light["wrong"] == []

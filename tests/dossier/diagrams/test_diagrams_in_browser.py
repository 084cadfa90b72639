"""Mermaid itself draws every diagram, and a browser finds every text of ours inside its picture and its box."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence as Several
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from nines.dossier import diagrams
from nines.dossier.diagrams import Attribute, Diagram, Entities, Entity, Graph, Node, mermaid
from tests import tools
from tests.dossier.diagrams import drawn

pytestmark = pytest.mark.lab

_PROBE = """<!doctype html><meta charset="utf-8"><style>{style}</style><body>{drawings}<script>
const wrong = [];
for (const svg of document.querySelectorAll("svg.diagram")) {{
  const size = svg.viewBox.baseVal;
  const all = [...svg.querySelectorAll("text")];
  const texts = all.map((each) => ({{ says: each.textContent, box: each.getBBox(), of: each }}));
  for (const {{ says, box, of }} of texts) {{
    if (box.x < -1 || box.y < -1 || box.x + box.width > size.width + 1 || box.y + box.height > size.height + 1)
      wrong.push("outside the picture: " + says);
    const body = of.closest("g.node")?.querySelector(".body")?.getBBox();
    if (body && (box.x < body.x - 1 || box.x + box.width > body.x + body.width + 1))
      wrong.push("outside its box: " + says);
  }}
  for (let i = 0; i < texts.length; i++) for (let j = i + 1; j < texts.length; j++) {{
    const a = texts[i].box, b = texts[j].box;
    const wide = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
    const tall = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
    if (wide > 1 && tall > 3) wrong.push("overlap: " + texts[i].says + " / " + texts[j].says);
  }}
}}
document.body.textContent = "probe" + JSON.stringify(wrong) + "end";
</script>"""


def some(count: int) -> Several[Diagram]:
    """The same ones each time, so that a failure can be seen again."""
    found: list[Diagram] = []

    @settings(
        max_examples=count, database=None, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(drawn.diagrams)
    def collect(diagram: Diagram) -> None:
        found.append(diagram)

    collect()
    return found


def named() -> list[Diagram]:
    """Each hostile name by itself, so that one cannot hide another."""
    graphs: list[Diagram] = [
        Graph(title=name, nodes=(Node(id="a", title=name, lines=(name,)),)) for name in drawn.HOSTILE
    ]
    tables = [
        Entities(title=name, entities=(Entity(name=name, attributes=(Attribute(name=name, type=name, says=name),)),))
        for name in drawn.HOSTILE
    ]
    return [*graphs, *tables]


def test_mermaid_draws_whatever_is_named(tmp_path: Path) -> None:
    texts = {f"{number}": mermaid.text(each) for number, each in enumerate([*some(60), *named()])}
    for number, drawing in tools.draw(texts, tmp_path).items():
        assert drawing.error == "", texts[number]


def test_texts_stay_in_their_boxes(tmp_path: Path) -> None:
    page = tmp_path / "probe.html"
    drawings = "".join(diagrams.as_svg(each) for each in some(40))
    page.write_text(_PROBE.format(style=diagrams.style(), drawings=drawings), encoding="utf-8")
    said = re.search(r"probe(\[.*\])end", tools.page_text(page, tmp_path), re.DOTALL)
    assert said
    assert json.loads(said[1]) == []

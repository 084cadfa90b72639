"""The example of README.md's section on graphs does what it says."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from nines_runtime import Edge, Operations
from nines_runtime.web.graph import Bounds

from ..asking import Answered, ask

README = Path(__file__).parents[3] / "README.md"


def example() -> dict[str, Any]:
    text = README.read_text(encoding="utf-8")
    found = re.search(r"^## A graph$.*?^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(found[1], str(README), "exec", dont_inherit=True), names)
    return names


def test_a_graph() -> None:
    names = example()
    edge: Edge[Any] = Edge(Operations(names["operations"], names["graph"].operations))
    edge.open(names["Shelf"](), authenticator=names["Authenticator"]())

    async def asked(query: str) -> Answered:
        headers = {"authorization": "Bearer ada", "content-type": "application/json"}
        return await ask(edge, "POST", "/graphql", b'{"query":"%s"}' % query.encode(), headers=headers)

    found = asyncio.run(asked("{ motto listBooks(pageSize: 2) { items { title author { name } } } }")).json["data"]
    assert found["motto"] == "Read."
    assert [each["author"]["name"] for each in found["listBooks"]["items"]] == ["Author 0", "Author 1"]
    wrong = asyncio.run(asked("{ listBooks(pageSize: 900) { items { author { name } } } }"))
    assert "costs 1,800" in wrong.json["errors"][0]["message"]


def test_the_table_of_bounds() -> None:
    text = README.read_text(encoding="utf-8").partition("## A graph")[2]
    bounds = Bounds()
    for least in (f"{bounds.bytes_max:,}; {bounds.tokens_max:,} |", f"{bounds.depth_max}; {bounds.fields_max} |"):
        assert least in text
    assert f"| {bounds.repeats_max}; {bounds.fragments_max} |" in text
    assert f"| {bounds.aliases_max}; {bounds.directives_max} |" in text
    assert f"| {bounds.cost_max:,} |" in text
    assert f"| {bounds.values_max:,} |" in text

"""What holds of every page of a chapter."""

from __future__ import annotations

import re
from collections.abc import Iterable

from nines.model.blueprint import Card
from nines.model.design import Design, Document, Flow, FlowStep, PlannedEndpoint, Source, StepKind

_LINK = re.compile(r"\]\(([^)#]*)(#[^)]*)?\)")
_WRONG = re.compile(r"\bNone\b|\bnan\b|\binf\b|\{|  ,|\. \.|\.\.| 1 (cores|operations|tables|choices)\b")
_CELL = re.compile(r"(?<!\\)\|")


def assert_sound(documents: Iterable[Document], *, elsewhere: tuple[str, ...] = ()) -> None:
    """Links lead somewhere, rows have the cells of their head, and nothing is left blank or doubled."""
    found = list(documents)
    paths = {each.path for each in found}
    assert len(paths) == len(found)
    for each in found:
        assert each.text.endswith("\n")
        assert not each.text.endswith("\n\n")
        if not each.path.endswith(".md"):
            continue
        folder = each.path.rpartition("/")[0]
        for target, _ in _LINK.findall(each.text):
            assert not target or f"{folder}/{target}" in paths or target in elsewhere, (each.path, target)
        assert_tables(each)
        wrong = _WRONG.search(_LINK.sub("", each.text).replace("...", ""))
        assert wrong is None, (each.path, wrong)


def assert_tables(document: Document) -> None:
    width = 0
    for line in document.text.splitlines():
        if not line.startswith("|"):
            width = 0
            continue
        cells = len(_CELL.split(line))
        assert width in (0, cells), (document.path, line)
        width = cells


def recovered() -> Design:
    """A service that was read: its steps are known, its load is not."""
    steps = (
        FlowStep(kind=StepKind.BEGIN, says="begin", transaction=0),
        FlowStep(kind=StepKind.QUERY, says="insert into orders", target="orders", transaction=0),
        FlowStep(kind=StepKind.CALL, says="ask gateway", target="gateway", transaction=0),
        FlowStep(kind=StepKind.COMMIT, says="commit", transaction=0),
    )
    return Design(
        card=Card(name="found"),
        source=Source.CODE,
        endpoints=(
            PlannedEndpoint(id="POST /orders", method="POST", path="/orders", flow=Flow(steps=steps)),
            PlannedEndpoint(id="GET /secret", method="GET", path="/secret", flow=Flow(is_complete=False)),
        ),
    )

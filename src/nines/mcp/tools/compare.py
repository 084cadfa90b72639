"""Tool `compare`: what changed between two reports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from nines.mcp import shapes
from nines.mcp.call import Call
from nines.mcp.tool import ToolInfo
from nines.model.record import Record, StrictRecord
from nines.model.report import Report
from nines.verbs.compare import Change, compare, load

INFO = ToolInfo(
    title="Compare two reports",
    says=(
        "What changed between two reports: findings that came or went, claims and budgets that stand differently, "
        "figures whose intervals no longer overlap. Names reports of this session by id, or JSON files of `nines ... "
        "--format json`. Use it to show that a change mended what it should and broke nothing."
    ),
)
_LISTED_MAX = 20


class Arguments(StrictRecord):
    before: Annotated[str, Meta(description="A report's id such as r1, or a JSON file inside the allowed roots.")]
    after: Annotated[str, Meta(description="The same; without it the newest report of this session.")] = ""


class Result(Record):
    says: str
    better: tuple[Change, ...]
    worse: tuple[Change, ...]
    other: tuple[Change, ...] = ()
    """Neither better nor worse by itself, and what cannot be compared."""
    not_listed: int = 0


async def run(call: Call, asked: Arguments) -> Result:
    before = _report(call, asked.before)
    after = _report(call, asked.after or next((kept.id for kept in call.desk.reports), ""))
    found = compare(before, after)
    parts = (found.better, found.worse, found.other)
    return Result(
        says=found.says,
        better=found.better[:_LISTED_MAX],
        worse=found.worse[:_LISTED_MAX],
        other=found.other[:_LISTED_MAX],
        not_listed=sum(max(0, len(part) - _LISTED_MAX) for part in parts),
    )


def _report(call: Call, name: str) -> Report:
    """A file is meant where the name has a suffix: ids have none."""
    if Path(name).suffix:
        return shapes.without_histories(load(call.roots.inside(name)))
    return call.desk.report(name).report

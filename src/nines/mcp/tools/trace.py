"""Tool `trace`: what an endpoint does, step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from nines.mcp import shapes
from nines.mcp.call import Call
from nines.mcp.shapes import ConfigPath, Cursor, LeftOut, Limit, ProjectPath
from nines.mcp.tool import ToolInfo
from nines.model.progress import Progress
from nines.model.record import Record, StrictRecord
from nines.model.report import Unexamined
from nines.model.service import Endpoint
from nines.model.trace import Trace
from nines.reports import harmless, tree
from nines.verbs.project import open_project
from nines.verbs.trace import trace

INFO = ToolInfo(
    title="Trace an entry point",
    says=(
        "Lists the entry points of a backend (routes, tasks, consumers, commands), or shows what those do whose id, "
        "path or function contains `endpoint`: every query, commit, remote call, message and lock in order, with "
        "transaction, loop, deadline and the calls that lead there. Executes nothing."
    ),
)
_TREES_MAX = 3
_TREE_CHARACTERS_MAX = 12_000
_WIDTH = 140


class Arguments(StrictRecord):
    path: ProjectPath = "."
    endpoint: Annotated[str, Meta(description='Part of an id, path or function, such as "POST /payments".')] = ""
    config: ConfigPath = ""
    limit: Limit = 30
    cursor: Cursor = ""


class Entry(Record):
    """One way into the backend."""

    id: str
    where: str
    function: str
    effects: int
    guards: tuple[str, ...] = ()
    guards_known: bool = True
    not_understood: int = 0


class Shown(Record):
    """The trace of one of them as a tree: calls are branches, effects are leaves."""

    id: str
    tree: str


class Result(Record):
    entry_points: tuple[Entry, ...]
    total: int
    traces: tuple[Shown, ...] = ()
    """Of the first few that match; name one of them for its own."""
    next_cursor: str = ""
    unexamined: LeftOut | None = None


class Traces(Record):
    entries: tuple[Entry, ...]
    shown: tuple[Shown, ...]
    unexamined: tuple[Unexamined, ...]


def work(job: Arguments, progress: Progress) -> Traces:
    """Reads in a process of its own."""
    progress.stage("reading the code")
    traced = trace(open_project(Path(job.path), Path(job.config) if job.config else None), job.endpoint)
    pairs: tuple[tuple[Endpoint, Trace | None], ...] = harmless(traced.pairs)
    shown = () if traced.is_listing else pairs[:_TREES_MAX]
    return Traces(
        entries=tuple(_entry(endpoint, found) for endpoint, found in pairs),
        shown=tuple(Shown(id=each[0].id, tree=_tree(each)) for each in shown),
        unexamined=traced.unexamined,
    )


def _entry(endpoint: Endpoint, found: Trace | None) -> Entry:
    return Entry(
        id=endpoint.id,
        where=str(endpoint.place),
        function=endpoint.function,
        effects=len(found.effects) if found else 0,
        guards=tuple(dict.fromkeys(f"{guard.kind.value}: {guard.name}" for guard in endpoint.guards)),
        guards_known=endpoint.guards_known,
        not_understood=len(found.blind) if found else 0,
    )


def _tree(pair: tuple[Endpoint, Trace | None]) -> str:
    return shapes.cut(tree.traces((pair,), width=_WIDTH, is_coloured=False), _TREE_CHARACTERS_MAX)


async def run(call: Call, asked: Arguments) -> Result:
    if asked.cursor:
        page = call.desk.next_page(asked.cursor, asked.limit, Entry)
        return Result(entry_points=page.items, total=page.total, next_cursor=page.next_cursor)
    job = Arguments(path=str(call.folder(asked.path)), endpoint=asked.endpoint, config=call.inside(asked.config))
    found = await call.work(work, job)
    page = call.desk.first_page(found.entries, asked.limit)
    return Result(
        entry_points=page.items,
        total=page.total,
        traces=found.shown,
        next_cursor=page.next_cursor,
        unexamined=LeftOut.of(found.unexamined),
    )

"""Finding a graph: where a service answers documents, and what its schema is."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path

from nines.model.contract import Contract
from nines.model.errors import NinesError
from nines.model.graph import GraphSchema
from nines.model.record import Record
from nines.model.report import Unexamined
from nines.model.service import Endpoint

Ask = Callable[[str, bytes], Awaitable[tuple[int | None, bytes]]]
"""Status and body of a POST of JSON to a path of the service."""

PATHS = ("/graphql", "/api/graphql", "/graphql/")
"""Where a graph is looked for, whatever the code and the contract say."""
CANDIDATES_MAX = 8
FILES = ("schema.graphql", "schema.graphqls", "schema.gql")
FOLDERS_DEEP = 4
FILES_MAX = 4_000
"""Of a project, looked through for a schema; only where a graph answers."""
TEXT_BYTES_MAX = 16 * 1024 * 1024
_PROBE = b'{"query":"query nines { __typename }"}'
_ABSENT = (404, 405)
"""Whatever else such an answer says, in whatever form."""
_LEFT_OUT = frozenset(("node_modules", ".venv", "venv", "dist", "build", "tests", "test", "dossier", "site-packages"))


class GraphReader(Record):
    """How a schema is read: from what a graph answers to `question`, or from its text."""

    question: str
    read_answer: Callable[[bytes], GraphSchema]
    read_text: Callable[[bytes, str], GraphSchema]


class FoundGraph(Record):
    """A graph that answers; without a schema there is nothing to ask of it."""

    endpoint: str
    schema: GraphSchema | None = None
    source: str = ""
    """Where the schema was read: the endpoint itself, or a file."""


class GraphFinder:
    """Looks where a graph usually is, and learns its schema from itself before it looks into the project."""

    def __init__(self, root: Path, ask: Ask, reader: GraphReader) -> None:
        self._root = root
        self._ask = ask
        self._question = json.dumps({"query": reader.question}).encode()
        self._reader = reader

    async def find(self, contract: Contract, endpoints: Iterable[Endpoint]) -> FoundGraph | None:
        """None where nothing answers documents."""
        for path in _candidates(contract, endpoints):
            status, body = await self._ask(path, _PROBE)
            if status is None or status in _ABSENT or not _speaks(body):
                continue
            found = await self._told(path)
            return found or self._in_project(path) or FoundGraph(endpoint=path)
        return None

    async def _told(self, path: str) -> FoundGraph | None:
        status, body = await self._ask(path, self._question)
        if status != 200:
            return None
        try:
            return FoundGraph(endpoint=path, schema=self._reader.read_answer(body), source=path)
        except NinesError:
            return None

    def _in_project(self, path: str) -> FoundGraph | None:
        for file in _files(self._root):
            try:
                if file.stat().st_size > TEXT_BYTES_MAX:
                    continue
                name = str(file.relative_to(self._root))
                return FoundGraph(endpoint=path, schema=self._reader.read_text(file.read_bytes(), name), source=name)
            except (NinesError, OSError):
                continue
        return None


def unread(graph: FoundGraph) -> Unexamined:
    """A graph of which nobody told what can be asked."""
    return Unexamined(
        what="the graph (GraphQL) of the running service",
        reason=f"{graph.endpoint} answers documents, but tells nobody its schema, and the project holds none",
        hint="Put the schema into the project as schema.graphql, or let introspection answer in the laboratory.",
    )


def _candidates(contract: Contract, endpoints: Iterable[Endpoint]) -> list[str]:
    """What the code and the contract name goes before every guess."""
    named = [each.path for each in endpoints if "graphql" in each.path.lower() and "{" not in each.path]
    promised = [each.path for each in contract.operations if "graphql" in each.path.lower() and "{" not in each.path]
    return list(dict.fromkeys((*named, *promised, *PATHS)))[:CANDIDATES_MAX]


def _speaks(body: bytes) -> bool:
    """Whether this is an answer of a graph: data, or errors with messages."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return False
    if not isinstance(told, dict) or not told.keys() <= {"data", "errors", "extensions"}:
        return False
    errors = told.get("errors")
    is_refused = (
        isinstance(errors, list) and bool(errors) and all(isinstance(e, dict) and "message" in e for e in errors)
    )
    data = told.get("data")
    return is_refused or (isinstance(data, dict) and "__typename" in data)


def _files(root: Path) -> Iterator[Path]:
    """Schemas of the project, those nearest to its root first; one called schema before any other."""
    seen, others = 0, []
    level = [root]
    for _ in range(FOLDERS_DEEP):
        below: list[Path] = []
        for folder in level:
            try:
                entries = sorted(folder.iterdir())
            except OSError:
                continue
            for entry in entries:
                seen += 1
                if seen > FILES_MAX:
                    return
                if entry.is_symlink() or entry.name in _LEFT_OUT or entry.name.startswith("."):
                    continue
                if entry.is_dir():
                    below.append(entry)
                elif entry.name in FILES:
                    yield entry
                elif entry.suffix in (".graphql", ".graphqls", ".gql"):
                    others.append(entry)
        level = below
    yield from others

"""What may be read by its address: reports and dossiers of this session, and the pages that nines brings."""

from __future__ import annotations

from urllib.parse import quote, unquote

import mcp_types as types

from nines import reports
from nines.mcp.desk import Desk
from nines.model.errors import UsageError
from nines.verbs import explain as explaining
from nines.verbs import explained

SCHEME = "nines://"
_MARKDOWN = "text/markdown"
_JSON = "application/json"
_REPORT_CHARACTERS_MAX = 400_000
_SUFFIXES = {".md": _MARKDOWN, ".json": _JSON, ".yaml": "application/yaml", ".html": "text/html", ".sql": "text/plain"}


def listed(desk: Desk) -> list[types.Resource]:
    """What is new comes first."""
    found = [
        types.Resource(
            uri=f"{SCHEME}report/{kept.id}",
            name=f"report {kept.id}",
            description=f"{kept.report.command} of {kept.report.project}: {kept.report.says}"[:200],
            mime_type=_MARKDOWN,
        )
        for kept in desk.reports
    ]
    found += [
        types.Resource(uri=_document(id, path), name=f"{id} {path}", mime_type=_type(path), size=len(text.encode()))
        for id, documents in desk.dossiers.items()
        for path, text in sorted(documents.items())
    ]
    found += [
        types.Resource(
            uri=f"{SCHEME}page/{topic.kind}/{topic.id}",
            name=topic.id,
            title=topic.title,
            description=f"The page of a {topic.kind}.",
            mime_type=_MARKDOWN,
        )
        for topic in explaining.topics()
    ]
    return found


def templates() -> list[types.ResourceTemplate]:
    return [
        types.ResourceTemplate(
            uri_template=f"{SCHEME}report/{{id}}",
            name="report",
            description="A report of this session as Markdown; its id stands in what review, prove or check answered.",
            mime_type=_MARKDOWN,
        ),
        types.ResourceTemplate(
            uri_template=f"{SCHEME}report/{{id}}/json",
            name="report as JSON",
            description="The same as JSON, without each single request of an experiment.",
            mime_type=_JSON,
        ),
        types.ResourceTemplate(
            uri_template=f"{SCHEME}dossier/{{id}}/{{+path}}",
            name="dossier",
            description="A document that design made in this session.",
        ),
        types.ResourceTemplate(
            uri_template=f"{SCHEME}page/{{kind}}/{{+id}}",
            name="page",
            description="The page of a rule, an experiment or a pattern.",
            mime_type=_MARKDOWN,
        ),
    ]


def read(desk: Desk, uri: str) -> types.ReadResourceResult:
    """Raises UsageError for an address that leads nowhere."""
    kind, _, rest = unquote(uri.removeprefix(SCHEME)).partition("/") if uri.startswith(SCHEME) else ("", "", "")
    if kind == "report":
        id, _, form = rest.partition("/")
        report = desk.report(id).report
        if form not in ("", "json"):
            raise _nowhere(uri)
        text = reports.render("json" if form else "markdown", report)
        if len(text) > _REPORT_CHARACTERS_MAX:
            hint = "Ask for its parts: review(cursor=...), explain(what=id). Or on the command line: --output FILE."
            raise UsageError("this report is too large to be sent as a whole", where=uri, hint=hint)
        return _text(uri, text, _JSON if form else _MARKDOWN)
    if kind == "dossier":
        id, _, path = rest.partition("/")
        found = desk.dossiers.get(id, {}).get(path)
        if found is not None:
            return _text(uri, found, _type(path))
    if kind == "page":
        wanted, _, id = rest.partition("/")
        topic = next((each for each in explaining.topics() if (each.kind, each.id) == (wanted, id)), None)
        if topic is not None:
            return _text(uri, explained.page(topic), _MARKDOWN)
    raise _nowhere(uri)


def cursor_at(offset: int) -> str:
    return f"o{offset:x}"


def offset_of(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        return int(cursor.removeprefix("o"), 16) if cursor.startswith("o") and cursor[1:].isalnum() else _strange()
    except ValueError:
        return _strange()


def _strange() -> int:
    raise UsageError("this cursor is not one of this server", hint="List again without one.")


def _nowhere(uri: str) -> UsageError:
    return UsageError("there is no such resource", where=uri, hint="List what there is: resources/list.")


def _document(id: str, path: str) -> str:
    return f"{SCHEME}dossier/{id}/{quote(path)}"


def _type(path: str) -> str:
    return next((kind for suffix, kind in _SUFFIXES.items() if path.endswith(suffix)), "text/plain")


def _text(uri: str, text: str, kind: str) -> types.ReadResourceResult:
    return types.ReadResourceResult(contents=[types.TextResourceContents(uri=uri, mime_type=kind, text=text)])

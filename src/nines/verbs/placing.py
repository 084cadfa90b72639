"""Where the documents of a dossier stand in a built service: each once, and every link follows it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from nines.model.design import Document

BOOK = "dossier"
"""The folder of everything that is read rather than used."""
_MOVED = (
    ("contract/openapi.yaml", "openapi.yaml"),
    ("contract/asyncapi.yaml", "asyncapi.yaml"),
    ("contract/schema.graphql", "schema.graphql"),
    ("operation/deploy/Dockerfile", "Dockerfile"),
    ("operation/deploy/", "deploy/"),
    ("operation/slo.yaml", "ops/slo.yaml"),
    ("operation/alerts/", "ops/alerts/"),
    ("operation/dashboards/", "ops/dashboards/"),
    ("operation/runbooks/", "ops/runbooks/"),
    ("data/migrations/", "migrations/"),
    ("testing/nines.toml", "nines.toml"),
)
"""From its place in the dossier, a file or a folder, to its place in the service."""
_PROTOCOLS = (".proto", "proto.lock")
"""Of the contract, whatever the service is called: they stand beside it."""
_REWRITTEN = {
    "deploy/compose.yaml": (
        ("context: ../..", "context: .."),
        ("dockerfile: operation/deploy/Dockerfile", "dockerfile: Dockerfile"),
    ),
    "deploy/prometheus.yaml": (("../alerts/", "../ops/alerts/"),),
    "ops/alerts/rules.yaml": (("runbook: operation/runbooks/", "runbook: ops/runbooks/"),),
}
"""Relative paths in files that are no pages."""
_ROLLOUT = ("../../rollout.md", f"../../{BOOK}/operation/rollout.md")
_LINK = re.compile(r"\]\(([^()\s#:]+)(#[^()\s]*)?\)")


def placed(path: str) -> str:
    """Where a document of the dossier stands in the service."""
    for old, new in _MOVED:
        if path == old:
            return new
        if old.endswith("/") and path.startswith(old):
            return new + path.removeprefix(old)
    folder, _, name = path.rpartition("/")
    if folder == "contract" and name.endswith(_PROTOCOLS):
        return name
    return f"{BOOK}/{path}"


def place(documents: Iterable[Document]) -> tuple[Document, ...]:
    """The documents under their new paths, and with links that lead where they led before."""
    found = tuple(documents)
    moves = {document.path: placed(document.path) for document in found}
    return tuple(replace(each, path=moves[each.path], text=_followed(each, moves)) for each in found)


def _followed(document: Document, moves: Mapping[str, str]) -> str:
    new = moves[document.path]
    if new.endswith(".md"):
        return _relinked(document.text, document.path, moves)
    text = document.text
    pairs = _REWRITTEN.get(new, ())
    if new.startswith("deploy/kubernetes/"):
        pairs = (_ROLLOUT,)
    if new == "ops/alerts/rules_test.yaml":
        pairs = _REWRITTEN["ops/alerts/rules.yaml"]
    for before, after in pairs:
        text = text.replace(before, after)
    return text


def _relinked(text: str, path: str, moves: Mapping[str, str]) -> str:
    def followed(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), match[1]))
        folder = next((f"{target}/" for old, _ in _MOVED if old == f"{target}/"), "")
        moved = moves.get(target) or (placed(folder).rstrip("/") if folder else "")
        if not moved:
            return match[0]
        return f"]({posixpath.relpath(moved, posixpath.dirname(moves[path]))}{match[2] or ''})"

    return _LINK.sub(followed, text)

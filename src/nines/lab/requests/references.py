"""Which fields and query parameters of a request refer to other objects."""

from __future__ import annotations

from nines.lab.requests.graph import Graph
from nines.lab.requests.shapes import kind, properties, required, settled
from nines.lab.requests.variety import Path
from nines.model.contract import Operation, Schema

DEPTH_MAX = 8
"""How deep a body is looked through."""


def referring(graph: Graph, operation: Operation) -> list[tuple[Path, str, Schema]]:
    """Where each stands, its name and its schema; a query parameter stands at "?" and its name."""
    found: list[tuple[Path, str, Schema]] = [
        (("?" + p.name,), p.name, settled(p.schema))
        for p in operation.parameters
        if p.location == "query" and p.is_required and graph.refers(p.name, p.schema)
    ]
    if operation.body is not None:
        _walk(graph, settled(operation.body.schema), (), found)
    return found


def _walk(graph: Graph, schema: Schema, path: Path, found: list[tuple[Path, str, Schema]]) -> None:
    """Required references only: an optional one is left out of the request instead."""
    if len(path) > DEPTH_MAX:
        return
    inner = properties(schema)
    for name in required(schema):
        rules = settled(inner.get(name))
        if name in inner and graph.refers(name, rules):
            where = (*path, name, "[]") if kind(rules) == "array" else (*path, name)
            found.append((where, name, settled(rules.get("items")) if kind(rules) == "array" else rules))
        elif kind(rules) == "object":
            _walk(graph, rules, (*path, name), found)
        elif kind(rules) == "array":
            _walk(graph, settled(rules.get("items")), (*path, name, "[]"), found)

"""Turns the bytes of a document into plain values, within limits that hold for hostile documents too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import yaml

from nines.model.errors import SourceError

BYTES_MAX = 20_000_000
YAML_BYTES_MAX = 8_000_000
"""YAML is read forty times more slowly than JSON."""
NODES_MAX = 2_000_000
"""Values of a document, counted with every use of an alias: a few lines of YAML can stand for billions."""
DEPTH_MAX = 200

USUAL_FOLDERS = (
    ".",
    "api",
    "docs",
    "openapi",
    "spec",
    "schema",
    "contract",
    "contracts",
    "backend",
    "static",
    "public",
)
USUAL_NAMES = ("openapi.json", "openapi.yaml", "openapi.yml", "swagger.json", "swagger.yaml", "swagger.yml")

_HINT = "Give a document that starts with `openapi: 3.x` or `swagger: 2.0`, such as the one served at /openapi.json."


def load(document: bytes, source: str) -> dict[str, Any]:
    """The document as a mapping; raises SourceError for anything else."""
    if len(document) > BYTES_MAX:
        raise SourceError(f"the document has more than {BYTES_MAX:,} bytes", where=source, hint=_HINT)
    stripped = document.removeprefix(b"\xef\xbb\xbf").lstrip()
    value = _json(stripped, source) if stripped[:1] in (b"{", b"[") else None
    if value is None:
        value = _yaml(stripped, source)
    if not isinstance(value, dict):
        raise SourceError("this is no OpenAPI document", where=source, hint=_HINT)
    _measure(value, source)
    if not isinstance(value.get("openapi"), str | int | float) and not isinstance(value.get("swagger"), str | float):
        raise SourceError("this is no OpenAPI document: it names no version", where=source, hint=_HINT)
    return value


def _json(document: bytes, source: str) -> Any:
    """None where it is no JSON, for YAML may begin with a brace as well."""
    try:
        return msgspec.json.decode(document)
    except RecursionError:
        raise SourceError("the document is nested too deeply", where=source, hint=_HINT) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Dates stay text, for an example of 2024-01-01 is what the service expects as text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}


def _yaml(document: bytes, source: str) -> Any:
    if len(document) > YAML_BYTES_MAX:
        raise SourceError(f"the YAML has more than {YAML_BYTES_MAX:,} bytes", where=source, hint="Give it as JSON.")
    try:
        return yaml.load(document, Loader=_Loader)  # noqa: S506 (a SafeLoader without dates)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{source}:{mark.line + 1}" if mark is not None else source
        problem = getattr(error, "problem", None) or "it is neither JSON nor YAML"
        raise SourceError(f"the document cannot be read: {problem}", where=where, hint=_HINT) from None
    except RecursionError:
        raise SourceError("the document is nested too deeply", where=source, hint=_HINT) from None
    except (ValueError, TypeError, UnicodeDecodeError) as error:
        raise SourceError(f"the document cannot be read: {error}", where=source, hint=_HINT) from None


def _measure(value: Any, source: str) -> None:
    """Refuses what is too large or too deep once its aliases are written out, and what holds itself."""
    sizes: dict[int, int] = {}
    open_ids: set[int] = set()

    def size(item: Any, depth: int) -> int:
        if not isinstance(item, dict | list):
            return 1
        if depth > DEPTH_MAX or id(item) in open_ids:
            raise SourceError("the document is nested too deeply", where=source, hint=_HINT)
        if id(item) not in sizes:
            open_ids.add(id(item))
            children = item.values() if isinstance(item, dict) else item
            sizes[id(item)] = 1 + sum(size(child, depth + 1) for child in children)
            open_ids.discard(id(item))
        return sizes[id(item)]

    if size(value, 0) > NODES_MAX:
        raise SourceError(f"the document stands for more than {NODES_MAX:,} values", where=source, hint=_HINT)


def find(root: Path) -> Path | None:
    """The OpenAPI file of a repository, in the places where people keep it."""
    inside = root.resolve()
    for folder in USUAL_FOLDERS:
        for name in USUAL_NAMES:
            path = root / folder / name
            if path.is_file() and path.resolve().is_relative_to(inside):
                return path
    return None

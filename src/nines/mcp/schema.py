"""Records as JSON Schemas: what a tool takes and gives."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec


def schema_of(record: type[msgspec.Struct]) -> dict[str, Any]:
    """The schema (2020-12) with an object at its root, which is what the protocol asks for."""
    document = msgspec.json.schema(record)
    definitions: dict[str, Any] = document.pop("$defs", {})
    for definition in definitions.values():
        if "description" in definition:
            definition["description"] = inspect.cleandoc(definition["description"])
    name = str(document.pop("$ref")).rsplit("/", 1)[-1]
    root = definitions.pop(name)
    root.pop("title", None)
    for definition in definitions.values():
        definition.pop("title", None)
    return {**root, "$defs": definitions} if definitions else dict(root)

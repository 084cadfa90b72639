"""Records as JSON Schemas: what a tool takes and gives."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec


def flat_schema_of(record: type[msgspec.Struct]) -> dict[str, Any]:
    """The same with every reference replaced by what it refers to: not every client follows references in arguments."""
    schema = schema_of(record)
    flat: dict[str, Any] = _flat(
        {key: value for key, value in schema.items() if key != "$defs"}, schema.get("$defs", {})
    )
    return flat


def _flat(value: Any, definitions: dict[str, Any]) -> Any:
    """Records of arguments hold no cycles, so that this ends."""
    if isinstance(value, list):
        return [_flat(item, definitions) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        own = {key: item for key, item in value.items() if key != "$ref"}
        return _flat({**definitions[value["$ref"].rsplit("/", 1)[-1]], **own}, definitions)
    found = {key: _flat(item, definitions) for key, item in value.items()}
    is_text = "enum" in found and all(isinstance(item, str) for item in found["enum"])
    return {"type": "string", **found} if is_text else found


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

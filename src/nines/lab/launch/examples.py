"""Plausible values for JSON schemas: what a stub upstream answers when its contract gives no example."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nines.model.contract import Answer, Operation, Schema

DEPTH_MAX = 8
_FORMATS = {
    "date-time": "2030-01-01T00:00:00Z",
    "date": "2030-01-01",
    "time": "00:00:00Z",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
}


def example(schema: Schema, fresh: Callable[[], str], given: Mapping[str, Any] | None = None, depth: int = 0) -> Any:
    """A value of this schema; object fields that `given` has too are taken from there, identifiers are fresh."""
    for key in ("example", "const", "default"):
        if key in schema and not (given and isinstance(schema[key], dict)):
            return schema[key]
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("enum"):
        return schema["enum"][0]
    if depth >= DEPTH_MAX or schema.get("x-nines-recursive"):
        return None
    for key in ("oneOf", "anyOf"):
        options = [option for option in schema.get(key, ()) if option.get("type") != "null"]
        if options:
            return example(options[0], fresh, given, depth + 1)
    if schema.get("allOf"):
        return _merged(schema, fresh, given, depth)
    return _by_type(schema, fresh, given, depth)


def _merged(schema: Schema, fresh: Callable[[], str], given: Mapping[str, Any] | None, depth: int) -> Any:
    parts = [example(part, fresh, given, depth + 1) for part in schema["allOf"]]
    if "properties" in schema:
        parts.append(_object(schema, fresh, given, depth))
    objects = [part for part in parts if isinstance(part, dict)]
    if not objects:
        return parts[0]
    return {name: value for part in objects for name, value in part.items()}


def _by_type(schema: Schema, fresh: Callable[[], str], given: Mapping[str, Any] | None, depth: int) -> Any:
    kind = schema.get("type", "object" if "properties" in schema else "")
    if isinstance(kind, list):
        kind = next((name for name in kind if name != "null"), "null")
    if kind == "object":
        return _object(schema, fresh, given, depth)
    if kind == "array":
        items = schema.get("items")
        return [example(items, fresh, None, depth + 1)] if isinstance(items, dict) else []
    if kind in ("integer", "number"):
        return _number(schema)
    if kind == "string":
        return _text(schema, fresh)
    return {"boolean": True}.get(kind)


def _object(schema: Schema, fresh: Callable[[], str], given: Mapping[str, Any] | None, depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, part in schema.get("properties", {}).items():
        if given and name in given and name != "id":
            made[name] = given[name]
        elif isinstance(part, dict):
            made[name] = _field(name, part, fresh, depth)
    return made


def _field(name: str, schema: Schema, fresh: Callable[[], str], depth: int) -> Any:
    is_text = schema.get("type") == "string" and not schema.get("enum") and "format" not in schema
    if name == "id" and is_text:
        return fresh()
    return example(schema, fresh, None, depth + 1)


def _number(schema: Schema) -> int | float:
    lowest = schema.get("minimum", schema.get("exclusiveMinimum"))
    value = lowest if isinstance(lowest, (int, float)) and not isinstance(lowest, bool) else 1
    step = schema.get("multipleOf")
    if schema.get("exclusiveMinimum") == value:
        value += step if isinstance(step, (int, float)) else 1
    return value


def _text(schema: Schema, fresh: Callable[[], str]) -> str:
    form = schema.get("format", "")
    if form == "uuid":
        return fresh()
    text = _FORMATS.get(form, "text")
    return text.ljust(int(schema.get("minLength", 0)), "x")[: int(schema.get("maxLength", len(text) + 256))]


def successful(operation: Operation) -> tuple[int, Answer | None]:
    """The lowest documented 2xx status of an operation, with its answer; 200 or 201 where none is documented."""
    found = sorted(a.status for a in operation.answers if a.status.startswith("2"))
    if not found:
        return (201 if operation.method == "POST" else 200), None
    answer = next(a for a in operation.answers if a.status == found[0])
    return (int(found[0]) if found[0].isdigit() else 200), answer

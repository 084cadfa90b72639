"""Resolves references and brings every schema to the style of OpenAPI 3.1."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from nines.model.contract import Schema

RECURSIVE = "x-nines-recursive"
"""Marks where a schema would go on for ever."""
TRUNCATED = "x-nines-truncated"
"""Marks where a schema was cut because the limits below were reached."""
REFERENCE_HOPS_MAX = 32
SCHEMA_DEPTH_MAX = 24
SCHEMA_NODES_MAX = 4_000
"""Schema objects of one parameter, body or answer, references written out."""
TOTAL_NODES_MAX = 400_000
"""Schema objects of a whole document, references written out."""

_MAPS = ("properties", "patternProperties", "$defs", "dependentSchemas")
_LISTS = ("anyOf", "oneOf", "prefixItems")
_SINGLE = (
    "items",
    "additionalProperties",
    "not",
    "contains",
    "propertyNames",
    "if",
    "then",
    "else",
    "unevaluatedProperties",
    "unevaluatedItems",
)


class Resolver:
    """Follows the local references of one document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._total_left = TOTAL_NODES_MAX
        self._left = 0
        self.unresolved: dict[str, None] = {}
        """References that lead nowhere, or out of the document."""

    def follow(self, value: Any) -> Any:
        """The object behind a reference, and behind those that it leads to; {} where there is none."""
        for _ in range(REFERENCE_HOPS_MAX):
            if not isinstance(value, dict) or not isinstance(value.get("$ref"), str):
                return value
            value = self._at(value["$ref"])
        return {}

    def mapping(self, value: Any) -> dict[str, Any]:
        """Like follow, for what must be an object."""
        found = self.follow(value)
        return found if isinstance(found, dict) else {}

    def schema(self, value: Any) -> Schema:
        """A schema with all its references written out; recursion is cut and marked."""
        self._left = min(SCHEMA_NODES_MAX, self._total_left)
        before = self._left
        resolved = self._schema(value, (), 0)
        self._total_left -= before - self._left
        return resolved

    def _at(self, reference: str) -> Any:
        if not reference.startswith("#"):
            self.unresolved.setdefault(reference)
            return {}
        found: Any = self._document
        for part in reference[1:].split("/")[1:]:
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and key in found:
                found = found[key]
            elif isinstance(found, list) and key.isdecimal() and int(key) < len(found):
                found = found[int(key)]
            else:
                self.unresolved.setdefault(reference)
                return {}
        return found

    def _schema(self, value: Any, chain: tuple[str, ...], depth: int) -> Schema:
        if value is False:
            return {"not": {}}
        if not isinstance(value, dict):
            return {}
        self._left -= 1
        if self._left <= 0 or depth > SCHEMA_DEPTH_MAX:
            return {TRUNCATED: True}
        reference = value.get("$ref")
        if isinstance(reference, str):
            return self._referenced(value, reference, chain, depth)
        schema = {key: item for key, item in value.items() if isinstance(key, str)}
        for key in _MAPS:
            if isinstance(schema.get(key), dict):
                schema[key] = {str(name): self._schema(item, chain, depth + 1) for name, item in schema[key].items()}
        for key in _LISTS:
            if isinstance(schema.get(key), list):
                schema[key] = [self._schema(item, chain, depth + 1) for item in schema[key]]
        for key in _SINGLE:
            if isinstance(schema.get(key), dict):
                schema[key] = self._schema(schema[key], chain, depth + 1)
        parts = schema.pop("allOf", None)
        if isinstance(parts, list):
            schema = _merged([*(self._schema(part, chain, depth + 1) for part in parts), schema])
        return _modern(schema)

    def _referenced(self, value: dict[str, Any], reference: str, chain: tuple[str, ...], depth: int) -> Schema:
        if reference in chain:
            return {RECURSIVE: reference}
        target = self._schema(self._at(reference), (*chain, reference), depth + 1)
        beside = {key: item for key, item in value.items() if key != "$ref"}
        return _merged([target, self._schema(beside, chain, depth + 1)]) if beside else target


def _merged(parts: list[Schema]) -> Schema:
    """One schema that demands what all parts demand, as far as keywords can be joined."""
    merged: Schema = {}
    for part in parts:
        for key, value in part.items():
            if key not in merged:
                merged[key] = value
            else:
                merged[key] = _joined(key, merged[key], value)
    return merged


def _joined(key: str, first: Any, second: Any) -> Any:
    if key in _MAPS and isinstance(first, dict) and isinstance(second, dict):
        joined = dict(first)
        for name, schema in second.items():
            joined[name] = _merged([joined[name], schema]) if isinstance(joined.get(name), dict) else schema
        return joined
    if key == "required" and isinstance(first, list) and isinstance(second, list):
        return list(dict.fromkeys([*first, *second]))
    if key == "enum" and isinstance(first, list) and isinstance(second, list):
        return [item for item in first if item in second]
    if key == "type":
        types = [name for name in _listed(first) if name in _listed(second)]
        return types[0] if len(types) == 1 else types or second
    if key in ("minimum", "minLength", "minItems", "exclusiveMinimum") and _are_numbers(first, second):
        return max(first, second)
    if key in ("maximum", "maxLength", "maxItems", "exclusiveMaximum") and _are_numbers(first, second):
        return min(first, second)
    return second


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _are_numbers(*values: Any) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _modern(schema: Schema) -> Schema:
    """The 3.0 keywords in the words of 3.1: nullable, exclusive bounds as flags, a single example."""
    nullable = schema.pop("nullable", None)
    if nullable is True:
        if "type" in schema:
            schema["type"] = list(dict.fromkeys([*_listed(schema["type"]), "null"]))
            if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
                schema["enum"] = [*schema["enum"], None]
        elif schema:
            schema = {"anyOf": [schema, {"type": "null"}]}
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        flag = schema.get(exclusive)
        if flag is True and bound in schema:
            schema[exclusive] = schema.pop(bound)
        elif isinstance(flag, bool):
            del schema[exclusive]
    if "example" in schema:
        schema.setdefault("examples", [schema["example"]])
        del schema["example"]
    return schema

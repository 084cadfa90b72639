"""JSON Schemas made simple enough to build values from: one type, one branch, everything merged."""

from __future__ import annotations

import re
from typing import Any

from nines.model.contract import Schema

DEPTH_MAX = 12
"""How deep combined schemas are followed."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def as_schema(value: Any) -> Schema:
    """A schema for whatever stands where one belongs: `true` allows everything."""
    return value if isinstance(value, dict) else {}


def settled(schema: Any, depth: int = 0) -> Schema:
    """The schema with `allOf` merged and the first workable branch of `oneOf` and `anyOf` chosen."""
    found = as_schema(schema)
    if depth > DEPTH_MAX or found.get("x-nines-recursive"):
        return {key: value for key, value in found.items() if key not in ("allOf", "oneOf", "anyOf")}
    for part in _list(found.get("allOf")):
        found = merged({k: v for k, v in found.items() if k != "allOf"}, settled(part, depth + 1))
    found = {key: value for key, value in found.items() if key != "allOf"}
    for word in ("oneOf", "anyOf"):
        branches = [as_schema(branch) for branch in _list(found.get(word))]
        found = {key: value for key, value in found.items() if key != word}
        chosen = _workable(branches)
        if chosen is not None:
            picked = settled(branches[chosen], depth + 1)
            found = merged(found, _discriminated(found, picked, chosen))
    return found


def merged(first: Schema, second: Schema) -> Schema:
    """Both schemas at once: properties and required are joined, elsewhere the second wins where it says something."""
    result = dict(first)
    for key, value in second.items():
        mine = result.get(key)
        if key == "properties" and isinstance(mine, dict) and isinstance(value, dict):
            both = {name: merged(as_schema(mine[name]), as_schema(value[name])) for name in mine.keys() & value.keys()}
            result[key] = mine | value | both
        elif key == "required" and isinstance(mine, list) and isinstance(value, list):
            result[key] = list(dict.fromkeys([*mine, *value]))
        elif key in ("title", "description", "example", "examples", "default") and key in result:
            continue
        else:
            result[key] = value
    return result


def types(schema: Schema) -> tuple[str, ...]:
    """The JSON types that a settled schema allows; derived from its keywords where it names none."""
    named = schema.get("type")
    if isinstance(named, str):
        return (named, "null") if schema.get("nullable") is True else (named,)
    if isinstance(named, list):
        return tuple(name for name in named if isinstance(name, str))
    if "properties" in schema or "additionalProperties" in schema:
        return ("object",)
    if "items" in schema:
        return ("array",)
    if "pattern" in schema or "maxLength" in schema or "minLength" in schema:
        return ("string",)
    if "minimum" in schema or "maximum" in schema:
        return ("number",)
    return ()


def kind(schema: Schema) -> str:
    """The type to build: the first that is not null, "" where any will do."""
    return next((name for name in types(schema) if name != "null"), "")


def properties(schema: Schema) -> dict[str, Schema]:
    found = schema.get("properties")
    return {str(name): as_schema(value) for name, value in found.items()} if isinstance(found, dict) else {}


def required(schema: Schema) -> tuple[str, ...]:
    return tuple(name for name in _list(schema.get("required")) if isinstance(name, str))


def words(name: str) -> tuple[str, ...]:
    """The lower-case words of an identifier in any style: "fromAccountId" gives from, account, id."""
    return tuple(word.lower() for word in _WORD.findall(name))


def singular(noun: str) -> str:
    """The English singular, as far as identifiers need it: "entries" gives "entry"."""
    if noun.endswith("ies") and len(noun) > 4:
        return noun[:-3] + "y"
    if noun.endswith(("sses", "shes", "ches", "xes", "zes")):
        return noun[:-2]
    if noun.endswith("s") and not noun.endswith(("ss", "us", "is")) and len(noun) > 2:
        return noun[:-1]
    return noun


def _workable(branches: list[Schema]) -> int | None:
    for index, branch in enumerate(branches):
        if types(branch) != ("null",) and branch.get("const", "") is not None and not branch.get("x-nines-recursive"):
            return index
    return 0 if branches else None


def _discriminated(outer: Schema, branch: Schema, index: int) -> Schema:
    """The branch with its discriminating property fixed, where the outer schema maps names to branches."""
    rule = outer.get("discriminator")
    if not isinstance(rule, dict) or not isinstance(rule.get("propertyName"), str):
        return branch
    name = rule["propertyName"]
    known = properties(branch).get(name, {})
    mapping = rule.get("mapping")
    if "const" in known or "enum" in known or not isinstance(mapping, dict) or index >= len(mapping):
        return branch
    fixed = {"properties": {name: {"type": "string", "const": list(mapping)[index]}}, "required": [name]}
    return merged(branch, fixed)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []

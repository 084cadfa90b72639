"""The types of a graph as JSON Schemas, so that what invents values for a contract invents them here."""

from __future__ import annotations

from typing import Any, TypeAlias

from nines.lab.requests.shapes import properties, settled, words
from nines.model.contract import Schema
from nines.model.graph import GraphArgument, GraphKind, GraphRef, GraphSchema

DEPTH_MAX = 6
_INT = {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1}
_BUILT_IN: dict[str, Schema] = {
    "Int": _INT,
    "Float": {"type": "number"},
    "String": {"type": "string"},
    "Boolean": {"type": "boolean"},
    "ID": {"type": "string"},
}
_FORMS = (
    (("datetime", "timestamp", "timestamptz", "iso8601datetime", "instant"), {"type": "string", "format": "date-time"}),
    (("date", "localdate", "iso8601date"), {"type": "string", "format": "date"}),
    (("time", "localtime"), {"type": "string", "format": "time"}),
    (("duration",), {"type": "string", "format": "duration"}),
    (("uuid", "guid", "uuid4"), {"type": "string", "format": "uuid"}),
    (("email", "emailaddress"), {"type": "string", "format": "email"}),
    (("url", "uri", "httpurl"), {"type": "string", "format": "uri"}),
    (("ipv4", "ip"), {"type": "string", "format": "ipv4"}),
    (("decimal", "bigdecimal", "money", "numeric", "positivedecimal"), {"type": "string", "format": "decimal"}),
    (("long", "bigint", "int64", "biginteger"), {"type": "integer"}),
    (("positiveint", "nonnegativeint", "unsignedint"), {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}),
    (("short", "int32"), _INT),
    (("double", "float64", "positivefloat", "nonnegativefloat"), {"type": "number", "minimum": 0}),
    (("json", "jsonobject", "jsonb", "map", "object", "any", "genericscalar", "metadata"), {"type": "object"}),
    (("base64", "byte", "bytes", "binary"), {"type": "string", "format": "byte"}),
)
"""What the usual names of custom scalars stand for; any other is sent as text."""
_BOUNDS = ("minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
           "multipleOf", "minItems", "maxItems", "uniqueItems", "example", "examples", "format")  # fmt: skip


def scalar(name: str) -> Schema:
    """For a scalar of this name."""
    plain = name.lower().replace("_", "").removesuffix("scalar")
    return _BUILT_IN.get(name) or next((form for names, form in _FORMS if plain in names), {"type": "string"})


Known: TypeAlias = dict[tuple[str, int], Schema]
"""Inputs that were told before, by their names and how deep they stand: large schemas use the same ones everywhere."""


def schema_of(schema: GraphSchema, ref: GraphRef, known: Known, depth: int = 0) -> Schema:
    """For values of this type that are sent; what is told is shared, and must not be changed."""
    if ref.is_list:
        return {"type": "array", "items": schema_of(schema, ref.item, known, depth)}
    found = schema.type(ref.name)
    if found is None or found.kind is GraphKind.SCALAR:
        return scalar(ref.name)
    if found.kind is GraphKind.ENUM:
        return {"type": "string", "enum": list(found.values)}
    if depth > DEPTH_MAX:
        return {"type": "object", "x-nines-recursive": True}
    if (ref.name, depth) not in known:
        known[ref.name, depth] = object_of(schema, found.inputs, known, depth + 1)
    return known[ref.name, depth]


def object_of(schema: GraphSchema, inputs: tuple[GraphArgument, ...], known: Known, depth: int = 0) -> Schema:
    """An object with these members."""
    return {
        "type": "object",
        "properties": {each.name: schema_of(schema, each.type, known, depth) for each in inputs},
        "required": [each.name for each in inputs if each.is_needed],
        "additionalProperties": False,
    }


def takes_file(schema: GraphSchema, inputs: tuple[GraphArgument, ...], depth: int = 0) -> bool:
    """Whether a file must be sent, which takes another kind of request."""
    for each in inputs:
        if not each.is_needed:
            continue
        found = schema.type(each.type.name)
        if each.type.name == "Upload":
            return True
        is_deep = found is not None and found.kind is GraphKind.INPUT and depth < DEPTH_MAX
        if is_deep and found is not None and takes_file(schema, found.inputs, depth + 1):
            return True
    return False


def bounded(own: Schema, other: Any, depth: int = 0) -> Schema:
    """`own` with the bounds that `other` knows of members with the same names: a graph says only their types."""
    theirs = settled(other)
    found = {**own, **{word: theirs[word] for word in _BOUNDS if word in theirs and _is_apt(own, theirs, word)}}
    if depth > DEPTH_MAX:
        return found
    known = {words(name): rules for name, rules in properties(theirs).items()}
    inner = properties(own)
    if inner:
        found["properties"] = {
            name: bounded(rules, known[words(name)], depth + 1) if words(name) in known else rules
            for name, rules in inner.items()
        }
    if own.get("type") == "array" and theirs.get("items"):
        found["items"] = bounded(own.get("items", {}), theirs["items"], depth + 1)
    return found


def _is_apt(own: Schema, theirs: Schema, word: str) -> bool:
    """A bound of numbers says nothing about text; the values of an enum are the graph's own."""
    is_settled = "enum" in own or "format" in own
    return not is_settled and (own.get("type") == theirs.get("type") or word.startswith("example"))

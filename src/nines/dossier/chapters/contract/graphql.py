"""The same operations as a GraphQL schema, for a blueprint that asks for one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from nines.dossier.chapters.contract import openapi
from nines.model.blueprint import Action
from nines.model.design import Design, PlannedEndpoint, PlannedParameter

DEPTH_MAX = 8
COST_MAX = 1_000
ALIASES_MAX = 15
DOCUMENT_BYTES_MAX = 16_384
_REFERENCE = "#/components/schemas/"
_QUERIES = (Action.READ, Action.LIST)
_SCALARS = {
    "DateTime": "RFC 3339 in UTC.",
    "Date": "RFC 3339, the day only.",
    "Decimal": "Digits as a string, because floating point would change them.",
    "Long": "A whole number that does not fit into Int, up to 2^53 - 1.",
    "Json": "A JSON object.",
}
_FORMATS = {"date-time": "DateTime", "date": "Date", "decimal": "Decimal", "int64": "Long"}
_PLAIN = {"string": "String", "boolean": "Boolean", "integer": "Int", "number": "Float", "object": "Json"}


def text(design: Design) -> str:
    """The schema definition language; deterministic."""
    endpoints = [each for each in design.endpoints if each.answers]
    answered = _names(design, [a.shape for e in endpoints for a in e.answers if a.shape and a.status < 400])
    sent = _names(design, [each.request for each in endpoints if each.request])
    blocks = [
        _head(design),
        *(f'"{says}"\nscalar {name}' for name, says in _SCALARS.items()),
        '"What a field adds to the cost of a document."\ndirective @cost(weight: Int!) on FIELD_DEFINITION',
        *_root("Query", [each for each in endpoints if each.action in _QUERIES], design),
        *_root("Mutation", [each for each in endpoints if each.action not in _QUERIES], design),
        *(_type("type", name, design, is_input=False) for name in answered),
        *(_type("input", _input(name), design, is_input=True, shape=name) for name in sent),
    ]
    body = "\n\n".join(block for block in blocks if block)
    enums = "\n\n".join(_enums(design, body))
    return f"{body}\n\n{enums}\n" if enums else f"{body}\n"


def _head(design: Design) -> str:
    lines = (
        f"{design.card.name}: the operations of openapi.yaml. A failure is an error whose extensions.problem is the",
        "same problem detail (RFC 9457) that the other interface answers.",
        f"Refused before anything is carried out: {limits()}.",
    )
    return "\n".join(f"# {line}" for line in lines)


def limits() -> str:
    """What keeps one document from costing more than many requests (OWASP API4:2023)."""
    return (
        f"documents deeper than {DEPTH_MAX} levels, costlier than {COST_MAX:,}, with more than {ALIASES_MAX} aliases "
        f"or longer than {DOCUMENT_BYTES_MAX:,} bytes; batches; introspection by strangers"
    )


def _names(design: Design, wanted: list[str]) -> list[str]:
    found = (_whole(each.name, design) for each in openapi.reached(design, wanted))
    failures = _failures(design)
    return [name for name in dict.fromkeys(found) if name not in failures]


def _failures(design: Design) -> set[str]:
    """The shapes of problems, which are told as errors here."""
    return {answer.shape for each in design.endpoints for answer in each.answers if answer.problem}


def _whole(name: str, design: Design) -> str:
    """The items of a page are the objects themselves: in GraphQL callers name what they want of them anyway."""
    shape = design.shape(name)
    return shape.resource if shape and shape.resource and name.startswith(f"{shape.resource}Item") else name


def _has_version(name: str, design: Design) -> bool:
    """Whether the objects have an ETag, which has no header to travel in here."""
    answers = (answer for each in design.endpoints for answer in each.answers if answer.shape == name)
    return any("ETag" in answer.headers for answer in answers)


def _input(name: str) -> str:
    return name if name.endswith("Input") else f"{name}Input"


def _root(name: str, endpoints: list[PlannedEndpoint], design: Design) -> list[str]:
    if not endpoints:
        # The specification wants a query type with at least one field.
        return ['type Query {\n  "The version of the contract."\n  version: String!\n}'] if name == "Query" else []
    fields = "\n".join(_field(each, design) for each in endpoints)
    return [f"type {name} {{\n{fields}\n}}"]


def _field(endpoint: PlannedEndpoint, design: Design) -> str:
    success = endpoint.success
    result = success.shape if success else ""
    arguments = ", ".join(_arguments(endpoint, design))
    called = f"{endpoint.id}({arguments})" if arguments else endpoint.id
    cost = f" @cost(weight: {max(1, endpoint.page.default if endpoint.page else 1)})"
    gone = ""
    if endpoint.deprecation is not None:
        gone = f" @deprecated(reason: {json.dumps(f'Since {endpoint.deprecation.since}.')})"
    return f"  {_quoted(endpoint.summary)}\n  {called}: {result or 'Boolean'}{'!' if result else ''}{cost}{gone}"


def _arguments(endpoint: PlannedEndpoint, design: Design) -> Iterator[str]:
    for each in endpoint.parameters:
        if each.name in ("fields", "If-None-Match"):
            continue
        required = "!" if each.is_required else ""
        yield f"{_camel(each.name)}: {_argument_type(each, design)}{required}"
    if endpoint.request:
        yield f"input: {_input(endpoint.request)}!"


def _argument_type(parameter: PlannedParameter, design: Design) -> str:
    if parameter.location == "path":
        return "ID"
    return _of(parameter.schema, is_input=True, hint="", design=design)


def _type(keyword: str, name: str, design: Design, *, is_input: bool, shape: str = "") -> str:
    found = design.shape(shape or name)
    schema = found.schema if found else {}
    members: dict[str, Any] = schema.get("properties", {})
    if not members:
        members = {"empty": {"type": "boolean", "description": "There is nothing to tell."}}
    required = set(schema.get("required", ()))
    if not is_input and _has_version(name, design):
        members = {"etag": {"type": "string", "description": "The version, for ifMatch."}} | members
        required.add("etag")
    lines = [f"{keyword} {name} {{"]
    if schema.get("description"):
        lines.insert(0, _quoted(schema["description"]))
    for member, inner in members.items():
        if inner.get("description"):
            lines.append(f"  {_quoted(inner['description'])}")
        mark = "!" if member in required and not _is_nullable(inner) else ""
        kind = _of(inner, is_input=is_input, hint=f"{name} {member}", design=design)
        lines.append(f"  {_camel(member)}: {kind}{mark}")
    return "\n".join([*lines, "}"])


def _of(schema: dict[str, Any], *, is_input: bool, hint: str, design: Design) -> str:
    """The GraphQL type of a schema; `hint` names an enumeration."""
    for option in schema.get("anyOf", ()):
        if option.get("type") != "null":
            return _of(option, is_input=is_input, hint=hint, design=design)
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix(_REFERENCE)
        return _input(name) if is_input else ("Json" if name in _failures(design) else _whole(name, design))
    kind = schema.get("type", "object")
    kind = next((each for each in kind if each != "null"), "object") if isinstance(kind, list) else kind
    if kind == "array":
        return f"[{_of(schema.get('items', {}), is_input=is_input, hint=hint, design=design)}!]"
    if hint and "enum" in schema and all(_is_name(each) for each in schema["enum"] if each is not None):
        return _enum_name(hint)
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    return "ID" if hint.endswith((" id", "_id")) and kind == "string" else _PLAIN.get(kind, "Json")


def _enums(design: Design, body: str) -> Iterator[str]:
    """The enumerations that the body uses, each once."""
    for shape in design.shapes:
        for prefix in (shape.name, _input(shape.name)):
            for member, schema in shape.schema.get("properties", {}).items():
                name = _enum_name(f"{prefix} {member}")
                values = [each for each in _values(schema) if each is not None]
                if values and re.search(rf": \[?{name}\b", body):
                    body = body.replace(f": {name}", ": ").replace(f": [{name}", ": [")
                    yield "\n".join([f"enum {name} {{", *(f"  {each}" for each in values), "}"])


def _values(schema: dict[str, Any]) -> list[Any]:
    inner = schema.get("items", schema)
    found: list[Any] = inner.get("enum", [])
    return found if found and all(_is_name(each) for each in found if each is not None) else []


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value)) and value not in _RESERVED


_RESERVED = ("true", "false", "null")


def _enum_name(hint: str) -> str:
    owner, _, member = hint.partition(" ")
    return owner + "".join(part.title() for part in member.split("_"))


def _is_nullable(schema: dict[str, Any]) -> bool:
    kind = schema.get("type")
    return (isinstance(kind, list) and "null" in kind) or any(
        each.get("type") == "null" for each in schema.get("anyOf", ())
    )


def _camel(name: str) -> str:
    first, *rest = re.split(r"[-_]+", name)
    return first[:1].lower() + first[1:] + "".join(part[:1].upper() + part[1:] for part in rest)


def _quoted(text: str) -> str:
    return json.dumps(" ".join(text.split()), ensure_ascii=False)

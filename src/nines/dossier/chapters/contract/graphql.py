"""The same operations as a GraphQL schema, for a blueprint that asks for one."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from nines.dossier.chapters.contract import openapi
from nines.model.blueprint import Action
from nines.model.design import Design, PlannedEndpoint, PlannedParameter, Shape

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
_TAKEN = frozenset({"Query", "Mutation", "Subscription", *_SCALARS, *_PLAIN.values(), "ID"})
_NAME = re.compile(r"(?!__)(?!(?:true|false|null)$)[A-Za-z_][A-Za-z0-9_]*")

Json = dict[str, Any]


def text(design: Design) -> str:
    """The schema definition language; deterministic."""
    return _Schema(design).text()


def limits() -> str:
    """What keeps one document from costing more than many requests (OWASP API4:2023)."""
    return (
        f"documents deeper than {DEPTH_MAX} levels, costlier than {COST_MAX:,}, with more than {ALIASES_MAX} aliases "
        f"or longer than {DOCUMENT_BYTES_MAX:,} bytes; batches; introspection by strangers"
    )


class _Schema:
    """One schema while it is written; enumerations are found on the way."""

    def __init__(self, design: Design) -> None:
        self.design = design
        self.endpoints = [each for each in design.endpoints if each.answers]
        answers = [answer for each in self.endpoints for answer in each.answers]
        # Problems are told as errors here, and an ETag has no header to travel in.
        self.problems = {answer.shape for answer in answers if answer.problem}
        self.versioned = {answer.shape for answer in answers if "ETag" in answer.headers}
        self.answered = [answer.shape for answer in answers if answer.shape and not answer.problem]
        self.sent = [each.request for each in self.endpoints if each.request]
        self.enums: dict[str, tuple[str, ...]] = {}
        self.types = {self.output(each.name) for each in design.shapes}

    def text(self) -> str:
        answered = self._reached(self.answered)
        blocks = [
            _head(self.design),
            *(f'"{says}"\nscalar {name}' for name, says in _SCALARS.items()),
            '"What a field adds to the cost of a document."\ndirective @cost(weight: Int!) on FIELD_DEFINITION',
            self._root("Query", [each for each in self.endpoints if each.action in _QUERIES]),
            self._root("Mutation", [each for each in self.endpoints if each.action not in _QUERIES]),
            *(self._type(each) for each in dict.fromkeys(self._whole(each) for each in answered)),
            *(self._input(each) for each in self._reached(self.sent)),
        ]
        blocks += ["\n".join([f"enum {name} {{", *(f"  {each}" for each in v), "}"]) for name, v in self.enums.items()]
        return "\n\n".join(block for block in blocks if block) + "\n"

    def output(self, name: str) -> str:
        """The name of an object type."""
        return f"{name}Object" if name in _TAKEN else name

    def input(self, name: str) -> str:
        return name if name.endswith("Input") else f"{name}Input"

    def _reached(self, wanted: Iterable[str]) -> list[str]:
        return [each.name for each in openapi.reached(self.design, wanted) if each.name not in self.problems]

    def _whole(self, name: str) -> str:
        """The items of a page are the objects themselves: in GraphQL callers name what they want of them anyway."""
        shape = self.design.shape(name)
        return shape.resource if shape and shape.resource and name.startswith(f"{shape.resource}Item") else name

    def _root(self, name: str, endpoints: list[PlannedEndpoint]) -> str:
        fields = [line for each in endpoints for line in self._field(each)]
        if not fields and name == "Query":
            # The specification wants a query type with at least one field.
            fields = ['  "The version of the contract."', "  version: String!"]
        return "\n".join([f"type {name} {{", *fields, "}"]) if fields else ""

    def _field(self, endpoint: PlannedEndpoint) -> Iterator[str]:
        success = endpoint.success
        result = f"{self.output(success.shape)}!" if success and success.shape else "Boolean"
        arguments = ", ".join(self._arguments(endpoint))
        called = f"{endpoint.id}({arguments})" if arguments else endpoint.id
        cost = f" @cost(weight: {max(1, endpoint.page.default if endpoint.page else 1)})"
        ending = endpoint.deprecation
        gone = f" @deprecated(reason: {json.dumps(f'Since {ending.since}.')})" if ending else ""
        yield f"  {_quoted(endpoint.summary)}"
        yield f"  {called}: {result}{cost}{gone}"

    def _arguments(self, endpoint: PlannedEndpoint) -> Iterator[str]:
        for each in endpoint.parameters:
            if each.name not in ("fields", "If-None-Match"):
                yield f"{_camel(each.name)}: {self._argument(each, endpoint)}{'!' if each.is_required else ''}"
        if endpoint.request:
            yield f"input: {self.input(endpoint.request)}!"

    def _argument(self, parameter: PlannedParameter, endpoint: PlannedEndpoint) -> str:
        if parameter.location == "path":
            return "ID"
        return self._kind(parameter.schema, endpoint.resource, parameter.name, is_input=True)

    def _type(self, name: str) -> str:
        shape = self.design.shape(name)
        if shape is None:
            return ""
        version = {"etag": {"type": "string", "description": "The version, for ifMatch."}}
        members = version if name in self.versioned else {}
        return self._object("type", self.output(name), shape, members, is_input=False)

    def _input(self, name: str) -> str:
        shape = self.design.shape(name)
        return self._object("input", self.input(name), shape, {}, is_input=True) if shape else ""

    def _object(self, keyword: str, name: str, shape: Shape, first: Json, *, is_input: bool) -> str:
        members: Json = first | shape.schema.get("properties", {})
        if not members:
            members = {"empty": {"type": "boolean", "description": "There is nothing to tell."}}
        required = {*first, *shape.schema.get("required", ())}
        lines = [_quoted(shape.schema["description"])] if shape.schema.get("description") else []
        lines.append(f"{keyword} {name} {{")
        for member, schema in members.items():
            if schema.get("description"):
                lines.append(f"  {_quoted(schema['description'])}")
            kind = self._kind(schema, shape.resource or shape.name, member, is_input=is_input)
            mark = "!" if member in required and not _is_nullable(schema) else ""
            lines.append(f"  {_camel(member)}: {kind}{mark}")
        return "\n".join([*lines, "}"])

    def _kind(self, schema: Json, owner: str, member: str, *, is_input: bool) -> str:
        """The type of one member; `owner` and `member` name an enumeration."""
        for option in schema.get("anyOf", ()):
            if option.get("type") != "null":
                return self._kind(option, owner, member, is_input=is_input)
        if "$ref" in schema:
            name = str(schema["$ref"]).removeprefix(_REFERENCE)
            if is_input:
                return self.input(name)
            return "Json" if name in self.problems else self.output(self._whole(name))
        said = schema.get("type", "object")
        kind = next((each for each in said if each != "null"), "object") if isinstance(said, list) else str(said)
        if kind == "array":
            return f"[{self._kind(schema.get('items', {}), owner, member, is_input=is_input)}!]"
        return self._enum(schema, owner, member) or _scalar(schema, kind, member)

    def _enum(self, schema: Json, owner: str, member: str) -> str:
        """The enumeration of a member, the same for what is sent and for what is answered; "" where it can be none."""
        values = tuple(each for each in schema.get("enum", ()) if each is not None)
        if not values or not all(isinstance(each, str) and _NAME.fullmatch(each) for each in values):
            return ""
        name = owner + "".join(part.title() for part in re.split(r"[-_]+", member))
        while name in self.types or name in _TAKEN or self.enums.get(name, values) != values:
            name += "Value"
        self.enums[name] = values
        return name


def _head(design: Design) -> str:
    says = (
        f"{design.card.name}: the operations of openapi.yaml. A failure is an error whose extensions.problem is the "
        "same problem detail (RFC 9457) that the other interface answers. Refused before anything is carried out: "
        f"{limits()}."
    )
    return "\n".join(f"# {line}" for line in textwrap.wrap(says, 110))


def _scalar(schema: Json, kind: str, member: str) -> str:
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    is_identifier = kind == "string" and (member == "id" or member.endswith("_id"))
    return "ID" if is_identifier else _PLAIN.get(kind, "Json")


def _is_nullable(schema: Json) -> bool:
    kind = schema.get("type")
    if isinstance(kind, list):
        return "null" in kind
    return any(each.get("type") == "null" for each in schema.get("anyOf", ()))


def _camel(name: str) -> str:
    first, *rest = re.split(r"[-_]+", name)
    return first[:1].lower() + first[1:] + "".join(part[:1].upper() + part[1:] for part in rest)


def _quoted(text: str) -> str:
    return json.dumps(" ".join(text.split()), ensure_ascii=False)

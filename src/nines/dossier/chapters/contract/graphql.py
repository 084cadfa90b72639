"""The same operations as a GraphQL schema, for a blueprint that asks for one."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from nines.dossier.chapters.contract import openapi
from nines.model.design import Design, PlannedEndpoint, PlannedParameter, Shape, graph
from nines.model.design.graph import PLAIN, SCALARS, TAKEN, PlannedLink, field_name, type_name

DEPTH_MAX = 8
COST_MAX = 1_000
ALIASES_MAX = 15
FIELDS_MAX = 300
REPEATS_MAX = 3
FRAGMENTS_MAX = 20
VALUES_MAX = 10_000
DOCUMENT_BYTES_MAX = 16_384
CHANGE_WEIGHT = 10
"""What a change costs beside what it is answered with."""
LIST_MAX = 100
"""How long a list of references may be."""
_REFERENCE = "#/components/schemas/"
_OF_HEADERS = {"Idempotency-Key": "idempotencyKey", "If-Match": "version"}
"""A document may hold several changes, and a request has each header once: so these are arguments of each."""
_JSON = ("", "application/json", "application/merge-patch+json")
_FORMATS = {"date-time": "DateTime", "date": "Date", "decimal": "Decimal", "int64": "Long"}
_NAME = re.compile(r"(?!__)(?!(?:true|false|null)$)[A-Za-z_][A-Za-z0-9_]*")

Json = dict[str, Any]


def text(design: Design) -> str:
    """The schema definition language; deterministic."""
    return _Schema(design).text()


def limits() -> str:
    """What keeps one document from costing more than many requests (OWASP API4:2023)."""
    return (
        f"documents deeper than {DEPTH_MAX} fields, costlier than {COST_MAX:,}, with more than {ALIASES_MAX} aliases, "
        f"{FRAGMENTS_MAX} fragments or {FIELDS_MAX} fields, {REPEATS_MAX} of them of one name in one object, whose "
        f"answer may hold more than {VALUES_MAX:,} values, or longer than {DOCUMENT_BYTES_MAX:,} bytes; more than one "
        "operation; batches; introspection outside of a laptop"
    )


def is_asked_here(endpoint: PlannedEndpoint) -> bool:
    """Whether a graph has a place for what it is asked and answers: members, and neither forms nor cookies."""
    success = endpoint.success
    is_member = success is not None and success.status < 300 and "Set-Cookie" not in success.headers
    return is_member and endpoint.request_media_type in _JSON


class _Schema:
    """One schema while it is written; enumerations are found on the way."""

    def __init__(self, design: Design) -> None:
        self.design = design
        self.endpoints = [each for each in design.endpoints if is_asked_here(each)]
        self.links: dict[str, list[PlannedLink]] = {}
        for link in graph.links(design):
            self.links.setdefault(link.resource, []).append(link)
        answers = [answer for each in self.endpoints for answer in each.answers]
        # Problems are told as errors here, and an ETag has no header to travel in.
        self.problems = {answer.shape for answer in answers if answer.problem}
        self.versioned = {answer.shape for answer in answers if "ETag" in answer.headers}
        self.answered = [answer.shape for answer in answers if answer.shape and not answer.problem]
        self.sent = [each.request for each in self.endpoints if each.request]
        self.enums: dict[str, tuple[str, ...]] = {}
        self.types = {self.output(each.name) for each in design.shapes}

    def text(self) -> str:
        linked = [link.target for links in self.links.values() for link in links]
        answered = self._reached([*self.answered, *linked])
        blocks = [
            _head(self.design),
            *(f'"{says}"\nscalar {name}' for name, says in SCALARS.items()),
            '"What a field and all below it cost, as often as the argument says that sizes it, or as size says."\n'
            "directive @cost(weight: Int! = 1, sizedBy: String, size: Int! = 1) on FIELD_DEFINITION",
            self._root("Query", [each for each in self.endpoints if each.is_safe]),
            self._root("Mutation", [each for each in self.endpoints if not each.is_safe]),
            *(self._type(each) for each in dict.fromkeys(self._whole(each) for each in answered)),
            *(self._input(each) for each in self._reached(self.sent)),
        ]
        blocks += ["\n".join([f"enum {name} {{", *(f"  {each}" for each in v), "}"]) for name, v in self.enums.items()]
        return "\n\n".join(block for block in blocks if block) + "\n"

    def output(self, name: str) -> str:
        """The name of an object type."""
        return type_name(name)

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
        # May be null: what one field fails at takes nothing from the others.
        result = self.output(success.shape) if success and success.shape else "Boolean"
        arguments = ", ".join(self._arguments(endpoint))
        called = f"{endpoint.id}({arguments})" if arguments else endpoint.id
        ending = endpoint.deprecation
        gone = f" @deprecated(reason: {json.dumps(f'Since {ending.since}.')})" if ending else ""
        yield f"  {_quoted(endpoint.summary)}"
        yield f"  {called}: {result}{_cost(endpoint)}{gone}"

    def _arguments(self, endpoint: PlannedEndpoint) -> Iterator[str]:
        for each in endpoint.parameters:
            if each.location == "header" and each.name not in _OF_HEADERS:
                continue
            if each.name != "fields":
                name = _OF_HEADERS.get(each.name) or field_name(each.name)
                is_required = each.is_required or (each.name == "If-Match" and endpoint.needs_if_match)
                yield f"{name}: {self._argument(each, endpoint)}{'!' if is_required else ''}"
        if endpoint.request:
            yield f"input: {self.input(endpoint.request)}!"

    def _argument(self, parameter: PlannedParameter, endpoint: PlannedEndpoint) -> str:
        if parameter.location == "path":
            return "ID"
        if parameter.name == "If-Match":
            return "Long"
        return self._kind(parameter.schema, endpoint.resource, parameter.name, is_input=True)

    def _type(self, name: str) -> str:
        shape = self.design.shape(name)
        if shape is None:
            return ""
        lines = [line for link in self.links.get(name, ()) for line in self._link(link)]
        if name in self.versioned and "version" not in shape.schema.get("properties", {}):
            lines += ['  "For changes that ask which version was read."', "  version: Long"]
        return self._object("type", self.output(name), shape, lines, is_input=False)

    def _link(self, link: PlannedLink) -> Iterator[str]:
        """Null where it is not the caller's to see: who may see an object may see less of what it leads to."""
        target = self.output(link.target)
        name = field_name(link.name)
        if link.is_children:
            yield f"  {_quoted(f'Those that refer to it, as {link.endpoint} shows them.')}"
            sized = f'@cost(sizedBy: "first", size: {link.first})'
            yield f"  {name}(first: Int = {link.first}): [{target}!] {sized}"
        elif link.is_list:
            yield f"  {_quoted(f'As {link.endpoint} shows them.')}"
            yield f"  {name}: [{target}] @cost(size: {LIST_MAX})"
        else:
            yield f"  {_quoted(f'As {link.endpoint} shows it.')}"
            yield f"  {name}: {target} @cost"

    def _input(self, name: str) -> str:
        shape = self.design.shape(name)
        return self._object("input", self.input(name), shape, [], is_input=True) if shape else ""

    def _object(self, keyword: str, name: str, shape: Shape, more: list[str], *, is_input: bool) -> str:
        members: Json = shape.schema.get("properties", {})
        if not members:
            members = {"empty": {"type": "boolean", "description": "There is nothing to tell."}}
        required = set(shape.schema.get("required", ()))
        lines = [_quoted(shape.schema["description"])] if shape.schema.get("description") else []
        lines.append(f"{keyword} {name} {{")
        for member, schema in members.items():
            if schema.get("description"):
                lines.append(f"  {_quoted(schema['description'])}")
            kind = self._kind(schema, shape.resource or shape.name, member, is_input=is_input)
            mark = "!" if member in required and not _is_nullable(schema) else ""
            lines.append(f"  {field_name(member)}: {kind}{mark}")
        return "\n".join([*lines, *more, "}"])

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
        while name in self.types or name in TAKEN or self.enums.get(name, values) != values:
            name += "Value"
        self.enums[name] = values
        return name


def _head(design: Design) -> str:
    says = (
        f"{design.card.name}: the operations of openapi.yaml, each behind the same guards, by POST /graphql. A failure "
        "is an error whose extensions hold the code and the status of the problem that the other interface answers "
        "(problems.md), and retry_after in seconds. Refused before anything is carried out: "
        f"{limits()}."
    )
    return "\n".join(f"# {line}" for line in textwrap.wrap(says, 110))


def _scalar(schema: Json, kind: str, member: str) -> str:
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    is_identifier = kind == "string" and (member == "id" or member.endswith("_id"))
    return "ID" if is_identifier else PLAIN.get(kind, "Json")


def _is_nullable(schema: Json) -> bool:
    kind = schema.get("type")
    if isinstance(kind, list):
        return "null" in kind
    return any(each.get("type") == "null" for each in schema.get("anyOf", ()))


def _cost(endpoint: PlannedEndpoint) -> str:
    if not endpoint.is_safe:
        return f" @cost(weight: {CHANGE_WEIGHT})"
    return f' @cost(sizedBy: "pageSize", size: {endpoint.page.default})' if endpoint.page else " @cost"


def _quoted(text: str) -> str:
    return json.dumps(" ".join(text.split()), ensure_ascii=False)

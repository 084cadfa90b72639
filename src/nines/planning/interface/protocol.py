"""The operations as messages and methods of proto3, for services that ask each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from nines.checkers.contracts.numbers import numbered
from nines.model.blueprint import OF_ACCOUNTS, Action
from nines.model.design import Design, PlannedEndpoint
from nines.model.design.protocol import (
    Numbers,
    PlannedEnumeration,
    PlannedMember,
    PlannedMessage,
    PlannedProtocol,
    PlannedRpc,
    PlannedValue,
    value_prefix,
)
from nines.planning.data.names import plural, snake, words

GRPC = "grpc"
EMPTY = "google.protobuf.Empty"
TIMESTAMP = "google.protobuf.Timestamp"
_REFERENCE = "#/components/schemas/"
_SPARSE = "fields"
"""Of lists over HTTP: a message has all its members anyway."""
_FORMATS = {"date-time": TIMESTAMP, "int32": "int32"}
_PLAIN = {"integer": "int64", "number": "double", "boolean": "bool", "string": "string"}
_SAYS = {
    "date": "A day as RFC 3339 has it, without a time.",
    "decimal": "Digits, because floating point would change them.",
}

Schema = dict[str, Any]


def protocol(design: Design) -> Design:
    """The design with its protocol, where the blueprint asks for one; nobody else signs in for people."""
    if GRPC not in design.card.interfaces:
        return design
    served = [each for each in design.endpoints if each.action not in OF_ACCOUNTS]
    return replace(design, protocol=numbered(_Making(design).protocol(served), Numbers())) if served else design


def pascal(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in words(name))


class _Making:
    """One protocol while it is made."""

    def __init__(self, design: Design) -> None:
        self.design = design
        self.messages: dict[str, PlannedMessage] = {}
        self.enumerations: dict[tuple[str, str, tuple[str, ...]], PlannedEnumeration] = {}
        self.sent: set[str] = set()
        """Shapes that callers send."""

    def protocol(self, endpoints: list[PlannedEndpoint]) -> PlannedProtocol:
        for endpoint in endpoints:
            self.sent |= set(self._reached(endpoint.request))
        # Whole things first, so that enumerations are called after them.
        for endpoint in endpoints:
            if endpoint.action is not Action.LIST and endpoint.success and endpoint.success.shape:
                self._message(endpoint.success.shape)
        rpcs = tuple(self._rpc(endpoint) for endpoint in endpoints)
        card = self.design.card
        return PlannedProtocol(
            package=f"{snake(card.name)}.{card.api}",
            service=f"{pascal(card.name)}Service",
            messages=tuple(self.messages[name] for name in sorted(self.messages)),
            enumerations=tuple(sorted(self.enumerations.values(), key=lambda each: each.name)),
            rpcs=rpcs,
        )

    def _reached(self, shape: str) -> Iterator[str]:
        waiting, found = [shape] if shape else [], set[str]()
        while waiting:
            name = waiting.pop()
            known = self.design.shape(name)
            if known is not None and name not in found:
                found.add(name)
                waiting += _references(known.schema)
        yield from found

    def _rpc(self, endpoint: PlannedEndpoint) -> PlannedRpc:
        name = pascal(endpoint.id)
        path = [each for each in endpoint.parameters if each.location == "path"]
        members = [
            replace(self._member(name, endpoint.resource, each.name, each.schema, is_sent=False), is_required=True)
            for each in path
        ]
        found = PlannedRpc(
            name=name,
            operation=endpoint.id,
            request=self._free(f"{name}Request"),
            reply=self._reply(endpoint),
            path=tuple(each.name for each in members),
            says=endpoint.summary,
        )
        if endpoint.action is Action.LIST:
            found = replace(found, items=self.messages[found.reply].members[0].name)
            members += self._asked(endpoint, name)
        elif endpoint.request and endpoint.action in (Action.CREATE, Action.UPDATE):
            body = snake(endpoint.resource)
            says = "What is left out of it stays." if endpoint.action is Action.UPDATE else ""
            kind = self._message(endpoint.request)
            members.append(PlannedMember(name=body, type=kind, is_required=True, says=says))
            found = replace(found, body=body)
            if endpoint.action is Action.UPDATE:
                says = f"The members of `{body}` that change; one that is named and not set is taken away."
                members.append(PlannedMember(name="update_mask", type="google.protobuf.FieldMask", says=says))
                found = replace(found, mask="update_mask")
        elif endpoint.request:
            members += self._flat(endpoint, {each.name for each in members})
            found = replace(found, body="*")
        self.messages[found.request] = PlannedMessage(name=found.request, members=tuple(members))
        return found

    def _free(self, name: str) -> str:
        """A body of the same name gives its members to the request and has no message of its own."""
        return name if name not in self.messages else f"{name}Message"

    def _flat(self, endpoint: PlannedEndpoint, taken: set[str]) -> Iterator[PlannedMember]:
        shape = self.design.shape(endpoint.request)
        for each in self._members(endpoint.request, endpoint.resource, shape.schema if shape else {}, is_sent=True):
            if each.name in taken:
                raise AssertionError(f"{endpoint.id} takes {each.name} twice")
            yield each

    def _asked(self, endpoint: PlannedEndpoint, name: str) -> Iterator[PlannedMember]:
        for each in endpoint.parameters:
            if each.location != "query" or each.name == _SPARSE:
                continue
            if each.name == "page_size":
                most, usual = each.schema.get("maximum"), each.schema.get("default")
                yield PlannedMember(name="page_size", type="int32", says=f"At most {most}; {usual} where it is 0.")
            elif each.name == "cursor":
                says = "The next_page_token of the page before, with the same filters."
                yield PlannedMember(name="page_token", type="string", says=says)
            else:
                member = self._member(name, endpoint.resource, each.name, each.schema, is_sent=True)
                yield replace(member, is_required=each.is_required, says=each.says)

    def _reply(self, endpoint: PlannedEndpoint) -> str:
        success = endpoint.success
        if success is None or not success.shape:
            return EMPTY
        if endpoint.action is not Action.LIST:
            return self._message(success.shape)
        item = self._item(success.shape)
        name = f"{pascal(endpoint.id)}Response"
        members = (
            PlannedMember(name=snake(plural(snake(endpoint.resource))), type=item, is_repeated=True),
            PlannedMember(name="next_page_token", type="string", says="Empty: there is no next page."),
        )
        self.messages[name] = PlannedMessage(name=name, members=members)
        return name

    def _item(self, page: str) -> str:
        """What a page holds; whole, where over HTTP some members may be left out."""
        shape = self.design.shape(page)
        name = next(_references(shape.schema["properties"]["items"] if shape else {}))
        whole = name.removesuffix("Item")
        return self._message(whole if self.design.shape(whole) else name)

    def _message(self, name: str) -> str:
        """The name of the message of a shape; it is made where nobody asked for it before."""
        shape = self.design.shape(name)
        if name not in self.messages and shape is not None:
            self.messages[name] = PlannedMessage(name=name)
            base = shape.resource or name.removesuffix("Input")
            members = tuple(self._members(name, base, shape.schema, is_sent=name in self.sent))
            says = str(shape.schema.get("description", ""))
            self.messages[name] = PlannedMessage(name=name, members=members, says=says)
        return name

    def _members(self, of: str, base: str, schema: Schema, *, is_sent: bool) -> Iterator[PlannedMember]:
        required = set(schema.get("required", ()))
        for name, each in schema.get("properties", {}).items():
            found = self._member(of, base, name, each, is_sent=is_sent)
            is_there = name in required
            if is_sent:
                yield replace(found, is_required=is_there)
            else:
                is_plain = found.is_repeated or found.type[:1].isupper() or found.type.startswith("google.")
                yield replace(found, is_optional=not is_plain and (found.is_optional or not is_there))

    def _member(self, of: str, base: str, name: str, schema: Schema, *, is_sent: bool) -> PlannedMember:
        """What callers send tells whether it was set, so that nothing is missed in silence."""
        bare, is_nullable = _bare(schema)
        says = str(schema.get("description") or bare.get("description") or _SAYS.get(str(bare.get("format")), ""))
        is_repeated = bare.get("type") == "array"
        kind = self._type(of, base, name, bare["items"] if is_repeated else bare)
        is_message = kind in self.messages or kind.startswith("google.")
        return PlannedMember(
            name=name,
            type=kind,
            is_repeated=is_repeated,
            is_optional=not is_repeated and not is_message and (is_sent or is_nullable),
            says=says,
        )

    def _type(self, of: str, base: str, name: str, schema: Schema) -> str:
        bare, _ = _bare(schema)
        reference = str(bare.get("$ref", ""))
        if reference:
            return self._message(reference.removeprefix(_REFERENCE))
        if "enum" in bare and bare.get("type") == "string":
            return self._enumeration(base or of, name, tuple(str(each) for each in bare["enum"] if each is not None))
        if bare.get("contentEncoding") == "base64":
            return "bytes"
        if bare.get("type") == "object" and bare.get("properties"):
            inner = f"{of}{pascal(name)}"
            members = tuple(self._members(inner, base, bare, is_sent=of in self.sent))
            self.messages[inner] = PlannedMessage(name=inner, members=members)
            return inner
        if bare.get("type") == "object":
            return "google.protobuf.Struct"
        return _FORMATS.get(str(bare.get("format")), _PLAIN.get(str(bare.get("type")), "string"))

    def _enumeration(self, base: str, name: str, texts: tuple[str, ...]) -> str:
        key = (base, name, texts)
        if key not in self.enumerations:
            called = f"{pascal(base)}{pascal(name)}"
            taken = {each.name for each in self.enumerations.values()} | set(self.messages)
            while called in taken:
                called += "Choice"
            self.enumerations[key] = PlannedEnumeration(name=called, values=tuple(_values(called, texts)))
        return self.enumerations[key].name


def _values(name: str, texts: tuple[str, ...]) -> Iterator[PlannedValue]:
    taken = {"UNSPECIFIED"}
    for number, text in enumerate(texts, 1):
        plain = snake(text).upper() or f"VALUE_{number}"
        while plain in taken:
            plain += "_"
        taken.add(plain)
        yield PlannedValue(name=value_prefix(name) + plain, text=text)


def _bare(schema: Schema) -> tuple[Schema, bool]:
    """Without null, and whether it may be null."""
    for each in schema.get("anyOf", ()):
        if each != {"type": "null"}:
            return each, True
    kind = schema.get("type")
    if isinstance(kind, list):
        return schema | {"type": next(each for each in kind if each != "null")}, "null" in kind
    return schema, False


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        target = schema.get("$ref")
        if isinstance(target, str) and target.startswith(_REFERENCE):
            yield target.removeprefix(_REFERENCE)
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)

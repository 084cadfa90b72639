"""Shapes of the contract as messages of proto3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from nines.model.design.interface import Shape
from nines.model.design.naming import WORD
from nines.model.design.protocol import (
    PlannedEnumeration,
    PlannedMember,
    PlannedMessage,
    PlannedValue,
    value_prefix,
)

TIMESTAMP = "google.protobuf.Timestamp"
STRUCT = "google.protobuf.Struct"
_REFERENCE = "#/components/schemas/"
_FORMATS = {"date-time": TIMESTAMP, "int32": "int32"}
_PLAIN = {"integer": "int64", "number": "double", "boolean": "bool", "string": "string"}
_SAYS = {
    "date": "A day as RFC 3339 has it, without a time.",
    "decimal": "Digits, because floating point would change them.",
}

Schema = dict[str, Any]


def pascal(name: str) -> str:
    return "".join(word[:1].upper() + word[1:].lower() for word in WORD.findall(name))


class Shaping:
    """Makes messages of shapes, each once, and enumerations on the way."""

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self.messages: dict[str, PlannedMessage] = {}
        self.enumerations: dict[tuple[str, str, tuple[str, ...]], PlannedEnumeration] = {}
        self._shapes = shapes
        self._sent: set[str] = set()

    def send(self, shape: str) -> None:
        """Callers send it, with all that it consists of: then every member tells whether it was set."""
        waiting = [shape] if shape else []
        while waiting:
            name = waiting.pop()
            known = self._shapes.get(name)
            if known is not None and name not in self._sent:
                self._sent.add(name)
                waiting += references(known.schema)

    def message(self, name: str) -> str:
        """The name of the message of a shape; it is made where nobody asked for it before."""
        shape = self._shapes.get(name)
        if name not in self.messages and shape is not None:
            self.messages[name] = PlannedMessage(name=name)
            base = shape.resource or name.removesuffix("Input")
            members = tuple(self.members(name, base, shape.schema, is_sent=name in self._sent))
            says = str(shape.schema.get("description", ""))
            self.messages[name] = PlannedMessage(name=name, members=members, says=says)
        return name

    def members(self, of: str, base: str, schema: Schema, *, is_sent: bool) -> Iterator[PlannedMember]:
        required = set(schema.get("required", ()))
        for name, each in schema.get("properties", {}).items():
            found = self.member(of, base, name, each, is_sent=is_sent)
            is_there = name in required
            if is_sent:
                yield replace(found, is_required=is_there)
            else:
                is_plain = found.is_repeated or found.type[:1].isupper() or found.type.startswith("google.")
                yield replace(found, is_optional=not is_plain and (found.is_optional or not is_there))

    def member(self, of: str, base: str, name: str, schema: Schema, *, is_sent: bool) -> PlannedMember:
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
            return self.message(reference.removeprefix(_REFERENCE))
        if "enum" in bare and bare.get("type") == "string":
            return self._enumeration(base or of, name, tuple(str(each) for each in bare["enum"] if each is not None))
        if bare.get("contentEncoding") == "base64":
            return "bytes"
        if bare.get("type") == "object" and bare.get("properties"):
            inner = f"{of}{pascal(name)}"
            members = tuple(self.members(inner, base, bare, is_sent=of in self._sent))
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
        plain = "_".join(WORD.findall(text)).upper() or f"VALUE_{number}"
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


def references(schema: Any) -> Iterator[str]:
    """The names of the shapes that a schema refers to."""
    if isinstance(schema, dict):
        target = schema.get("$ref")
        if isinstance(target, str) and target.startswith(_REFERENCE):
            yield target.removeprefix(_REFERENCE)
        for value in schema.values():
            yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)

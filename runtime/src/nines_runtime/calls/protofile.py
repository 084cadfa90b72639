"""The part of proto3 that typed calls need, read at the start: messages, enumerations and unary services, so that
nothing has to be compiled to call or to be called."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

BYTES_MAX = 1_000_000
FIELDS_MAX = 5_000
_TOKEN = re.compile(
    r'"(?:[^"\\\n]|\\.)*"|[A-Za-z_][\w.]*|-?\d+|\.[A-Za-z_][\w.]*|[{}()\[\]=;,<>]|//[^\n]*|/\*.*?\*/|\S', re.DOTALL
)
_WORD = re.compile(r"\.?[A-Za-z_][\w.]*\Z")
SCALARS = ("string", "bytes", "bool", "int32", "int64", "uint32", "uint64", "double", "float")
KNOWN = {
    "google.protobuf.Timestamp": "google/protobuf/timestamp.proto",
    "google.protobuf.Struct": "google/protobuf/struct.proto",
    "google.protobuf.Empty": "google/protobuf/empty.proto",
    "google.protobuf.FieldMask": "google/protobuf/field_mask.proto",
}
"""Messages of protobuf itself that may be used, and where they are imported from."""


class ProtoError(ValueError):
    """A text that is no proto3, or more of it than is understood here."""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    number: int
    type: str
    """One of SCALARS or KNOWN, or a message or an enumeration of the same file."""
    is_repeated: bool = False
    is_optional: bool = False
    """It tells whether it was set."""


class Message(msgspec.Struct, frozen=True):
    name: str
    fields: tuple[Field, ...] = ()


class Enumeration(msgspec.Struct, frozen=True):
    name: str
    values: tuple[tuple[str, int], ...] = ()


class Rpc(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    service: str
    """With its package: "bookings.v1.BookingsService"."""
    request: str
    reply: str

    @property
    def path(self) -> str:
        """What goes over the wire."""
        return f"/{self.service}/{self.name}"


class ProtoFile(msgspec.Struct, frozen=True, kw_only=True):
    package: str
    messages: tuple[Message, ...] = ()
    enumerations: tuple[Enumeration, ...] = ()
    rpcs: tuple[Rpc, ...] = ()


def parse(text: str) -> ProtoFile:
    """Raises ProtoError for what is not understood: a stream, a oneof, a map, a message within another."""
    if len(text) > BYTES_MAX:
        raise ProtoError(f"A proto file has at most {BYTES_MAX:,} characters.")
    return _Parser(text).file()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, int]] = []
        line, at = 1, 0
        for found in _TOKEN.finditer(text):
            line += text.count("\n", at, found.start())
            at = found.start()
            if not found[0].startswith(("//", "/*")):
                self._tokens.append((found[0], line))
        self._at = 0
        self._messages: dict[str, Message] = {}
        self._enumerations: dict[str, Enumeration] = {}
        self._rpcs: list[Rpc] = []
        self._package = ""

    def file(self) -> ProtoFile:
        self._take("syntax", "=", '"proto3"', ";")
        parts: dict[str, Callable[[], None]] = {
            "package": self._named, "import": self._skip, "option": self._skip, "message": self._message,
            "enum": self._enumeration, "service": self._service, ";": lambda: None,
        }  # fmt: skip
        while self._at < len(self._tokens):
            word = self._next()
            if word not in parts:
                raise self._error(f"{word!r} is not understood here")
            parts[word]()
        found = ProtoFile(
            package=self._package,
            messages=tuple(self._messages.values()),
            enumerations=tuple(self._enumerations.values()),
            rpcs=tuple(self._rpcs),
        )
        _check(found)
        return found

    def _named(self) -> None:
        self._package = self._word()
        self._take(";")

    def _skip(self) -> None:
        while self._next() != ";":
            pass

    def _message(self) -> None:
        name = self._word()
        self._take("{")
        fields: list[Field] = []
        while (word := self._next()) != "}":
            if word in ("message", "enum", "oneof", "map", "extensions", "group"):
                raise self._error(f"{word!r} within a message is not understood")
            if word in ("reserved", "option"):
                self._skip()
            elif word != ";":
                fields.append(self._field(word))
        if len({each.name for each in fields} | {str(each.number) for each in fields}) != 2 * len(fields):
            raise self._error(f"two fields of {name} share a name or a number")
        if len(fields) > FIELDS_MAX or name in self._messages:
            raise self._error(f"{name} is there twice, or has too many fields")
        self._messages[name] = Message(name, tuple(fields))

    def _field(self, word: str) -> Field:
        label = word if word in ("repeated", "optional") else ""
        kind = self._word() if label else word
        if not _WORD.match(kind):
            raise self._error(f"{kind!r} is no type")
        name = self._word()
        self._take("=")
        number = self._number()
        self._options()
        return Field(
            name=name,
            number=number,
            type=kind.removeprefix("."),
            is_repeated=label == "repeated",
            is_optional=label == "optional",
        )

    def _options(self) -> None:
        """[deprecated = true] and the like say nothing about the wire."""
        if self._peek() == "[":
            while self._next() != "]":
                pass
        self._take(";")

    def _enumeration(self) -> None:
        name = self._word()
        self._take("{")
        values: list[tuple[str, int]] = []
        while (word := self._next()) != "}":
            if word in ("reserved", "option"):
                self._skip()
            elif word != ";":
                self._take("=")
                values.append((word, self._number()))
                self._options()
        if not values or values[0][1] != 0 or name in self._enumerations or name in self._messages:
            raise self._error(f"{name} is there twice, or does not begin with 0")
        self._enumerations[name] = Enumeration(name, tuple(values))

    def _service(self) -> None:
        name = self._word()
        service = f"{self._package}.{name}" if self._package else name
        self._take("{")
        while (word := self._next()) != "}":
            if word == "option":
                self._skip()
                continue
            if word == ";":
                continue
            if word != "rpc":
                raise self._error(f"{word!r} within a service is not understood")
            rpc = self._word()
            request = self._kind()
            self._take("returns")
            self._rpcs.append(Rpc(name=rpc, service=service, request=request, reply=self._kind()))
            if self._peek() == "{":
                while self._next() != "}":
                    pass
            else:
                self._take(";")

    def _kind(self) -> str:
        self._take("(")
        kind = self._word()
        if kind == "stream":
            raise self._error("streams are not understood")
        self._take(")")
        return kind.removeprefix(".")

    def _peek(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise ProtoError("The proto file ends in the middle of something.")
        self._at += 1
        return self._tokens[self._at - 1][0]

    def _word(self) -> str:
        word = self._next()
        if not _WORD.match(word):
            raise self._error(f"{word!r} is no name")
        return word

    def _number(self) -> int:
        word = self._next()
        if not word.isdigit() or int(word) >= 2**29:
            raise self._error(f"{word!r} is no number of a field")
        return int(word)

    def _take(self, *words: str) -> None:
        for word in words:
            if (found := self._next()) != word:
                raise self._error(f"{word!r} was expected instead of {found!r}")

    def _error(self, says: str) -> ProtoError:
        return ProtoError(f"Line {self._tokens[self._at - 1][1]}: {says}.")


def _check(file: ProtoFile) -> None:
    """Every type that is used is there."""
    messages = {each.name for each in file.messages} | set(KNOWN)
    types = messages | {each.name for each in file.enumerations} | set(SCALARS)
    wrong = [f"{each.name}.{field.name}" for each in file.messages for field in each.fields if field.type not in types]
    wrong += [each.name for each in file.rpcs if not {each.request, each.reply} <= messages]
    if wrong:
        raise ProtoError(f"The type of {wrong[0]} is not in the file, or is one that is not understood.")

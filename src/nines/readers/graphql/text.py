"""The text of a schema (GraphQL SDL, October 2021), as far as it says what may be asked.

Directives are read over, and so is whatever is unknown between two definitions."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from nines.model.errors import SourceError
from nines.model.graph import GraphArgument, GraphField, GraphKind, GraphRef, GraphSchema, GraphType

TEXT_BYTES_MAX = 16 * 1024 * 1024
NESTING_MAX = 64
_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|#[^\n]*|[_A-Za-z][_0-9A-Za-z]*|-?[0-9][0-9.eE+-]*|\.\.\.|[^\s,\ufeff]',
    re.DOTALL,
)
_OPENING, _CLOSING = "([{", ")]}"
_BUILT_IN = ("Int", "Float", "String", "Boolean", "ID")
_KINDS = {
    "type": GraphKind.OBJECT,
    "interface": GraphKind.INTERFACE,
    "union": GraphKind.UNION,
    "enum": GraphKind.ENUM,
    "input": GraphKind.INPUT,
    "scalar": GraphKind.SCALAR,
}


def read_text(text: bytes, source: str) -> GraphSchema:
    """Raises SourceError where it is no schema."""
    if len(text) > TEXT_BYTES_MAX:
        raise SourceError(f"this schema is larger than {TEXT_BYTES_MAX} bytes", where=source)
    reading = _Reading(_tokens(text.decode("utf-8", "replace")), source)
    schema = reading.whole()
    if not schema.queries and not schema.mutations:
        raise SourceError("this is no schema of a graph: nothing can be asked of it", where=source)
    return schema


def _tokens(text: str) -> list[str]:
    return [found for found in _TOKEN.findall(text) if not found.startswith("#")]


class _Reading:
    """One pass over the tokens of a text."""

    def __init__(self, tokens: list[str], source: str) -> None:
        self._tokens = tokens
        self._source = source
        self._at = 0
        self._types = {name: GraphType(name=name, kind=GraphKind.SCALAR) for name in _BUILT_IN}
        self._roots = {"query": "Query", "mutation": "Mutation"}
        self._implements: dict[str, list[str]] = {}

    def whole(self) -> GraphSchema:
        while self._at < len(self._tokens):
            word = self._next()
            if word == "extend":
                word = self._next()
            if word == "schema":
                self._schema()
            elif word in _KINDS and self._peek(0).isidentifier():
                self._add(self._type(_KINDS[word], self._next()))
        for name, members in self._implements.items():
            known = self._types.get(name)
            if known is not None:
                self._types[name] = msgspec.structs.replace(known, members=tuple(members))
        named = (self._roots["query"], self._roots["mutation"])
        query, mutation = (name if name in self._types else "" for name in named)
        return GraphSchema(types=self._types, query=query, mutation=mutation)

    def _add(self, found: GraphType) -> None:
        known = self._types.get(found.name)
        if known is not None and known.kind is found.kind:
            found = msgspec.structs.replace(
                known,
                fields=known.fields + found.fields,
                inputs=known.inputs + found.inputs,
                values=known.values + found.values,
                members=known.members + found.members,
            )
        self._types[found.name] = found

    def _schema(self) -> None:
        self._directives()
        if self._peek(0) != "{":
            return
        self._next()
        while self._peek(0) not in ("}", ""):
            root = self._next()
            if self._peek(0) == ":":
                self._next()
                self._roots[root] = self._next()

    def _type(self, kind: GraphKind, name: str) -> GraphType:
        if self._peek(0) == "implements":
            self._next()
            while self._peek(0).isidentifier() or self._peek(0) == "&":
                each = self._next()
                if each != "&" and kind is GraphKind.OBJECT:
                    self._implements.setdefault(each, []).append(name)
        self._directives()
        if kind is GraphKind.UNION and self._peek(0) == "=":
            return GraphType(name=name, kind=kind, members=tuple(self._members()))
        if self._peek(0) != "{" or kind in (GraphKind.SCALAR, GraphKind.UNION):
            return GraphType(name=name, kind=kind)
        self._next()
        if kind is GraphKind.ENUM:
            found = GraphType(name=name, kind=kind, values=tuple(self._values()))
        elif kind is GraphKind.INPUT:
            found = GraphType(name=name, kind=kind, inputs=tuple(self._arguments("}")))
        else:
            found = GraphType(name=name, kind=kind, fields=tuple(self._fields()))
        self._expect("}")
        return found

    def _members(self) -> Iterator[str]:
        self._next()
        while True:
            if self._peek(0) == "|":
                self._next()
            yield self._next()
            if self._peek(0) != "|":
                return

    def _values(self) -> Iterator[str]:
        while self._peek(0) not in ("}", ""):
            self._description()
            name = self._next()
            if not self._directives():
                # What is deprecated is not sent any more.
                yield name

    def _fields(self) -> Iterator[GraphField]:
        while self._peek(0) not in ("}", ""):
            says = self._description()
            name = self._next()
            arguments: tuple[GraphArgument, ...] = ()
            if self._peek(0) == "(":
                self._next()
                arguments = tuple(self._arguments(")"))
                self._expect(")")
            self._expect(":")
            type = self._ref()
            is_deprecated = self._directives()
            yield GraphField(name=name, type=type, arguments=arguments, is_deprecated=is_deprecated, says=says)

    def _arguments(self, end: str) -> Iterator[GraphArgument]:
        while self._peek(0) not in (end, ""):
            self._description()
            name = self._next()
            self._expect(":")
            type = self._ref()
            has_default = self._peek(0) == "="
            if has_default:
                self._next()
                has_default = self._peek(0) != "null"
                self._value()
            self._directives()
            yield GraphArgument(name=name, type=type, has_default=has_default)

    def _ref(self, depth: int = 0) -> GraphRef:
        if depth > NESTING_MAX:
            raise self._wrong("a type is nested too deep")
        word = self._next()
        if word == "[":
            inner = self._ref(depth + 1)
            self._expect("]")
            found = GraphRef(name=inner.name, wraps="[" + inner.wraps)
        else:
            found = GraphRef(name=word)
        if self._peek(0) == "!":
            self._next()
            found = GraphRef(name=found.name, wraps="!" + found.wraps)
        return found

    def _directives(self) -> bool:
        """Reads over them; whether one of them says that something is deprecated."""
        is_deprecated = False
        while self._peek(0) == "@":
            self._next()
            is_deprecated |= self._next() == "deprecated"
            if self._peek(0) == "(":
                self._value()
        return is_deprecated

    def _value(self) -> None:
        """Reads over one value, whatever it holds."""
        depth = 0
        while True:
            word = self._next()
            depth += (word in _OPENING) - (word in _CLOSING)
            if depth <= 0:
                return

    def _description(self) -> str:
        if self._peek(0).startswith('"'):
            return self._next().strip('"').strip().partition("\n")[0]
        return ""

    def _expect(self, token: str) -> None:
        found = self._next()
        if found != token:
            raise self._wrong(f"{token!r} was expected, not {found[:40]!r}")

    def _peek(self, ahead: int) -> str:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else ""

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise self._wrong("it ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _wrong(self, why: str) -> SourceError:
        near = " ".join(self._tokens[max(0, self._at - 8) : self._at])
        return SourceError(f"this schema cannot be read: {why}", where=self._source, detail=f"after: {near[-120:]}")

"""What a document asks to be shown: enough to see whose an object is and what stands behind it, no more."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

from nines.lab.requests.shapes import words
from nines.model.graph import GraphField, GraphKind, GraphRef, GraphSchema, GraphType

LEAVES_MAX = 24
NESTED_MAX = 8
"""Members of one object that are asked for: plain ones, and objects behind it."""
WRAPPERS_MAX = 3
"""How many objects without an identifier are opened within one another: pages, edges, payloads, values."""
MEMBERS_MAX = 5
ROWS = 2
"""Of a list behind an object."""
_SIZES = frozenset(("first", "limit", "pagesize", "perpage", "size", "take", "top"))
_KEPT = frozenset(("id", "owner", "version", "name", "title", "message", "code", "ok", "success"))
_UNSHOWN = frozenset(("pageInfo", "page_info"))
_IDENTIFIERS = ("id", "ID", "pk", "uuid", "guid", "_id")
_PLUMBING = frozenset(("nodes", "edges", "items", "results", "node", "data", "list", "rows", "objects"))


class Reach(IntEnum):
    """How far behind an object is looked."""

    ITSELF = 0
    OBJECTS = 1
    """And single objects to which it refers."""
    LISTS = 2
    """And lists behind it."""


class Selecting:
    """Writes selections for the types of one schema."""

    def __init__(self, schema: GraphSchema) -> None:
        self._schema = schema

    def of(self, type: str, reach: Reach) -> str:
        """With braces; "" for what has no members."""
        found = self._schema.type(type)
        if found is None or found.kind in (GraphKind.SCALAR, GraphKind.ENUM):
            return ""
        return self._selection(found, reach, 0)

    def _selection(self, type: GraphType, reach: Reach, depth: int) -> str:
        if type.kind is GraphKind.UNION:
            parts = ["__typename", *self._members(type, reach, depth)]
        else:
            first = ["__typename"] if type.kind is GraphKind.INTERFACE else []
            parts = [*first, *self._leaves(type), *(text for _, text in self._nested(type, reach, depth))]
        return "{ " + (" ".join(parts) or "__typename") + " }"

    def _members(self, union: GraphType, reach: Reach, depth: int) -> Iterator[str]:
        """Members of a union may have fields of one name and other types, which one document must not ask for."""
        taken: dict[str, str] = {}
        for name in union.members[:MEMBERS_MAX]:
            member = self._schema.type(name)
            if member is None:
                continue
            types = {each.name: each.type.text for each in member.fields}
            nested = [(each, text) for each, text in self._nested(member, reach, depth + 1)]
            shown = [*((each, each) for each in self._leaves(member)), *nested]
            parts = [text for each, text in shown if taken.setdefault(each, types[each]) == types[each]]
            yield f"... on {name} {{ {' '.join(parts) or '__typename'} }}"

    def _leaves(self, type: GraphType) -> list[str]:
        """What names an object, and whose it is, must not be among those left out."""
        found = [each.name for each in type.fields if self._is_leaf(each) and not _is_demanding(each)]
        return sorted(found, key=lambda name: not (_KEPT & set(words(name))))[:LEAVES_MAX]

    def _nested(self, type: GraphType, reach: Reach, depth: int) -> Iterator[tuple[str, str]]:
        """Names of fields, and how they are asked for. Above the object that a field is about everything is opened."""
        is_inside = bool(self.identifier(type.name))
        names = {each.name for each in type.fields}
        shown = 0
        for each in type.fields:
            found = self._schema.type(each.type.name)
            if found is None or self._is_leaf(each) or _is_demanding(each) or each.name in _UNSHOWN:
                continue
            if shown >= NESTED_MAX or depth > WRAPPERS_MAX or (each.name == "edges" and "nodes" in names):
                continue
            inner = self._inner(each, found, reach, depth, is_inside=is_inside)
            if inner:
                shown += 1
                yield each.name, f"{each.name}{self._size(each) if is_inside else ''} {inner}"

    def _inner(self, field: GraphField, type: GraphType, reach: Reach, depth: int, *, is_inside: bool) -> str:
        """The selection of a field that is shown, "" for one that is not."""
        is_entity = bool(self.identifier(type.name)) or type.kind is GraphKind.UNION
        if not is_inside or not (is_entity or field.type.is_list or self.is_page(type)):
            return self._selection(type, reach, depth + 1)
        is_many = field.type.is_list or self.is_page(type)
        wanted = Reach.LISTS if is_many and (is_entity or self.is_page(type)) else Reach.OBJECTS
        return self._selection(type, Reach.ITSELF, depth + 1) if reach >= wanted else ""

    def is_page(self, type: GraphType) -> bool:
        """Whether it holds a part of a list, and nothing of its own."""
        names = {field.name for field in type.fields}
        return not self.identifier(type.name) and bool(names & {"edges", "nodes", "items", "results"})

    def identifier(self, type: str) -> str:
        """The field by which an object of this type is known, "" where it has none: it is a page, an edge, a value."""
        found = self._schema.type(type)
        for each in found.fields if found is not None else ():
            if each.name in _IDENTIFIERS and self._is_leaf(each):
                return each.name
        return ""

    def entity(self, ref: GraphRef, depth: int = 0) -> tuple[str, bool]:
        """The type with an identifier that stands behind a result, and whether there are many of it."""
        if self.identifier(ref.name):
            return ref.name, ref.is_list
        found = self._schema.type(ref.name)
        if found is None or depth > WRAPPERS_MAX:
            return "", ref.is_list
        if found.kind is GraphKind.UNION:
            inner = [GraphRef(name=name) for name in found.members[:MEMBERS_MAX]]
        else:
            wrapped = [each for each in found.fields if not _is_demanding(each)]
            inner = [each.type for each in sorted(wrapped, key=lambda each: each.name not in _PLUMBING)]
        for each in inner:
            name, is_many = self.entity(each, depth + 1)
            if name:
                return name, is_many or ref.is_list
        return "", ref.is_list

    def _is_leaf(self, field: GraphField) -> bool:
        found = self._schema.type(field.type.name)
        return found is None or found.kind in (GraphKind.SCALAR, GraphKind.ENUM)

    def _size(self, field: GraphField) -> str:
        name = size_argument(field)
        return f"({name}: {ROWS})" if name else ""


def size_argument(field: GraphField) -> str:
    """The argument that says how many are shown, "" where there is none."""
    return next((each.name for each in field.arguments if "".join(words(each.name)) in _SIZES), "")


def _is_demanding(field: GraphField) -> bool:
    return field.is_deprecated or any(argument.is_needed for argument in field.arguments)

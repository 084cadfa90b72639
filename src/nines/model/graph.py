"""What a graph (GraphQL) offers: the types of its schema, however they were learnt."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from nines.model.record import Record


class GraphKind(StrEnum):
    OBJECT = "object"
    INTERFACE = "interface"
    UNION = "union"
    ENUM = "enum"
    INPUT = "input"
    SCALAR = "scalar"


class GraphRef(Record):
    """A reference to a type: "[Trip!]!" is a required list of required trips."""

    name: str
    wraps: str = ""
    """How it is wrapped, from the outside: "!" for required, "[" for a list; "![!" for the example above."""

    @property
    def is_required(self) -> bool:
        return self.wraps.startswith("!")

    @property
    def is_list(self) -> bool:
        return self.wraps.startswith(("[", "!["))

    @property
    def item(self) -> GraphRef:
        """What a list holds."""
        return GraphRef(name=self.name, wraps=self.wraps.partition("[")[2])

    @property
    def text(self) -> str:
        """As it is written in a document."""
        if self.is_list:
            return f"[{self.item.text}]" + ("!" if self.is_required else "")
        return self.name + ("!" if self.is_required else "")


class GraphArgument(Record):
    """An argument of a field, or a field of an input type."""

    name: str
    type: GraphRef
    has_default: bool = False

    @property
    def is_needed(self) -> bool:
        return self.type.is_required and not self.has_default


class GraphField(Record):
    name: str
    type: GraphRef
    arguments: tuple[GraphArgument, ...] = ()
    is_deprecated: bool = False
    says: str = ""


class GraphType(Record):
    name: str
    kind: GraphKind
    fields: tuple[GraphField, ...] = ()
    """Of objects and interfaces."""
    inputs: tuple[GraphArgument, ...] = ()
    """Of inputs."""
    values: tuple[str, ...] = ()
    """Of enums."""
    members: tuple[str, ...] = ()
    """Of unions, and of interfaces where they are known."""

    def field(self, name: str) -> GraphField | None:
        return next((field for field in self.fields if field.name == name), None)


class GraphSchema(Record):
    """All types by their names, and the names of the two roots, "" where there is none."""

    types: dict[str, GraphType] = {}
    query: str = ""
    mutation: str = ""

    def type(self, name: str) -> GraphType | None:
        return self.types.get(name)

    @property
    def queries(self) -> tuple[GraphField, ...]:
        found = self.types.get(self.query)
        return found.fields if found else ()

    @property
    def mutations(self) -> tuple[GraphField, ...]:
        found = self.types.get(self.mutation)
        return found.fields if found else ()

    def objects(self) -> Iterator[GraphType]:
        """Those that a query may show, without the roots."""
        for each in self.types.values():
            if each.kind in (GraphKind.OBJECT, GraphKind.INTERFACE) and each.name not in (self.query, self.mutation):
                yield each

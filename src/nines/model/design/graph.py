"""How the objects of a service hang together for callers who ask for a graph of them: which are read by their
identifiers, which lead to others, and by which statements, one for each level."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nines.model.blueprint import Action, Field, FieldKind, Resource
from nines.model.design.data import PlannedQuery, PlannedTable
from nines.model.design.design import Design
from nines.model.design.interface import PlannedEndpoint
from nines.model.design.naming import WORD
from nines.model.record import Record

GRAPHQL = "graphql"
CHILDREN_FIRST = 10
"""How many of those that refer to an object are told where nobody says how many."""
PLAIN = {"string": "String", "boolean": "Boolean", "integer": "Int", "number": "Float", "object": "Json"}
"""Types of JSON Schema, as a graph calls them."""
SCALARS = {
    "DateTime": "RFC 3339 in UTC.",
    "Date": "RFC 3339, the day only.",
    "Decimal": "Digits as a string, because floating point would change them.",
    "Long": "A whole number that does not fit into Int, up to 2^53 - 1.",
    "Json": "A JSON object.",
}
TAKEN = frozenset({"Query", "Mutation", "Subscription", *SCALARS, *PLAIN.values(), "ID"})
"""What no type of a blueprint may be called in a graph."""


class PlannedLoad(Record):
    """Objects of a resource, several by their identifiers, as the operation shows them that reads one."""

    resource: str
    endpoint: str
    query: str


class PlannedLink(Record):
    """A field that leads from an object to others."""

    resource: str
    name: str
    """Snake case: "account", "order_lines"."""
    member: str
    """Of the body, what holds the identifier or the list of them: "account_id"; of children "id"."""
    target: str
    endpoint: str
    """Reads the target; of children it lists them."""
    query: str
    column: str = ""
    """Of children, the column of the target that refers to this."""
    is_list: bool = False
    first: int = 0
    """Of children: how many where nobody says."""
    first_max: int = 0

    @property
    def is_children(self) -> bool:
        """Those that refer to this one, rather than those to which this one refers."""
        return bool(self.column)


def type_name(shape: str) -> str:
    """What the objects of a shape are called in a graph."""
    return f"{shape}Object" if shape in TAKEN else shape


def field_name(member: str) -> str:
    """What a member of a body is called in a graph. A digit keeps its underscore: line_1 and line1 stay two names."""
    return re.sub(r"[_-]([a-z])", lambda found: found[1].upper(), member[:1].lower() + member[1:])


def has_graph(design: Design) -> bool:
    return GRAPHQL in design.card.interfaces


def by_id(table: PlannedTable) -> str:
    """What the statement is called that reads several rows of a table."""
    return f"read-{table.name.replace('_', '-')}-by-id"


def of_each(table: PlannedTable, field: Field) -> str:
    """What the statement is called that reads the rows of a table which refer to each of several objects."""
    return f"read-{table.name.replace('_', '-')}-of-each-{_snake(field.name).replace('_', '-')}"


def loads(design: Design) -> tuple[PlannedLoad, ...]:
    """Every resource of which one is read by an operation, where the service has a graph."""
    found: dict[str, PlannedLoad] = {}
    for endpoint in design.endpoints if has_graph(design) else ():
        table = design.table_of(endpoint.resource) if endpoint.action is Action.READ else None
        query = _query(design, endpoint, by_id(table)) if table else None
        if query is not None and endpoint.resource not in found:
            found[endpoint.resource] = PlannedLoad(resource=endpoint.resource, endpoint=endpoint.id, query=query.id)
    return tuple(found.values())


def links(design: Design) -> tuple[PlannedLink, ...]:
    """References first; a name that a body has already is given to no link."""
    blueprint = design.blueprint
    if blueprint is None or not has_graph(design):
        return ()
    by_resource = {each.resource: each for each in loads(design)}
    found: dict[tuple[str, str], PlannedLink] = {}
    # What no operation answers with has no type that could lead anywhere.
    answered = {each.resource for each in design.endpoints if each.action is not Action.DELETE}
    for resource in blueprint.resources:
        for field in resource.fields if resource.name in answered else ():
            load = by_resource.get(field.of) if field.kind is FieldKind.REFERENCE else None
            if load is not None and not field.is_encrypted:
                link = _reference(resource, field, load)
                found.setdefault((link.resource, link.name), link)
    for link in _children(design):
        found.setdefault((link.resource, link.name), link)
    return tuple(each for each in found.values() if each.name not in _members(design, each.resource))


def children_fields(resource: Resource, filters: tuple[str, ...]) -> Iterator[Field]:
    """The references by which a list is asked for what refers to one object."""
    for field in resource.fields:
        is_single = field.kind is FieldKind.REFERENCE and not field.is_list and not field.is_encrypted
        if is_single and {field.name, f"{field.name}_id"} & set(filters):
            yield field


def _reference(resource: Resource, field: Field, load: PlannedLoad) -> PlannedLink:
    name = _snake(field.name)
    base = name.removesuffix("_ids").removesuffix("_id")
    return PlannedLink(
        resource=resource.name,
        name=base if not field.is_list or base.endswith("s") else f"{base}s",
        member=member_of(field),
        target=field.of,
        endpoint=load.endpoint,
        query=load.query,
        is_list=field.is_list,
    )


def member_of(field: Field) -> str:
    """What a reference is called in a body."""
    name = _snake(field.name)
    if name.endswith(("_id", "_ids")):
        return name
    if not field.is_list:
        return f"{name}_id"
    one = f"{name.removesuffix('ies')}y" if name.endswith("ies") else name.removesuffix("s")
    return f"{one}_ids"


def _children(design: Design) -> Iterator[PlannedLink]:
    blueprint = design.blueprint
    for endpoint in design.endpoints:
        operation = blueprint.operation(endpoint.id) if blueprint else None
        resource = blueprint.resource(endpoint.resource) if blueprint else None
        table = design.table_of(endpoint.resource)
        if endpoint.action is not Action.LIST or operation is None or resource is None or table is None:
            continue
        for field in children_fields(resource, operation.filters):
            query = _query(design, endpoint, of_each(table, field))
            column = next((each for each in query.parameters if each.endswith("[]")), "") if query else ""
            if query is not None and column:
                most = endpoint.page.max if endpoint.page else CHILDREN_FIRST
                yield PlannedLink(
                    resource=field.of,
                    name=table.name,
                    member="id",
                    target=resource.name,
                    endpoint=endpoint.id,
                    query=query.id,
                    column=column.removesuffix("[]"),
                    is_list=True,
                    first=min(CHILDREN_FIRST, most),
                    first_max=most,
                )


def _members(design: Design, resource: str) -> frozenset[str]:
    shape = design.shape(resource)
    return frozenset(shape.schema.get("properties", ()) if shape else ())


def _query(design: Design, endpoint: PlannedEndpoint, base: str) -> PlannedQuery | None:
    return next((each for each in design.queries if each.base == base and endpoint.id in each.used_by), None)


def _snake(name: str) -> str:
    return "_".join(word.lower() for word in WORD.findall(name))

"""Lists that have a table of their own: written with their object, and written anew when they change."""

from __future__ import annotations

from nines.building import names, python
from nines.building.resources import shapes, values
from nines.building.resources.code import Module
from nines.model.blueprint import Field, FieldKind
from nines.model.design import PlannedEndpoint, PlannedQuery


def identifiers(module: Module, field: Field, body: str) -> str:
    """The identifiers that a list of references holds."""
    target = module.thing.blueprint.resource(field.of)
    if target is None or not target.identifier.prefix:
        return body
    module.runtime("as_identifier")
    return f"[as_identifier(each, {python.quoted(target.identifier.prefix)}) for each in {body}]"


def insert(module: Module, endpoint: PlannedEndpoint, *, id: str, body: str) -> None:
    for field in module.thing.lists():
        if not field.is_read_only:
            _insert(module, endpoint, field, id=id, body=body)


def rewrite(module: Module, endpoint: PlannedEndpoint, *, id: str, body: str) -> None:
    """Where the list is part of the change."""
    for field in module.thing.lists():
        if field.is_read_only:
            continue
        module.imports.add("msgspec", "UNSET")
        member = f"{body}.{values.attribute(shapes.member(field))}"
        with module.block(f"if {member} is not UNSET:"):
            base = f"delete-{_base(module, field)}"
            query = module.query(endpoint.id, base)
            module.put(module.send("tx.execute", query, dict.fromkeys(query.parameters, id)), before="await ")
            _insert(module, endpoint, field, id=id, body=body)


def _base(module: Module, field: Field) -> str:
    return f"{names.kebab(module.thing.resource.name)}-{names.kebab(field.name)}"


def _insert(module: Module, endpoint: PlannedEndpoint, field: Field, *, id: str, body: str) -> None:
    query = module.query(endpoint.id, f"insert-{_base(module, field)}")
    member = f"{body}.{values.attribute(shapes.member(field))}"
    given = {
        name: _array(module, query, field, name, member) if name.endswith("[]") else id for name in query.parameters
    }
    module.put(module.send("tx.execute", query, given), before="await ")


def _array(module: Module, query: PlannedQuery, field: Field, parameter: str, member: str) -> str:
    if field.kind is FieldKind.REFERENCE:
        return identifiers(module, field, member)
    column = parameter.removesuffix("[]")
    value = module.thing.blueprint.value_type(field.of)
    table = module.design.table(query.tables[0])
    for part in value.fields if value else ():
        if table is not None and shapes.list_column(table, field, part) == column:
            return f"[each.{values.attribute(part.name)} for each in {member}]"
    raise AssertionError(f"{query.id} has no part for {column}")

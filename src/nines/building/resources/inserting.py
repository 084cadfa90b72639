"""A new row: what it refers to is looked at, the owner decides, and every column gets its value."""

from __future__ import annotations

from collections.abc import Mapping

from nines.building import names, python
from nines.building.resources import hooks, keeping, lists, shapes, values
from nines.building.resources.code import Module
from nines.model.blueprint import Field, FieldKind, Operation
from nines.model.design import PlannedEndpoint


def insert(
    module: Module,
    endpoint: PlannedEndpoint,
    operation: Operation,
    more: Mapping[str, str] | None = None,
    remembered: python.Part | None = None,
) -> None:
    """Claims the key, sees what is referred to, lets the owner decide, and inserts the row with its lists."""
    thing = module.thing
    keeping.claim(module, endpoint)
    if operation.calls and endpoint.idempotency:
        module.runtime("Problem")
        with module.block("if claim.resource_id is not None:"):
            module.line('raise Problem("operation-pending")')
    for field in thing.resource.fields:
        refer(module, endpoint, field)
    hooked = hooks.is_hooked(operation)
    if hooked:
        hooks.draft(module, operation)
    query = module.query(endpoint.id, f"insert-{names.kebab(thing.resource.name)}")
    given = {
        column: new_value(module, column, is_hooked=hooked) for column in query.parameters if column not in (more or {})
    }
    if remembered is not None:
        module.put(remembered, before="remembered = ")
    module.imports.add("typing", "Any")
    module.put(module.send("tx.fetchrow", query, {**given, **(more or {})}), before="row: Any = await ")
    lists.insert(module, endpoint, id=module.id, body="body")


def new_value(module: Module, name: str, *, is_hooked: bool = False) -> str:
    """The value of a column of a new row."""
    thing = module.thing
    column = thing.table.column(name)
    if name == "id" or column is None:
        return module.id
    if is_hooked and not values.is_digest(thing, column):
        return hooks.decided(module, column)
    if name == thing.tenant:
        return module.tenant()
    if not column.member:
        return module.subject() if name == "owner_id" else values.blank(thing, column, module.imports)
    field = thing.field_of(column)
    if field is None or field.is_read_only:
        return values.blank(thing, column, module.imports)
    if is_hooked:
        return hooks.decided(module, column)
    return values.taken(thing, column, "body", module.id, module.imports)


def refer(module: Module, endpoint: PlannedEndpoint, field: Field, *, is_change: bool = False) -> None:
    """Whether the caller may refer to what it names."""
    thing = module.thing
    target = thing.blueprint.resource(field.of) if field.kind is FieldKind.REFERENCE else None
    if target is None:
        return
    noun = names.kebab(target.name)
    query = thing.query(endpoint.id, f"find-{noun}{'s' if field.is_list else ''}-referred-to")
    if query is None or field.is_read_only:
        return
    module.runtime("Problem")
    name = shapes.member(field)
    body = f"body.{values.attribute(name)}"
    value = lists.identifiers(module, field, body) if field.is_list else _reference(module, field, body)
    given = {**module.caller(), "id": value, "id[]": value}
    conditions = []
    if is_change:
        module.imports.add("msgspec", "UNSET")
        conditions.append(f"{body} is not UNSET")
    if field.is_optional and not field.is_list:
        conditions.append(f"{body} is not None")
    depth = module.depth
    if conditions:
        module.line(f"if {' and '.join(conditions)}:")
        module.depth += 1
    variable = f"seen_{names.snake(field.name)}"
    how = "tx.fetch" if field.is_list else "tx.fetchrow"
    module.put(module.send(how, query, given), before=f"{variable} = await ")
    test = f"len({variable}) < len(set({body}))" if field.is_list else f"{variable} is None"
    problem = f"There is no such {names.spoken(target.name)}, or it is not yours."
    with module.block(f"if {test}:"):
        errors = f"errors=(({python.quoted(f'/{name}')}, {python.quoted(problem)}),)"
        module.put(python.call("raise Problem", '"invalid-request"', errors))
    module.depth = depth


def _reference(module: Module, field: Field, body: str) -> str:
    target = module.thing.blueprint.resource(field.of)
    if target is None or not target.identifier.prefix:
        return body
    module.runtime("as_identifier")
    return f"as_identifier({body}, {python.quoted(target.identifier.prefix)})"

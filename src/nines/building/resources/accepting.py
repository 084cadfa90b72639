"""Creations that share their commits: the answer is made first, and given out when row and key are durable."""

from __future__ import annotations

from nines.building import names, python
from nines.building.resources import carrying, inserting, shapes, values
from nines.building.resources.code import Module
from nines.model.blueprint import Action, FieldKind
from nines.model.design import PlannedColumn, PlannedEndpoint


def grouped(module: Module) -> tuple[str, ...]:
    """The operations whose commits are shared: they insert one row and nothing else."""
    capacity = module.design.capacity
    wanted = capacity.grouped if capacity and capacity.is_grouped else ()
    return tuple(each for each in wanted if is_plain_insert(module, each))


def is_plain_insert(module: Module, name: str) -> bool:
    operation = module.thing.blueprint.operation(name)
    endpoint = module.design.endpoint(name)
    if (
        operation is None
        or endpoint is None
        or operation.do is not Action.CREATE
        or operation.on != module.thing.resource.name
    ):
        return False
    beside = operation.calls or operation.emits or operation.posts or operation.hook or operation.saga
    has_key = operation.idempotency is not None and operation.idempotency.is_required
    thing = module.thing
    sent = {query.base for query in thing.design.queries if name in query.used_by}
    own = {"claim-idempotency-key", "read-idempotency-key", "finish-idempotency-key"}
    return has_key and not beside and sent <= own | {f"insert-{names.kebab(thing.resource.name)}"}


def accepted_columns(module: Module) -> tuple[PlannedColumn, ...]:
    """What a row is given that shares its commit with others: whatever its answer shows, times included."""
    thing = module.thing
    query = next(q for q in thing.design.queries if q.base == f"insert-{names.kebab(thing.resource.name)}")
    wanted = {*query.parameters, "created_at", "updated_at"} - {thing.tenant}
    return tuple(column for column in thing.table.columns if column.name in wanted)


def accept(module: Module, endpoint: PlannedEndpoint) -> None:
    """Made before it is written, for many are written at once."""
    thing = module.thing
    module.runtime("new_id")
    module.imports.add("datetime", "UTC", "datetime")
    module.line(f"{module.id} = new_id()")
    module.line("now = datetime.now(UTC)")
    shape = module.design.shape(thing.shape)
    members = shape.schema["properties"] if shape else {}
    parts = [python.named(values.attribute(name), _shown(module, name)) for name in members]
    module.put(python.call(module.shape(thing.shape), *parts), before=f"{thing.noun} = ")
    made = carrying.shown_answer(module, endpoint)
    given = [_first_version(thing.table.column("version")) if str(p).startswith("version=") else p for p in made.parts]
    module.put(python.call("Answer.of", *given), before="answer = ")
    columns = python.row(*(_kept(module, column) for column in accepted_columns(module)))
    accept = python.call(
        f"await service.{names.snake(endpoint.id)}.accept",
        "call", "answer=answer", f"resource_id={thing.noun}.id", python.named("values", columns),
    )  # fmt: skip
    operation = thing.blueprint.operation(endpoint.id)
    if operation is None or carrying.is_last(module, operation):
        module.put(accept, before="return ")
    else:
        module.put(accept, before="answer = ")
        carrying.left(module, operation)


def _first_version(column: PlannedColumn | None) -> str:
    return f"version={column.default if column else 1}"


def _kept(module: Module, column: PlannedColumn) -> str:
    return "now" if column.name in ("created_at", "updated_at") else inserting.new_value(module, column.name)


def _shown(module: Module, name: str) -> python.Part:
    """A member of the answer, from what was sent."""
    thing = module.thing
    if name == "id":
        return carrying.shown_id(module) if thing.prefix else module.id
    if name in ("created_at", "updated_at"):
        return "now"
    field = next((each for each in thing.resource.fields if shapes.member(each) == name), None)
    if field is None:
        return python.quoted(thing.resource.states[0].name) if name == "status" else inserting.new_value(module, name)
    column = next(iter(thing.columns_of(field)), None)
    if field.is_read_only or column is None:
        return values.blank(thing, column, module.imports) if column else "[]"
    member = f"body.{values.attribute(name)}"
    if field.kind is FieldKind.VALUE:
        return _composite(module, field.of, member, is_optional=field.is_optional)
    if field.kind is FieldKind.EMAIL and not field.is_list:
        return f"{member} and {member}.lower()" if field.is_optional else f"{member}.lower()"
    return member


def _composite(module: Module, type: str, member: str, *, is_optional: bool) -> python.Part:
    value = module.thing.blueprint.value_type(type)
    given = [
        f"{values.attribute(part)}={member}.{values.attribute(part)}"
        for part in (names.snake(each.name) for each in (value.fields if value else ()))
    ]
    made = python.call(module.shape(type), *given)
    return f"None if {member} is None else {python.flat(made)}" if is_optional else made

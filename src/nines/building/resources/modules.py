"""`_generated/<table>.py`: the operations of one resource, each an explicit function."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nines.building import names, python
from nines.building.file import File
from nines.building.resources import asking, carrying, changing, custom, reading, sagas, settling
from nines.building.resources.code import Module
from nines.building.resources.facts import Thing, blueprint_of, operation_of, things
from nines.model.blueprint import Action, FieldKind, Operation
from nines.model.blueprint.operation import OF_ACCOUNTS
from nines.model.design import Design, PlannedEndpoint
from nines.model.errors import UsageError

_CHANGES: dict[Action, Callable[[Module, PlannedEndpoint, Operation], None]] = {
    Action.CREATE: changing.create,
    Action.UPDATE: changing.update,
    Action.DELETE: changing.remove,
    Action.TRANSITION: changing.move,
    Action.CUSTOM: custom.on_resource,
}


def write(design: Design) -> Iterator[File]:
    _are_apart(design)
    for thing in things(design):
        mine = [e for e in design.endpoints if e.resource == thing.resource.name and e.action not in OF_ACCOUNTS]
        if mine:
            path = names.source(design, f"_generated/{names.module_of(thing.table.name)}.py")
            yield File(path=path, text=_module(thing, mine))
    yield from custom.others(design)


def _are_apart(design: Design) -> None:
    """Tenants are kept apart by a column only: a service that does less than its blueprint says is worse than none."""
    tenancy = blueprint_of(design).tenancy
    if tenancy is not None and tenancy.isolation != "row":
        raise UsageError(
            f"a {tenancy.isolation} for each {tenancy.key}: that is not built",
            where="tenancy.isolation",
            hint="Use isolation: row, by which every statement names the tenant; or deploy the service once for each.",
        )


def _has_way(thing: Thing, endpoint: PlannedEndpoint, operation: Operation) -> None:
    """What no writer knows how to build is refused, rather than left out in silence."""
    where = f"operations.{operation.name}"
    is_read = endpoint.action is Action.CUSTOM and endpoint.is_safe and "{" in endpoint.path
    if operation.calls and (endpoint.action in (Action.READ, Action.LIST, Action.DELETE) or is_read):
        raise UsageError(
            f"{operation.name} {endpoint.action} and asks {', '.join(operation.calls)}: that is not built",
            where=where,
            hint="Ask in an operation of your own (do: custom) without an object, in a transition, or in a job.",
        )
    if thing.resource.identifier.kind in (FieldKind.INT32, FieldKind.INT64):
        raise UsageError(
            f"{thing.resource.name} is counted (id: {thing.resource.identifier.kind}): that is not built",
            where=f"resources.{thing.resource.name}.id",
            hint="Use uuid7, and a unique field such as `number: int64` where people are to say a number.",
        )


def _module(thing: Thing, endpoints: list[PlannedEndpoint]) -> str:
    module = Module(thing)
    body = module.lines
    asked = ((each, operation_of(thing.design, each)) for each in endpoints)
    module.asking = sum(operation is not None and asks_reserved(thing, each, operation) for each, operation in asked)
    constants: list[str] = []
    for endpoint in endpoints:
        module.gap()
        operation = operation_of(thing.design, endpoint)
        assert operation is not None
        _has_place(thing, endpoint)
        _has_way(thing, endpoint, operation)
        if operation.saga:
            sagas.start(module, endpoint, operation)
        elif endpoint.action is Action.READ:
            reading.read(module, endpoint)
        elif endpoint.action is Action.LIST:
            reading.page(module, endpoint)
        else:
            _CHANGES[endpoint.action](module, endpoint, operation)
        if asks_reserved(thing, endpoint, operation):
            constants.append(asking.constants(endpoint, operation))
            module.gap()
            settling.settle(module, endpoint, operation)
    for lines in module.shared.values():
        module.gap()
        body += lines
    if module.needs_reasons:
        module.gap()
        _reasons(module)
    text = "\n".join(body)
    if "CHANGES_MAX" in text:
        constants.append(f"CHANGES_MAX = {changing.CHANGES_MAX}")
        constants.append('"""How often a change is merged anew where somebody else was faster."""')
    head = ["", "operations: Operations[Service] = Operations()", *constants]
    module.lines = [*head, *body]
    said = thing.resource.says or "what callers do with them."
    return module.text(f"{names.pascal(thing.table.name)}: {said[:1].lower()}{said[1:]}")


def _has_place(thing: Thing, endpoint: PlannedEndpoint) -> None:
    """What is accepted with 202 shows how it went in its own state, which callers must be able to read."""
    success = endpoint.success
    if endpoint.is_asynchronous and success and success.shape != thing.shape:
        raise UsageError(
            f"{endpoint.id} answers 202, and nothing tells its callers how it went: that is not built",
            where=f"operations.{endpoint.id}.async",
            hint=f"Give {thing.resource.name} states, and an operation that reads one.",
        )


def asks_reserved(thing: Thing, endpoint: PlannedEndpoint, operation: Operation) -> bool:
    """Whether its row is held while others are asked."""
    if not operation.calls or operation.saga or thing.table.column("pending_operation") is None:
        return False
    if endpoint.action is Action.CUSTOM:
        return "{" in endpoint.path and not endpoint.is_safe
    return endpoint.action in (Action.CREATE, Action.UPDATE, Action.TRANSITION)


def _reasons(module: Module) -> None:
    """Why no row was changed: asked only when none was."""
    thing = module.thing
    module.runtime("Connection", "Problem")
    module.imports.add("uuid", "UUID")
    found = carrying.reading_variants(thing)
    query = max(found, key=lambda each: len(each.parameters))
    sees = ("is_any: bool",) if len(found) > 1 else ()
    stated = ("*states: str",) if thing.resource.states else ()
    parts = ("tx: Connection", "call: Call", f"{module.id}: UUID", *sees, *stated)
    with module.block(python.Group(head="async def _why_not", parts=parts, tail=" -> Problem")):
        module.doc("Why no row was changed")
        given = {**module.caller(), "id": module.id}
        if sees:
            given |= {each: "is_any" for each in query.parameters if each.startswith("has:")}
        module.put(module.send("tx.fetchrow", query, given), before="row = await ")
        module.line(f"call.changeable(row, {python.quoted(thing.spoken)}{', *states' if stated else ''})")
        held = thing.table.column("pending_operation") is not None
        if not held:
            module.comment("It was changed in between, and is as it should be now.")
        module.line(f'return Problem("{"operation-pending" if held else "unavailable"}")')

"""`_generated/<table>.py`: the operations of one resource, each an explicit function."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nines.building import names, python
from nines.building.file import File
from nines.building.resources import asking, changing, custom, reading, sagas
from nines.building.resources.code import Code, Module
from nines.building.resources.facts import Thing, operation_of, things
from nines.model.blueprint import Action, Operation
from nines.model.blueprint.operation import OF_ACCOUNTS
from nines.model.design import Design, PlannedEndpoint

_CHANGES: dict[Action, Callable[[Module, PlannedEndpoint, Operation], None]] = {
    Action.CREATE: changing.create,
    Action.UPDATE: changing.update,
    Action.DELETE: changing.remove,
    Action.TRANSITION: changing.move,
    Action.CUSTOM: custom.on_resource,
}


def write(design: Design) -> Iterator[File]:
    for thing in things(design):
        mine = [e for e in design.endpoints if e.resource == thing.resource.name and e.action not in OF_ACCOUNTS]
        if mine:
            path = names.source(design, f"_generated/{names.snake(thing.table.name)}.py")
            yield File(path=path, text=_module(thing, mine))
    yield from custom.others(design)


def _module(thing: Thing, endpoints: list[PlannedEndpoint]) -> str:
    module = Module(thing)
    body = module.lines
    constants: list[str] = []
    for endpoint in endpoints:
        module.gap()
        operation = operation_of(thing.design, endpoint)
        assert operation is not None
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
            asking.settle(module, endpoint, operation)
    if module.needs_reasons:
        module.gap()
        _reasons(module, endpoints)
    text = "\n".join(body)
    if "NOT_FOUND" in text:
        constants.insert(0, f"NOT_FOUND = {python.quoted(module.not_found())}")
    if "CHANGES_MAX" in text:
        constants.append(f"CHANGES_MAX = {changing.CHANGES_MAX}")
        constants.append('"""How often a change is merged anew where somebody else was faster."""')
    head = ["", "operations: Operations[Service] = Operations()", *constants]
    module.lines = [*head, *body]
    said = thing.resource.says or f"Operations on {thing.spoken}."
    return module.text(f"{names.pascal(thing.table.name)}: {said[:1].lower()}{said[1:]}")


def asks_reserved(thing: Thing, endpoint: PlannedEndpoint, operation: Operation) -> bool:
    """Whether its row is held while others are asked."""
    if not operation.calls or operation.saga or thing.table.column("pending_operation") is None:
        return False
    if endpoint.action is Action.CUSTOM:
        return "{" in endpoint.path and not endpoint.is_safe
    return endpoint.action in (Action.CREATE, Action.UPDATE, Action.TRANSITION)


def _reasons(module: Module, endpoints: list[PlannedEndpoint]) -> None:
    """Why no row was changed: asked only when none was."""
    thing = module.thing
    module.runtime("Connection", "Problem")
    module.imports.add("uuid", "UUID")
    base = f"read-{names.kebab(thing.resource.name)}-to-change"
    found = [q for e in endpoints for id in e.queries if (q := thing.design.query(id)) and q.base == base]
    query = min(found, key=lambda each: len(each.parameters))
    has_states = any("call, " in line and "_why_not" in line and line.count(",") > 2 for line in module.lines)
    extra = ", *states: str" if has_states else ""
    with module.block(f"async def _why_not(tx: Connection, call: Call, {module.id}: UUID{extra}) -> Problem:"):
        module.doc("Why no row was changed")
        given = {**module.caller(), "id": module.id}
        module.put(module.send("tx.fetchrow", query, given), before="row = await ")
        with module.block("if row is None:"):
            module.line('return Problem("not-found", NOT_FOUND)')
        if thing.is_versioned:
            with module.block('if call.version not in (None, row["version"]):'):
                module.line('return Problem("precondition-failed")')
        held = thing.table.column("pending_operation") is not None
        last = '"operation-pending"' if held else '"unavailable"'
        if has_states:
            said = f"f\"The {thing.spoken} is {{row['status']}}; it must be {{' or '.join(states)}}.\""
            with module.block('if states and row["status"] not in states:'):
                module.put(python.call("return Problem", '"state-conflict"', said))
        module.line(f"return Problem({last})")


def operations_modules(code: Code) -> tuple[str, ...]:
    return names.modules(code.design)

"""Operations that change one object in one transaction: created, changed, moved, or removed."""

from __future__ import annotations

from nines.building import names, python
from nines.building.resources import accepting, asking, carrying, hooks, inserting, keeping, lists, sharing, values
from nines.building.resources.code import Module
from nines.model.blueprint import Operation
from nines.model.design import PlannedColumn, PlannedEndpoint, PlannedQuery

CHANGES_MAX = 3


def create(module: Module, endpoint: PlannedEndpoint, operation: Operation) -> None:
    thing = module.thing
    carrying.begun(module, endpoint, operation)
    if endpoint.id in accepting.grouped(module):
        accepting.accept(module, endpoint)
        module.depth -= 1
        return
    module.runtime("new_id")
    module.line(f"{module.id} = new_id()")
    if operation.calls:
        asking.create(module, endpoint, operation)
        module.depth -= 1
        return
    with carrying.transaction(module, operation, is_last=carrying.is_last(module, operation)):
        inserting.insert(module, endpoint, operation)
        drafted = thing.noun if hooks.is_hooked(operation) else ""
        changes = keeping.changes_of_new(thing, "row")
        is_returned = carrying.answered(module, endpoint, operation, changes=changes, posted=drafted)
    carrying.left(module, operation, is_returned=is_returned)
    module.depth -= 1


def update(module: Module, endpoint: PlannedEndpoint, operation: Operation) -> None:
    thing = module.thing
    carrying.begun(module, endpoint, operation)
    module.runtime("Problem")
    module.line(f"{module.id} = {module.find_id(endpoint)}")
    with module.block(f"if body == {module.shape(endpoint.request)}():"):
        module.put(python.call("raise Problem", '"invalid-request"', '"Nothing is to be changed."'))
    if operation.calls:
        asking.change(module, endpoint, operation)
        module.depth -= 1
        return
    read = module.query(endpoint.id, f"read-{names.kebab(thing.resource.name)}-to-change")
    query = module.query(endpoint.id, f"update-{names.kebab(thing.resource.name)}")
    with carrying.transaction(module, operation, is_last=carrying.is_last(module, operation)):
        keeping.claim(module, endpoint)
        for field in thing.resource.fields:
            inserting.refer(module, endpoint, field, is_change=True)
        with module.block("for _ in range(CHANGES_MAX):"):
            module.changeable(module.send("tx.fetchrow", read, {**module.caller(), "id": module.id}))
            if hooks.is_hooked(operation):
                hooks.merged(module, operation, "before")
            given = _merged(module, query, is_hooked=hooks.is_hooked(operation))
            module.put(module.send("tx.fetchrow", query, given), before="row = await ")
            with module.block("if row is not None:"):
                module.line("break")
        with module.block("else:"):
            held = thing.table.column("pending_operation") is not None
            module.line(f'raise Problem("{"operation-pending" if held else "unavailable"}")')
        lists.rewrite(module, endpoint, id=module.id, body="body")
        changed = '{"fields": [name for name in body.__struct_fields__ if getattr(body, name) is not UNSET]}'
        if any(values.attribute(field.name) != names.column(field.name) for field in thing.resource.fields):
            changed = '{"fields": list(msgspec.to_builtins(body))}'
        module.imports.add("msgspec")
        module.imports.add("msgspec", "UNSET")
        drafted = thing.noun if hooks.is_hooked(operation) else ""
        is_returned = carrying.answered(module, endpoint, operation, changes=changed, posted=drafted)
    carrying.left(module, operation, is_returned=is_returned)
    module.depth -= 1


def _merged(module: Module, query: PlannedQuery, *, is_hooked: bool) -> dict[str, str]:
    """Of each column what was sent, or what is kept."""
    thing = module.thing
    given = {**module.caller(), "id": module.id, "if_version": 'before["version"]'}
    for name in query.parameters:
        column = thing.table.column(name)
        if name in given or column is None:
            continue
        given[name] = chosen(module, column, is_hooked=is_hooked)
    return given


def chosen(module: Module, column: PlannedColumn, *, before: str = "before", is_hooked: bool = False) -> str:
    """What was sent for a column, or what it keeps."""
    thing = module.thing
    if is_hooked:
        return hooks.decided(module, column)
    module.imports.add("msgspec", "UNSET")
    head = values.attribute(column.member.partition(".")[0])
    taken = values.taken(thing, column, "body", module.id, module.imports)
    if " if " in taken:
        taken = f"({taken})"
    return f"{before}[{python.quoted(column.name)}] if body.{head} is UNSET else {taken}"


def move(module: Module, endpoint: PlannedEndpoint, operation: Operation) -> None:
    thing = module.thing
    carrying.begun(module, endpoint, operation)
    module.line(f"{module.id} = {module.find_id(endpoint)}")
    if operation.calls:
        asking.move(module, endpoint, operation)
        module.depth -= 1
        return
    states = carrying.sources(module, operation)
    base = f"move-{names.kebab(thing.resource.name)}-to-{names.kebab(operation.to_state)}"
    given = {**module.caller(), "id": module.id, "to_status": python.quoted(operation.to_state)}
    given["from_statuses"] = python.flat(python.row(*map(python.quoted, states)))
    if sharing.is_shared(module, endpoint, operation):
        sharing.move(module, endpoint, module.query(endpoint.id, base), given)
    posted = ""
    with carrying.transaction(module, operation, is_last=carrying.is_last(module, operation)):
        keeping.claim(module, endpoint)
        if hooks.is_hooked(operation):
            posted = carrying.locked(module, endpoint, operation, states)
            module.imports.add("typing", "Any")
            query = module.query(endpoint.id, f"store-{names.kebab(thing.resource.name)}")
            module.put(
                module.send("tx.fetchrow", query, carrying.stored(module, query, operation.to_state)),
                before="row: Any = await ",
            )
        else:
            query = module.query(endpoint.id, base)
            module.put(module.send("tx.fetchrow", query, given), before="row = await ")
            carrying.why_not(module, endpoint, states)
        changes = python.flat(python.mapping([("status", python.quoted(operation.to_state))]))
        is_returned = carrying.answered(module, endpoint, operation, changes=changes, posted=posted)
    carrying.left(module, operation, is_returned=is_returned)
    module.depth -= 1


def remove(module: Module, endpoint: PlannedEndpoint, operation: Operation) -> None:
    thing = module.thing
    carrying.begun(module, endpoint, operation)
    module.line(f"{module.id} = {module.find_id(endpoint)}")
    with carrying.transaction(module, operation, is_last=carrying.is_last(module, operation)):
        keeping.claim(module, endpoint)
        if hooks.is_hooked(operation):
            hooks.ask_without_row(module, operation, endpoint)
        query = module.query(endpoint.id, f"delete-{names.kebab(thing.resource.name)}")
        module.put(module.send("tx.fetchrow", query, {**module.caller(), "id": module.id}), before="row = await ")
        carrying.why_not(module, endpoint)
        prefix = f", {python.quoted(thing.prefix)}" if thing.prefix else ""
        shown = f"identifier_text({module.id}{prefix})" if thing.prefix else f"str({module.id})"
        if thing.prefix and thing.resource.audit in ("all", "writes"):
            module.runtime("identifier_text")
        keeping.audit(module, origin="call", id=shown, changes='{"is_deleted": True}')
        is_hooked, is_last = hooks.is_hooked(operation), carrying.is_last(module, operation)
        module.is_returned = endpoint.idempotency is None and (is_hooked or is_last)
        is_returned = is_last and (is_hooked or module.is_returned)
        module.line(f"{'return' if module.is_returned else 'answer ='} Answer.nothing()")
        keeping.finish(module, endpoint)
    carrying.left(module, operation, is_returned=is_returned)
    module.depth -= 1

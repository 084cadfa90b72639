"""What becomes of a reservation: those who are asked say it, and it is settled; by the request, or again by its job."""

from __future__ import annotations

from nines.building import names, python
from nines.building.resources import carrying, keeping, ports, values
from nines.building.resources.asking import SHARED_MIN, is_decided, takes_body, uses_row
from nines.building.resources.code import Module
from nines.model.blueprint import Operation
from nines.model.design import PlannedEndpoint, PlannedQuery, StepKind


def settle(module: Module, endpoint: PlannedEndpoint, operation: Operation) -> None:
    """The function that asks and settles: called by the operation, and again by the job under the same key."""
    thing = module.thing
    good = settling(module, endpoint)
    bad = failing(module, endpoint, good)
    module.runtime("Deadline", "Declined", "Origin", "Answer")
    module.imports.add("collections.abc", "Mapping")
    module.imports.add("typing", "Any")
    module.imports.add("uuid", "UUID")
    row = ("row: Mapping[str, Any]",) if uses_row(operation) else ()
    about = (*row, "pending_id: UUID", "remembered: Mapping[str, Any]")
    parts = ("service: Service", "deadline: Deadline", "origin: Origin", *about)
    name = f"settle_{names.snake(operation.name)}"
    with module.block(python.Group(head=f"async def {name}", parts=parts, tail=" -> Answer | None")):
        asked = " and ".join(operation.calls)
        module.doc(
            f"Asks {asked} under the key of the reservation and settles what it said; None: it was settled before."
        )
        if is_decided(operation):
            module.imports.add("msgspec")
            module.line(f'{thing.noun} = msgspec.convert(remembered["decided"], {module.shape(thing.kept)})')
        else:
            module.line(f"{thing.noun} = {module.row_of('row')}")
        body = endpoint.request and takes_body(operation)
        if body:
            module.imports.add("msgspec")
            module.line(f'body = msgspec.convert(remembered["body"], {module.shape(endpoint.request)})')
        told = _calls(module, endpoint, operation, bad, with_body=bool(body))
        with module.block("async with service.database.transaction(deadline) as tx:"):
            given = _settled(module, good, operation, told)
            module.put(_send(module, good, given), before="row_now = await ")
            with module.block("if row_now is None:"):
                module.line("return None")
            _finish(module, endpoint, operation, with_body=bool(body))
        if endpoint.idempotency:
            module.line("return answer")


def _send(module: Module, query: PlannedQuery, given: dict[str, str]) -> python.Group:
    return module.send("tx.fetchrow", query, given)


def _calls(
    module: Module, endpoint: PlannedEndpoint, operation: Operation, bad: PlannedQuery, *, with_body: bool
) -> list[str]:
    """Every call in its order; the variables of what was told."""
    thing = module.thing
    told: list[str] = []
    with module.block("try:"):
        for index, verb in enumerate(operation.calls):
            variable = f"told_{index + 1}" if len(operation.calls) > 1 else "told"
            given = [f"{thing.noun}", *(["body"] if with_body else [])]
            asked = python.call(
                f"service.{ports.attribute(module.design, verb, operation.on)}",
                "deadline",
                *given,
                "key=str(pending_id)",
            )
            module.put(asked, before=f"{variable} = await " if thing.told else "await ")
            told.append(variable)
    with module.block("except Declined as refusal:" if endpoint.idempotency else "except Declined:"):
        if module.asking < SHARED_MIN:
            _let_go(module, endpoint, bad, f"{thing.noun}.id", "row_now")
        else:
            given = ["service", "deadline", "origin", f"{thing.noun}.id", "pending_id"]
            given += ["remembered", "refusal"] if endpoint.idempotency else []
            module.put(python.call(f"await {_letting_go(module, endpoint, bad)}", *given))
        module.line("raise")
    return told


def _letting_go(module: Module, endpoint: PlannedEndpoint, bad: PlannedQuery) -> str:
    """The function that lets a row go which others refused, shared by the operations that let go alike."""
    thing, has_key = module.thing, endpoint.idempotency is not None
    column = thing.table.column("id")
    assert column is not None
    name = f"_{names.snake(bad.id)}{'' if has_key else '_without_key'}"
    id = f"{module.id}: {values.python_type(thing, column, module.imports)}"
    parts = ["service: Service", "deadline: Deadline", "origin: Origin", id, "pending_id: UUID"]
    parts += ["remembered: Mapping[str, Any]", "refusal: Declined"] if has_key else []
    head = python.Group(head=f"async def {name}", parts=tuple(parts), tail=" -> None")
    with module.function(name), module.block(head):
        keeps = ", and keeps the refusal for whoever asks again" if has_key else ""
        module.doc(f"Others refused: lets the {thing.spoken} go{keeps}")
        _let_go(module, endpoint, bad, module.id, "row")
    return name


def _let_go(module: Module, endpoint: PlannedEndpoint, bad: PlannedQuery, id: str, row: str) -> None:
    thing = module.thing
    with module.block("async with service.database.transaction(deadline) as tx:"):
        sent = {"id": id, "pending_id": "pending_id", "to_status": python.quoted(_state(bad))}
        released = _send(module, bad, sent)
        if endpoint.idempotency is None and thing.resource.audit not in ("all", "writes"):
            module.put(released, before="await ")
            return
        module.put(released, before=f"{row} = await ")
        with module.block(f"if {row} is not None:"):
            shown = id if not thing.prefix else _text_id(module, id)
            keeping.audit(module, origin="origin", id=shown, changes='{"is_declined": True}')
            if endpoint.idempotency is not None:
                module.line('answer = refusal.answer(instance=remembered["path"], request_id=origin.request_id)')
                given = ("tx", "service.keys.recalled(remembered)", "answer")
                module.put(python.call("await service.keys.finish", *given))


def _text_id(module: Module, id: str) -> str:
    module.runtime("identifier_text")
    return f"identifier_text({id}, {python.quoted(module.thing.prefix)})"


def _state(query: PlannedQuery) -> str:
    """The state that a settling statement moves to, by its sample."""
    if "to_status" not in query.parameters:
        return ""
    return query.arguments[query.parameters.index("to_status")].strip("'")


def state_after(endpoint: PlannedEndpoint, operation: Operation) -> str:
    """Where the row stands when the others agreed."""
    if operation.to_state:
        return operation.to_state
    says = next(
        (s.says for s in endpoint.flow.steps if s.kind is StepKind.QUERY and s.says.startswith("settle the row")), ""
    )
    _, _, state = says.partition(" as ")
    return state.partition(",")[0]


def settling(module: Module, endpoint: PlannedEndpoint) -> PlannedQuery:
    """The statement that settles what went well."""
    step = next(s for s in endpoint.flow.steps if s.kind is StepKind.QUERY and s.says.startswith("settle the row"))
    found = module.design.query(step.query)
    assert found is not None
    return found


def failing(module: Module, endpoint: PlannedEndpoint, good: PlannedQuery) -> PlannedQuery:
    """The statement that lets a row go, or settles it as failed."""
    wanted = (f"settle-{names.kebab(module.thing.resource.name)}", f"release-{names.kebab(module.thing.resource.name)}")
    found = [module.design.query(id) for id in endpoint.queries]
    others = [q for q in found if q and q.base.startswith(wanted) and q.id != good.id]
    return others[0] if others else good


def _settled(module: Module, query: PlannedQuery, operation: Operation, told: list[str]) -> dict[str, str]:
    thing = module.thing
    endpoint = module.design.endpoint(operation.name)
    assert endpoint is not None
    given = {"id": f"{thing.noun}.id", "pending_id": "pending_id"}
    given["to_status"] = python.quoted(state_after(endpoint, operation))
    for name in query.parameters:
        column = thing.table.column(name)
        if name in given or column is None:
            continue
        if column in thing.told_columns and not is_decided(operation):
            given[name] = " or ".join(f"{each}.{values.attribute(name)}" for each in reversed(told))
        elif column in thing.told_columns:
            answered = " or ".join(f"{each}.{values.attribute(name)}" for each in reversed(told))
            given[name] = f"{answered} or {thing.noun}.{values.attribute(name)}"
        else:
            given[name] = f"{thing.noun}.{values.attribute(name)}"
    return given


def _finish(module: Module, endpoint: PlannedEndpoint, operation: Operation, *, with_body: bool) -> None:
    thing = module.thing
    if not operation.gives:
        keeping.read_lists(module, endpoint.id, id=f"{thing.noun}.id")
    keeping.post(module, endpoint, origin="origin", row=thing.noun, body="body" if with_body else "")
    module.put(keeping.shown_expression(module, "row_now", is_bare=bool(operation.gives)), before="shown = ")
    keeping.emit(module, operation.emits, origin="origin", shown="shown")
    state = state_after(endpoint, operation)
    changes = python.flat(python.mapping([("status", python.quoted(state))])) if state else '{"is_settled": True}'
    keeping.audit(module, origin="origin", id="shown.id", changes=changes)
    before = "answer = " if endpoint.idempotency else "return "
    shown = carrying.shown_answer(module, endpoint, "row_now", shown="shown")
    module.put(python.call("Answer.of", 'remembered["result"]') if operation.gives else shown, before=before)
    if endpoint.idempotency:
        module.put(
            python.call("await service.keys.finish", "tx", "service.keys.recalled(remembered)", "answer", "shown.id")
        )

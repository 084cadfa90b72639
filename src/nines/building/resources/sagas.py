"""Operations over several modules: local transactions in a row, each with what undoes it."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import names, python
from nines.building.file import File
from nines.building.resources import carrying, inserting, keeping, shapes, values
from nines.building.resources.code import Code, Module, Shared
from nines.building.resources.facts import blueprint_of, find, sources_of, thing_of
from nines.model.blueprint import Action, Operation, SagaStep
from nines.model.design import Design, PlannedEndpoint


def spanning(design: Design) -> tuple[Operation, ...]:
    """The operations that span modules."""
    return tuple(each for each in blueprint_of(design).operations if each.saga)


def start(module: Module, endpoint: PlannedEndpoint, operation: Operation) -> None:
    """The first change and the saga's row in one transaction; from then on it is finished or undone."""
    thing = module.thing
    carrying.begun(module, endpoint, operation)
    if operation.do is Action.CREATE:
        module.runtime("new_id")
        module.line(f"{module.id} = new_id()")
    else:
        module.line(f"{module.id} = {module.find_id(endpoint)}")
    with module.block("async with service.database.transaction(call.deadline) as tx:"):
        if operation.do is Action.CREATE:
            inserting.insert(module, endpoint, operation)
            changes = keeping.changes_of_new(thing, "row")
        else:
            keeping.claim(module, endpoint)
            states = carrying.sources(module, operation)
            base = f"move-{names.kebab(thing.resource.name)}-to-{names.kebab(operation.to_state)}"
            query = module.query(endpoint.id, base)
            given = {**module.caller(), "id": module.id, "to_status": python.quoted(operation.to_state)}
            given["from_statuses"] = python.flat(python.row(*map(python.quoted, states)))
            module.put(module.send("tx.fetchrow", query, given), before="row = await ")
            carrying.why_not(module, endpoint, states)
            changes = python.flat(python.mapping([("status", python.quoted(operation.to_state))]))
        module.put(keeping.shown_expression(module, "row"), before=f"{thing.noun} = ")
        keeping.audit(module, origin="call", id=f"{thing.noun}.id", changes=changes)
        module.put(carrying.shown_answer(module, endpoint), before="answer = ")
        claim = "claim.remembered()" if endpoint.idempotency else "{}"
        body = ', "body": body' if endpoint.request and operation.takes else ""
        arguments = f'{{"claim": {claim}{body}}}'
        about = ["tx", "call", python.quoted(operation.name), module.id, arguments]
        saga = python.call("service.sagas.start", *about, *(["is_left=True"] if operation.is_asynchronous else []))
        if operation.is_asynchronous:
            module.put(saga, before="await ")
            keeping.finish(module, endpoint, id=f"{thing.noun}.id")
        else:
            module.put(saga, before="saga = await ")
    if operation.is_asynchronous:
        module.line('service.wake("continueSagas")')
    else:
        module.runtime("Problem")
        module.line("saga = await service.sagas.run(saga, call.deadline)")
        with module.block('if saga.status != "finished":'):
            module.line('raise Problem("refused", "A step was refused; what was done is undone.")')
        if endpoint.idempotency:
            with module.block("async with service.database.transaction(call.deadline) as tx:"):
                keeping.finish(module, endpoint, id=f"{thing.noun}.id")
    module.line("return answer")
    module.depth -= 1


def write(design: Design) -> Iterator[File]:
    """`_generated/sagas.py`, and the owner's part of each step that happens elsewhere."""
    found = spanning(design)
    if not found:
        return
    code = Code(design)
    code.runtime("SagaPlan")
    code.generated("service", "Service")
    code.imports.add("collections.abc", "Callable")
    code.imports.add("functools", "partial")
    functions = Code(design)
    functions.imports = code.imports
    code.gap()
    with code.block("def plans(service: Callable[[], Service]) -> tuple[SagaPlan, ...]:"):
        code.doc("Every operation that spans modules, with its steps and what undoes each")
        code.put(python.row(*(_plan(functions, operation) for operation in found)), before="return ")
    code.lines += functions.lines
    yield File(path=names.source(design, "_generated/sagas.py"), text=code.text("Operations over several modules."))
    for operation in found:
        yield from _owned(design, operation)


def _plan(code: Code, operation: Operation) -> python.Group:
    steps: list[python.Part] = []
    for step in operation.saga:
        local = _local(code, operation, step)
        kind = "LocalStep" if local else "RemoteStep"
        code.runtime(kind)
        parts = [f"name={python.quoted(step.do)}", f"do={_function(code, operation, step.do, local)}"]
        if step.undo:
            parts.append(f"undo={_function(code, operation, step.undo, local)}")
        if local and step.undo:
            parts.append("ends=True")
        steps.append(python.call(kind, *parts))
    plan: list[python.Part] = [f"operation={python.quoted(operation.name)}", python.named("steps", python.row(*steps))]
    if finished := _finished(code, operation):
        plan.append(f"finished=partial({finished}, service)")
    return python.call("SagaPlan", *plan)


def _finished(code: Code, operation: Operation) -> str:
    """The function that tells of the end, where somebody wants to know: events and the ledger."""
    thing = thing_of(code.design, operation.on) if operation.on else None
    endpoint = code.design.endpoint(operation.name)
    query = find(code.design, operation.name, f"read-{names.kebab(operation.on)}-by-saga") if thing else None
    if thing is None or query is None or endpoint is None:
        return ""
    module, name = Shared(code, thing), f"{names.snake(operation.name)}_finished"
    code.runtime("Connection", "Saga")
    code.imports.add("uuid", "UUID")
    code.gap()
    with code.block(f"async def {name}(service: Callable[[], Service], tx: Connection, saga: Saga) -> None:"):
        code.doc(f"Tells what {operation.name} did, when all of its steps are done")
        code.put(code.send("tx.fetchrow", query, {"id": "UUID(saga.subject_id)"}), before="row = await ")
        with code.block("if row is None:"):
            code.line("return")
        if operation.posts:
            _posted(module, endpoint, operation)
        if operation.emits:
            code.put(_shown(module), before="shown = ")
            keeping.emit(module, operation.emits, origin="saga.origin", shown="shown", service="service()")
    return name


def _posted(module: Module, endpoint: PlannedEndpoint, operation: Operation) -> None:
    noun = module.thing.noun
    cipher = ", service().cipher" if values.keeps_sealed(module.thing) else ""
    module.line(f"{noun} = {module.shape(module.thing.kept)}.of(row{cipher})")
    has_body = bool(endpoint.request and operation.takes)
    if has_body:
        module.imports.add("msgspec")
        module.line(f'body = msgspec.convert(saga.arguments["body"], {module.shape(endpoint.request)})')
    body = "body" if has_body else ""
    keeping.post(module, endpoint, origin="saga.origin", row=noun, body=body, service="service()")


def _shown(module: Module) -> python.Group:
    """The object as callers see it, of a row that the service itself read; events hold no lists."""
    thing = module.thing
    given: list[python.Part] = ["row", *(["service().cipher"] if values.is_sealed(thing) else [])]
    given += [f"{values.attribute(shapes.member(field))}=()" for field in thing.lists()]
    return python.call(f"{module.shape(thing.shape)}.of", *given)


def _local(code: Code, operation: Operation, step: SagaStep) -> bool:
    """Whether a step is a move of this service's own rows."""
    blueprint = blueprint_of(code.design)
    home = blueprint.module_of(operation.on)
    separate = {module.name for module in blueprint.modules if module.is_separate and module != home}
    return "." not in step.do and step.module not in separate


def _function(code: Code, operation: Operation, name: str, local: bool) -> str:
    """The function of a step: written here where it is a move, else the owner's."""
    moved = _move(code, operation, name) if local else ""
    if moved:
        return f"partial({moved}, service)"
    where = names.snake(operation.name)
    code.imports.add(f"{code.package}.operations", where)
    return f"partial({where}.{names.snake(name.replace('.', '_'))}, service)"


def _move(code: Code, operation: Operation, name: str) -> str:
    found = blueprint_of(code.design).operation(name)
    thing = thing_of(code.design, found.on) if found and found.do is Action.TRANSITION else None
    if found is None or thing is None:
        return ""
    base = f"move-{names.kebab(thing.resource.name)}-to-{names.kebab(found.to_state)}-by-saga"
    query = next((q for q in code.design.queries if q.base == base and operation.name in q.used_by), None)
    if query is None:
        return ""
    states = sources_of(thing, found)
    function = names.snake(name)
    if any(line.startswith(f"async def {function}(") for line in code.lines):
        return function
    code.runtime("Connection", "Saga", "GiveUp")
    code.imports.add("uuid", "UUID")
    code.gap()
    module = Shared(code, thing)
    head = f"async def {function}(service: Callable[[], Service], tx: Connection, saga: Saga) -> None:"
    with code.block(head):
        code.doc(f"Moves the {thing.spoken} to {found.to_state}, whoever owns it")
        given = {
            "to_status": python.quoted(found.to_state),
            "id": "UUID(saga.subject_id)",
            "from_statuses": python.flat(python.row(*map(python.quoted, states))),
        }
        code.put(code.send("tx.fetchrow", query, given), before="row = await ")
        with code.block("if row is None:"):
            code.line(f'raise GiveUp("The {thing.spoken} cannot become {found.to_state}.")')
        _told(module, found)
    return function


def _told(module: Module, moved: Operation) -> None:
    """Events of a move, and its entry in the audit trail."""
    thing = module.thing
    if not moved.emits and thing.resource.audit not in ("all", "writes"):
        module.line("del service")
        return
    module.put(_shown(module), before="shown = ")
    keeping.emit(module, moved.emits, origin="saga.origin", shown="shown", service="service()")
    changes = python.flat(python.mapping([("status", python.quoted(moved.to_state))]))
    keeping.audit(module, origin="saga.origin", id="shown.id", changes=changes, service="service()")


def _owned(design: Design, operation: Operation) -> Iterator[File]:
    """The steps that others carry out; until they are written the saga turns back."""
    code = Code(design)
    wanted: dict[str, SagaStep] = {}
    probe = Code(design)
    for step in operation.saga:
        for name in (step.do, step.undo):
            if name and not (_local(probe, operation, step) and _move(probe, operation, name)):
                wanted.setdefault(name, step)
    if not wanted:
        return
    for name, step in wanted.items():
        code.gap()
        local = _local(probe, operation, step)
        code.runtime("Saga", "GiveUp", "Connection" if local else "Deadline")
        code.generated("service", "Service")
        code.imports.add("collections.abc", "Callable")
        own = ("tx: Connection", "saga: Saga") if local else ("saga: Saga", "deadline: Deadline")
        head = f"async def {names.snake(name.replace('.', '_'))}"
        with code.block(python.Group(head=head, parts=("service: Callable[[], Service]", *own), tail=" -> None")):
            where = f"asks {step.module or 'others'}" if not local else "happens here"
            code.doc(f"{name} {where}, under saga.key({step.do!r}). Until it is written, {operation.name} turns back")
            code.line("del service, tx, saga" if local else "del service, saga, deadline")
            code.line(f'raise GiveUp("{name} is not written yet.")')
    says = f"Yours: the steps of {operation.name} that others carry out."
    path = names.source(design, f"operations/{names.snake(operation.name)}.py")
    yield File(path=path, text=code.text(says), is_owned=True)

"""Operations that ask others: reserve and commit, ask outside of any transaction, settle what was said."""

from __future__ import annotations

from nines.building import names, python
from nines.building.resources import carrying, hooks, inserting, keeping, values
from nines.building.resources.code import Module
from nines.building.resources.guards import number
from nines.model.blueprint import Action, Fallback, Operation
from nines.model.design import PlannedEndpoint
from nines.model.errors import UsageError

RESERVED = "Reserved | Answer"
SHARED_MIN = 2
"""So many operations of a module that ask others share what they have in common."""


def create(module: Module, endpoint: PlannedEndpoint, operation: Operation) -> None:
    """The new row is there, and held until the others have answered."""
    module.runtime("new_id")
    module.line("pending_id = new_id()")
    with carrying.transaction(module, operation, RESERVED, "reserved"):
        remembered = _remembered(module, endpoint, operation)
        more = {
            "pending_operation": python.quoted(operation.name),
            "lease": lease(module, operation),
            "pending_request": "remembered",
            "pending_id": "pending_id",
        }
        inserting.insert(module, endpoint, operation, more, remembered)
        if endpoint.idempotency:
            module.put(python.call("await service.keys.remember", "tx", "claim", module.id))
        thing = module.thing
        keeping.audit(module, origin="call", id=carrying.shown_id(module), changes=keeping.changes_of_new(thing, "row"))
        _reserved(module, operation)
    _ask(module, endpoint, operation)


def move(module: Module, endpoint: PlannedEndpoint, operation: Operation) -> None:
    _hold(module, endpoint, operation, carrying.sources(module, operation))


def change(module: Module, endpoint: PlannedEndpoint, operation: Operation) -> None:
    """The change is decided before the others are asked, and written when they agreed."""
    _hold(module, endpoint, operation, ())


def _hold(module: Module, endpoint: PlannedEndpoint, operation: Operation, states: tuple[str, ...]) -> None:
    thing = module.thing
    _refuse(module, operation)
    module.runtime("new_id")
    module.line("pending_id = new_id()")
    noun = names.kebab(thing.resource.name)
    with carrying.transaction(module, operation, RESERVED, "reserved"):
        keeping.claim(module, endpoint)
        if operation.do is Action.UPDATE:
            for field in thing.resource.fields:
                inserting.refer(module, endpoint, field, is_change=True)
            read = module.query(endpoint.id, f"read-{noun}-to-change")
            module.existing(module.send("tx.fetchrow", read, {**module.caller(), "id": module.id}))
            if hooks.is_hooked(operation):
                hooks.merged(module, operation, "row")
            else:
                module.line(f"{thing.noun} = {module.row_of('row')}")
                hooks.merge(module)
        elif hooks.is_hooked(operation):
            carrying.locked(module, endpoint, operation, states)
        module.put(_remembered(module, endpoint, operation), before="remembered = ")
        query = module.query(endpoint.id, f"reserve-{noun}")
        given = {
            **module.caller(),
            "pending_operation": python.quoted(operation.name),
            "lease": lease(module, operation),
            "pending_request": "remembered",
            "pending_id": "pending_id",
            "id": module.id,
            "from_statuses": python.flat(python.row(*map(python.quoted, states))),
        }
        module.put(module.send("tx.fetchrow", query, given), before="row = await ")
        carrying.why_not(module, endpoint, states)
        _reserved(module, operation)
    _ask(module, endpoint, operation)


def _refuse(module: Module, operation: Operation) -> None:
    """What is decided waits in the row until others have answered: no place for secrets, nor for rows of lists."""
    thing = module.thing
    is_sealed = is_decided(operation) and values.keeps_sealed(thing)
    is_listed = operation.do is Action.UPDATE and bool(thing.lists())
    if is_sealed or is_listed:
        kept = "encrypted fields" if is_sealed else "lists of its own"
        raise UsageError(
            f"{operation.name} decides about {thing.resource.name}, which has {kept}, before others are asked: that is "
            "not built",
            where=f"operations.{operation.name}",
            hint="Ask them in an operation that only moves its state, or in a job.",
        )


def lease(module: Module, operation: Operation) -> str:
    """How long a reservation holds before the job takes it up; a constant of the module."""
    name = f"{names.constant(operation.name)}_LEASE"
    module.imports.add("datetime", "timedelta")
    return name


def lease_s(endpoint: PlannedEndpoint) -> float:
    """Every attempt of every call, and as much again to settle: as planned."""
    return 2 * sum(step.attempts_max * (step.timeout_s or 0.0) for step in endpoint.flow.calls)


def _remembered(module: Module, endpoint: PlannedEndpoint, operation: Operation) -> python.Part:
    """What the job needs that settles where this process cannot."""
    parts: list[python.Part] = ["path=call.path", "request_id=call.request_id"]
    if endpoint.request and takes_body(operation):
        parts.append("body=body")
    if is_decided(operation):
        module.imports.add("msgspec")
        parts.append(f"decided={decided_values(module)}")
    if operation.gives:
        parts.append("result=result")
    if endpoint.idempotency:
        return python.call("claim.remembered", *parts)
    module.runtime("Claim")
    owner = ("operation=call.operation", "subject=call.subject", "tenant=call.tenant")
    return python.call(f"{python.flat(python.call('Claim', *owner))}.remembered", *parts)


def takes_body(operation: Operation) -> bool:
    """Whether those who are asked get to see the body."""
    return bool(operation.takes)


def is_decided(operation: Operation) -> bool:
    """Whether something was decided before the others were asked, that is written when they agreed."""
    return operation.do in (Action.UPDATE, Action.CUSTOM) or (
        hooks.is_hooked(operation) and operation.do is not Action.CREATE
    )


def uses_row(operation: Operation) -> bool:
    """Whether settling looks at the row as it was reserved; what was decided stands in what is remembered."""
    return not is_decided(operation)


def decided_values(module: Module) -> str:
    return module.thing.noun


def _reserved(module: Module, operation: Operation) -> None:
    """What a function that runs as if alone gives back; in a plain transaction the variables are there."""
    if hooks.is_hooked(operation):
        module.generated("service", "Reserved")
        module.line("return Reserved(row=row, remembered=remembered)")


def _ask(module: Module, endpoint: PlannedEndpoint, operation: Operation) -> None:
    """After the commit: others are asked, and the caller hears what became of it."""
    thing = module.thing
    is_hooked = hooks.is_hooked(operation)
    if is_hooked:
        with module.block("if isinstance(reserved, Answer):"):
            module.line("return reserved")
    row, told = ("reserved.row", "reserved.remembered") if is_hooked else ("row", "remembered")
    given = ["service", "call.deadline", "call", *([row] if uses_row(operation) else []), "pending_id", told]
    settle = python.call(f"settle_{names.snake(operation.name)}", *given)
    later = next((a for a in endpoint.answers if a.status == 202), None)
    success = endpoint.success
    if later is None or (success and success.status == 202 and not is_queued(module, operation)):
        module.put(settle, before="answer = await ")
    else:
        module.runtime("Unanswered")
        with module.block("try:"):
            module.put(settle, before="answer = await ")
        with module.block("except Unanswered:"):
            module.comment(f"It stays reserved: {finisher(operation)} asks again under the same key, and settles it.")
            if endpoint.idempotency:
                whose = "service.keys.recalled(reserved.remembered)" if is_hooked else "claim"
                _pending(module, endpoint, row, whose)
            else:
                now = f"{thing.noun}_now"
                keeping.read_lists(module, endpoint.id, id=f'{row}["id"]', how="service.database")
                module.put(keeping.shown_expression(module, row), before=f"{now} = ")
                accepted = carrying.shown_answer(module, endpoint, row, status=202, shown=now)
                module.put(accepted, before="return ")
    module.runtime("Problem")
    with module.block("if answer is None:"):
        module.put(
            python.call(
                "raise Problem", '"operation-pending"', '"It was settled meanwhile; ask again under the same key."'
            )
        )
    if operation.emits:
        module.line('service.wake("relayOutbox")')
    module.line("return answer")


def _pending(module: Module, endpoint: PlannedEndpoint, row: str, claim: str) -> None:
    """Answers that it was accepted, and the same to whoever asks again; operations of which there are several share
    it."""
    if module.asking < SHARED_MIN:
        _accepted(module, endpoint, row, claim, f"{module.thing.noun}_now")
        return
    module.put(python.call("return await _pending", "service", "call", row, claim))
    module.runtime("Claim")
    module.imports.add("collections.abc", "Mapping")
    module.imports.add("typing", "Any")
    parts = ("service: Service", "call: Call", "row: Mapping[str, Any]", "claim: Claim")
    head = python.Group(head="async def _pending", parts=parts, tail=" -> Answer")
    with module.function("_pending"), module.block(head):
        module.doc("It was accepted; what becomes of it is read where it is kept")
        _accepted(module, endpoint, "row", "claim", module.thing.noun)


def _accepted(module: Module, endpoint: PlannedEndpoint, row: str, claim: str, shown: str) -> None:
    with module.block("async with service.database.transaction(call.deadline) as tx:"):
        keeping.read_lists(module, endpoint.id, id=f'{row}["id"]')
        module.put(keeping.shown_expression(module, row), before=f"{shown} = ")
        module.put(carrying.shown_answer(module, endpoint, row, status=202, shown=shown), before="answer = ")
        module.put(python.call("await service.keys.finish", "tx", claim, "answer", f"{shown}.id"))
    module.line("return answer")


def is_queued(module: Module, operation: Operation) -> bool:
    blueprint = module.thing.blueprint
    called = (blueprint.dependency(verb.partition(".")[0]) for verb in operation.calls)
    return any(each is not None and each.fallback is Fallback.QUEUE for each in called)


def finisher(operation: Operation) -> str:
    return f"finish{operation.name[:1].upper()}{operation.name[1:]}"


def constants(endpoint: PlannedEndpoint, operation: Operation) -> str:
    seconds = lease_s(endpoint)
    return f"{names.constant(operation.name)}_LEASE = timedelta(seconds={number(seconds)})"

"""What operations that change something have in common: how they begin, what they tell, and how they end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nines.building import names, python
from nines.building.resources import describing, guards, hooks, keeping
from nines.building.resources.code import Code, Module, has
from nines.building.resources.facts import Thing, sources_of
from nines.building.resources.reading import answer_of, with_depth
from nines.model.blueprint import Action, Operation
from nines.model.design import PlannedEndpoint, PlannedQuery


@contextmanager
def transaction(
    module: Code, operation: Operation, gives: str = "Answer", result: str = "answer", *, is_last: bool = False
) -> Iterator[None]:
    """What is written inside stands or falls together; with a function of the owner in it, it runs as if alone.

    `is_last`: nothing is done after it but to answer."""
    if hooks.is_hooked(operation):
        module.runtime("Connection")
        name = "reserve" if gives != "Answer" else "work"
        module.line()
        module.is_returned = False
        with module.block(f"async def {name}(tx: Connection) -> {gives}:"):
            yield
            if result == "answer" and not module.is_returned:
                module.line("return answer")
        module.line()
        before = "return" if is_last else f"{result} ="
        module.line(f"{before} await service.database.serializable(call.deadline, {name})")
    else:
        with module.block("async with service.database.transaction(call.deadline) as tx:"):
            yield


def begun(module: Module, endpoint: PlannedEndpoint, operation: Operation) -> str:
    """The head of an operation with its body, and its docstring; the answer is what others call the body."""
    takes = f"body: {module.shape(endpoint.request)}" if endpoint.request else ""
    guards.opened(module, endpoint, takes=takes)
    with_depth(module)
    module.doc(describing.said(module.thing, endpoint))
    is_used = operation.do in (Action.CREATE, Action.UPDATE) or hooks.is_hooked(operation) or operation.calls
    if endpoint.request and not is_used and not operation.posts:
        module.line("del body  # It was checked against its schema; no function of the blueprint looks at it.")
    return "body" if endpoint.request else ""


def answered(
    module: Module,
    endpoint: PlannedEndpoint,
    operation: Operation,
    *,
    changes: python.Part,
    row: str = "row",
    posted: str = "",
) -> bool:
    """The object as it is now, told to whoever must know, and kept under the key; whether nothing is left to do."""
    thing = module.thing
    keeping.read_lists(module, endpoint.id, id=f'{row}["id"]')
    module.put(keeping.shown_expression(module, row), before=f"{thing.noun}_now = " if posted else f"{thing.noun} = ")
    shown = f"{thing.noun}_now" if posted else thing.noun
    if operation.posts:
        body = "body" if endpoint.request and operation.takes else ""
        keeping.post(module, endpoint, origin="call", row=posted or module.row_of(row), body=body)
    keeping.emit(module, operation.emits, origin="call", shown=shown)
    keeping.audit(module, origin="call", id=f"{shown}.id", changes=changes)
    made = shown_answer(module, endpoint, row, shown=shown)
    is_hooked = hooks.is_hooked(operation)
    module.is_returned = endpoint.idempotency is None and (is_hooked or is_last(module, operation))
    module.put(made, before="return " if module.is_returned else "answer = ")
    keeping.finish(module, endpoint, id=f"{shown}.id")
    return is_last(module, operation) and (is_hooked or module.is_returned)


def shown_answer(
    module: Module, endpoint: PlannedEndpoint, row: str = "row", *, status: int = 0, shown: str = ""
) -> python.Group:
    """The answer that shows the object; `shown` is its variable."""
    shown = shown or module.thing.noun
    success = endpoint.success
    made = answer_of(module, shown, row, endpoint)
    parts = list(made.parts)
    found = status or (success.status if success else 200)
    if found != 200:
        parts.insert(1, f"status={found}")
    planned = next((each for each in endpoint.answers if each.status == found), success)
    if planned and "Location" in planned.headers:
        parts.append(f"location={location(module, shown)}")
    if planned and "Retry-After" in planned.headers:
        parts.append("retry_after_s=1.0")
    return python.call("Answer.of", *parts)


def location(module: Module, shown: str) -> str:
    """Where the object is read."""
    reading = next(
        (e for e in module.design.endpoints if e.action is Action.READ and e.resource == module.thing.resource.name),
        None,
    )
    path = reading.path if reading else ""
    head, _, _ = path.partition("{")
    return f'f"{head}{{{shown}.id}}"'


def left(module: Module, operation: Operation, *, is_returned: bool = False) -> None:
    """After the commit: who waits for work is told, and the answer goes out."""
    for job in _woken(module, operation):
        module.line(f"service.wake({python.quoted(job)})")
    if not is_returned:
        module.line("return answer")


def is_last(module: Module, operation: Operation) -> bool:
    """Whether nobody has to be woken after the commit."""
    return not list(_woken(module, operation))


def _woken(module: Module, operation: Operation) -> Iterator[str]:
    """The jobs for which there is work now."""
    thing = module.thing
    first = thing.resource.states[0].name if thing.resource.states else ""
    state = operation.to_state or (first if operation.do is Action.CREATE else "")
    for job in thing.blueprint.jobs:
        if job.on == thing.resource.name and job.from_state and job.from_state == state and not job.every_s:
            yield job.name
    if operation.emits and thing.blueprint.events.transport == "outbox":
        yield "relayOutbox"


def why_not(module: Module, endpoint: PlannedEndpoint, states: tuple[str, ...] = ()) -> None:
    """Raises the reason where no row was changed."""
    module.needs_reasons = True
    named = "".join(f", {python.quoted(state)}" for state in states)
    sees = ""
    variants = reading_variants(module.thing)
    if len(variants) > 1:
        mine = next((each.parameters for each in variants if endpoint.id in each.used_by), ())
        sees = f", {next((has(each) for each in mine if each.startswith('has:')), 'False')}"
    with module.block("if row is None:"):
        module.line(f"raise await _why_not(tx, call, {module.id}{sees}{named})")


def reading_variants(thing: Thing) -> tuple[PlannedQuery, ...]:
    """The statements that read a row before it is changed: several where roles may make some of the changes only."""
    base = f"read-{names.kebab(thing.resource.name)}-to-change"
    return tuple(each for each in thing.design.queries if each.base == base)


def sources(module: Module, operation: Operation) -> tuple[str, ...]:
    """The states that planning lets it begin in."""
    return sources_of(module.thing, operation)


def locked(module: Module, endpoint: PlannedEndpoint, operation: Operation, states: tuple[str, ...] = ()) -> str:
    """Locks the row and lets the owner's function decide; the variable of what it decided."""
    thing = module.thing
    query = module.query(endpoint.id, f"lock-{names.kebab(thing.resource.name)}")
    module.changeable(module.send("tx.fetchrow", query, {**module.caller(), "id": module.id}), states)
    if thing.table.column("pending_operation") is not None:
        with module.block('if before["pending_operation"] is not None:'):
            module.runtime("Problem")
            module.line('raise Problem("operation-pending")')
    hooks.ask(module, operation, endpoint, row="before")
    return thing.noun


def stored(module: Module, query: PlannedQuery, to_state: str) -> dict[str, str]:
    """What the owner's function made of a row, for the statement that writes it."""
    thing = module.thing
    given = {"id": module.id, "to_status": python.quoted(to_state) if to_state else f"{thing.noun}.status"}
    for name in query.parameters:
        column = thing.table.column(name)
        if name not in given and column is not None:
            given[name] = hooks.decided(module, column)
    return given


def shown_id(module: Module) -> str:
    thing = module.thing
    if not thing.prefix:
        return f"str({module.id})"
    module.runtime("identifier_text")
    return f"identifier_text({module.id}, {python.quoted(thing.prefix)})"

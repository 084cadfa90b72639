"""`_generated/jobs.py`: work outside requests, each piece a function, and the list of all of it."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import names, python
from nines.building.file import File
from nines.building.resources import asking, hooks, keeping, modules, ports, purging, values
from nines.building.resources.code import Code, Module, Shared
from nines.building.resources.facts import Thing, blueprint_of, find, thing_of
from nines.building.resources.guards import number
from nines.model.blueprint import Job, Operation
from nines.model.design import Design, PlannedJob, PlannedQuery

_DAY_S = 86_400.0
RELAY = "relayOutbox"
SAGAS = "continueSagas"
_LONG_S = 60.0
"""The lease of a piece of work, where its calls do not ask for more."""


class Work:
    """The module while it is put together."""

    def __init__(self, design: Design) -> None:
        self.code = Code(design)
        self.queues: list[python.Group] = []
        self.schedules: list[python.Group] = []

    def partial(self, name: str) -> str:
        self.code.imports.add("functools", "partial")
        return f"partial({name}, service)"


def write(design: Design) -> Iterator[File]:
    work = Work(design)
    for planned in design.jobs:
        _job(work, planned)
    code = work.code
    body = code.lines
    code.lines = []
    code.generated("service", "Service")
    code.runtime("Queue", "Schedule")
    if any("Mapping[" in line for line in body):
        code.imports.add("collections.abc", "Mapping")
        code.imports.add("typing", "Any")
    code.gap()
    with code.block("def queues(service: Service) -> tuple[Queue, ...]:"):
        code.doc("What is done as soon as it is due")
        _listed(code, work.queues)
    code.gap()
    with code.block("def schedules(service: Service) -> tuple[Schedule, ...]:"):
        code.doc("What is done every so often, by one of all processes")
        _listed(code, work.schedules)
    code.lines += body
    yield File(path=names.source(design, "_generated/jobs.py"), text=code.text("Work that nobody waits for."))


def _listed(code: Code, found: list[python.Group]) -> None:
    if not found:
        code.line("del service")
        code.line("return ()")
        return
    code.put(python.row(*found), before="return ")


def _job(work: Work, planned: PlannedJob) -> None:
    design = work.code.design
    blueprint = blueprint_of(design)
    job = next((each for each in blueprint.jobs if each.name == planned.name), None)
    operation = next((each for each in blueprint.operations if asking.finisher(each) == planned.name), None)
    if planned.receives is not None:
        return
    if planned.name == RELAY and job is None:
        code = work.code
        code.runtime("relay_queue")
        name = f"service={python.quoted(design.name)}"
        kept = ["in_order=True"] if blueprint.events.broker else []
        work.queues.append(python.call("relay_queue", "service.outbox", "service.deliver", name, *kept))
    elif planned.name == SAGAS and job is None:
        work.queues.append(python.call("service.sagas.queue"))
    elif operation is not None and job is None:
        _finisher(work, planned, operation)
    elif job is not None and any(id.startswith("claim-from-") for id in planned.queries):
        _letters(work, planned)
    elif job is not None and job.from_state and (thing := thing_of(design, job.on)):
        _worked(work, planned, job, thing)
    elif job is not None:
        _scheduled(work, planned, job)
    else:
        work.schedules.append(purging.purged(work.code, planned))


def _letters(work: Work, planned: PlannedJob) -> None:
    """The letters of signing in; the part `accounts` writes how one is sent."""
    code = work.code
    claim, delete, retry = (_started(code, planned, head) for head in ("claim-from-", "delete-from-", "retry-in-"))
    code.generated("letters", "send")
    parts = [
        f"name={python.quoted(planned.name)}", f"claim={claim}", f"work={work.partial('send')}", f"retry={retry}",
        "retry_marks_dead=True", f"delete={delete}", f"attempts_max={planned.attempts_max}",
        f"concurrency={planned.concurrency}",
    ]  # fmt: skip
    work.queues.append(python.call("Queue", *parts))


def _started(code: Code, planned: PlannedJob, head: str) -> str:
    query = next(q for id in planned.queries if (q := code.design.query(id)) and q.base.startswith(head))
    return code.statement(query)


def _query(code: Code, planned: PlannedJob, base: str) -> PlannedQuery:
    found = find(code.design, planned.name, base)
    if found is None:
        raise AssertionError(f"{planned.name} sends no {base}")
    return found


def _worked(work: Work, planned: PlannedJob, job: Job, thing: Thing) -> None:
    """Takes rows out of a state: asks others or the owner, and moves each on under its attempt."""
    code, noun = work.code, names.kebab(thing.resource.name)
    name, one = names.snake(job.name), thing.noun
    given_up = find(code.design, planned.name, f"give-up-{noun}-in-{names.kebab(job.name)}")
    work.queues.append(_queue(work, planned, job, thing, gives_up=given_up is not None))
    module = Shared(code, thing)
    code.gap()
    code.runtime("Deadline")
    head = "service: Service, row: Mapping[str, Any], deadline: Deadline"
    with code.block(f"async def {name}_one({head}) -> None:"):
        code.doc(planned.says or f"Takes one {thing.spoken} from {job.from_state} to {job.to_state}")
        if job.calls or job.hook:
            code.line(f"{one} = {module.row_of('row')}")
        if job.hook and job.calls:
            code.line(f"await {hooks.imported(code, job)}(service, deadline, {one})")
        told = _asked(code, job, thing)
        if keeps_origin(job, thing):
            _origin(code, job, thing)
        _moved(module, planned, job, told)
    if given_up is not None:
        _given_up(module, job, given_up, head)


def _queue(work: Work, planned: PlannedJob, job: Job, thing: Thing, *, gives_up: bool) -> python.Group:
    code, noun, name = work.code, names.kebab(thing.resource.name), names.snake(job.name)
    claim = _query(code, planned, f"claim-for-{names.kebab(job.name)}")
    retry = _query(code, planned, f"retry-{noun}")
    lease_s = max(_LONG_S, 2 * sum(step.timeout_s or 0.0 for step in planned.flow.calls))
    parts = [
        f"name={python.quoted(job.name)}", f"claim={code.statement(claim)}", f"work={work.partial(f'{name}_one')}",
        f"retry={code.statement(retry)}", f"attempts_max={job.attempts_max}", f"concurrency={job.concurrency}",
        f"lease_s={number(lease_s)}",
    ]  # fmt: skip
    if gives_up:
        parts.insert(4, f"give_up={work.partial(f'{name}_given_up')}")
    if job.every_s:
        parts.append(f"poll_s={number(job.every_s)}")
    if postpone := find(code.design, planned.name, f"postpone-{noun}"):
        parts.append(f"postpone={code.statement(postpone)}")
    return python.call("Queue", *parts)


def _moved(module: Module, planned: PlannedJob, job: Job, told: list[str]) -> None:
    """Moves a row on: by one statement where nothing else is written with it, else in a transaction."""
    code, thing = module, module.thing
    done = _query(code, planned, f"finish-{names.kebab(thing.resource.name)}-in-{names.kebab(job.name)}")
    given = _settled(job.to_state, job, thing, told)
    is_used = keeps_origin(job, thing)
    if not is_used and (job.calls or not job.hook):
        code.put(code.send("service.database.fetchrow", done, given, "deadline"), before="await ")
        return
    with code.block("async with service.database.transaction(deadline) as tx:"):
        if job.hook and not job.calls:
            code.line(f"await {hooks.imported(code, job)}(tx, {thing.noun})")
        code.put(code.send("tx.fetchrow", done, given), before="row_now = await " if is_used else "await ")
        if is_used:
            with code.block("if row_now is None:"):
                code.comment("Another worker has claimed it since: that worker's result counts.")
                code.line("return")
            if shown := _event_view(module, job):
                code.put(shown, before="shown = ")
            keeping.emit(module, job.emits, origin="task", shown="shown")
            keeping.audit(module, origin="task", id=_shown_id(module), changes=_status(job.to_state))
    if job.emits:
        code.line('service.wake("relayOutbox")')


def keeps_origin(job: Job, thing: Thing) -> bool:
    """Whether somebody is named for the move: in an event, or in the audit trail."""
    return bool(job.emits) or thing.resource.audit in ("all", "writes")


def _status(state: str) -> str:
    return python.flat(python.mapping([("status", python.quoted(state))])) if state else '{"is_done": True}'


def _event_view(module: Module, job: Job) -> python.Group | None:
    """Events show the object as callers see it; lists are never part of one."""
    if not job.emits:
        return None
    given: list[python.Part] = ["row_now", *(["service.cipher"] if values.is_sealed(module.thing) else [])]
    given += [f"{each}=()" for each in list_members(module.thing)]
    return python.call(f"{module.shape(module.thing.shape)}.of", *given)


def list_members(thing: Thing) -> list[str]:
    from nines.building.resources import shapes  # noqa: PLC0415 -- of this one place

    return [values.attribute(shapes.member(field)) for field in thing.lists()]


def _shown_id(module: Module) -> str:
    if not module.thing.prefix:
        return 'str(row["id"])'
    module.runtime("identifier_text")
    return f'identifier_text(row["id"], {python.quoted(module.thing.prefix)})'


def _origin(code: Code, job: Job, thing: Thing) -> None:
    code.runtime("Task")
    given = [f"operation={python.quoted(job.name)}"]
    if thing.tenant:
        column = thing.table.column(thing.tenant)
        is_text = column is not None and column.type == "text"
        value = f"row[{python.quoted(thing.tenant)}]"
        given.append(f"tenant={value if is_text else f'str({value})'}")
    code.put(python.call("Task", *given), before="task = ")


def _asked(code: Code, job: Job, thing: Thing) -> list[str]:
    """Asks each under a key made of the row, its version and the job: asking again does nothing twice."""
    if not job.calls:
        return []
    noun = thing.noun
    version = f"-{{{noun}.version}}" if thing.is_versioned else ""
    code.line(f'key = f"{{{noun}.id}}{version}-{job.name}"')
    code.runtime("Declined", "GiveUp")
    told: list[str] = []
    with code.block("try:"):
        for index, verb in enumerate(job.calls):
            variable = f"told_{index + 1}" if len(job.calls) > 1 else "told"
            asked = python.call(f"service.{ports.attribute(code.design, verb, job.on)}", "deadline", noun, "key=key")
            code.put(asked, before=f"{variable} = await " if thing.told else "await ")
            told.append(variable)
    with code.block("except Declined as refusal:"):
        code.line("raise GiveUp from refusal")
    return told


def _settled(state: str, job: Job, thing: Thing, told: list[str]) -> dict[str, str]:
    given = {
        "id": 'row["id"]',
        "attempts": 'row["attempts"]',
        "to_status": python.quoted(state),
        "from_status": python.quoted(job.from_state),
    }
    for column in thing.told_columns:
        found = " or ".join(f"{each}.{values.attribute(column.name)}" for each in reversed(told))
        given.setdefault(column.name, found or "None")
    return given


def _given_up(module: Module, job: Job, query: PlannedQuery, head: str) -> None:
    code, thing = module, module.thing
    code.gap()
    with code.block(f"async def {names.snake(job.name)}_given_up({head}) -> None:"):
        code.doc(f"The last attempt failed, or it was refused for good: it goes to {job.failed_state}")
        audited = thing.resource.audit in ("all", "writes")
        if audited:
            _origin(code, job, thing)
        with code.block("async with service.database.transaction(deadline) as tx:"):
            sent = code.send("tx.fetchrow", query, _settled(job.failed_state, job, thing, []))
            code.put(sent, before="row_now = await " if audited else "await ")
            if audited:
                with code.block("if row_now is not None:"):
                    keeping.audit(module, origin="task", id=_shown_id(module), changes=_status(job.failed_state))


def _finisher(work: Work, planned: PlannedJob, operation: Operation) -> None:
    """Asks again for what a dead process, or a dependency that did not answer, left reserved."""
    code = work.code
    thing = thing_of(code.design, operation.on)
    endpoint = code.design.endpoint(operation.name)
    assert thing is not None
    assert endpoint is not None
    if not modules.asks_reserved(thing, endpoint, operation):
        return
    claim = _query(code, planned, f"claim-reserved-{names.kebab(thing.resource.name)}")
    name = names.snake(planned.name)
    parts = [
        f"name={python.quoted(planned.name)}", f"claim={code.statement(claim)}",
        f"claim_arguments=({python.quoted(operation.name)},)", f"work={work.partial(name)}",
        f"lease_s={number(asking.lease_s(endpoint))}", f"poll_s={number(planned.every_s or 5.0)}",
    ]  # fmt: skip
    work.queues.append(python.call("Queue", *parts))
    code.gap()
    code.runtime("Deadline", "Declined", "Task")
    where = names.module_of(thing.table.name)
    settle = f"settle_{names.snake(operation.name)}"
    code.generated(where, settle)
    with code.block(f"async def {name}(service: Service, row: Mapping[str, Any], deadline: Deadline) -> None:"):
        code.doc(planned.says)
        code.line('remembered = row["pending_request"]')
        given: list[python.Part] = [f"operation={python.quoted(operation.name)}"]
        given += ['tenant=remembered["tenant"]', 'subject=remembered["subject"]', 'request_id=remembered["request_id"]']
        code.put(python.call("Task", *given), before="task = ")
        code.imports.add("contextlib", "suppress")
        with code.block("with suppress(Declined):"):
            row = "row, " if asking.uses_row(operation) else ""
            code.line(f'await {settle}(service, deadline, task, {row}row["pending_id"], remembered)')
        if operation.emits:
            code.line('service.wake("relayOutbox")')


def _scheduled(work: Work, planned: PlannedJob, job: Job) -> None:
    code = work.code
    every = number(job.every_s or 60.0)
    if job.hook:
        function = hooks.imported(code, job)
        work.schedules.append(
            python.call(
                "Schedule", f"name={python.quoted(job.name)}", f"every_s={every}", f"run={work.partial(function)}"
            )
        )
    del planned

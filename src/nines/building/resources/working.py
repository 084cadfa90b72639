"""Jobs that take rows out of a state: ask others or the owner about each, and move it on."""

from __future__ import annotations

from nines.building import names, python
from nines.building.resources import hooks, keeping, ports, values
from nines.building.resources.code import Code, Module, Shared
from nines.building.resources.facts import Thing, find
from nines.building.resources.guards import number
from nines.model.blueprint import Job
from nines.model.design import Design, PlannedJob, PlannedQuery

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


def query_of(code: Code, planned: PlannedJob, base: str) -> PlannedQuery:
    found = find(code.design, planned.name, base)
    if found is None:
        raise AssertionError(f"{planned.name} sends no {base}")
    return found


def worked(work: Work, planned: PlannedJob, job: Job, thing: Thing) -> None:
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
    claim = query_of(code, planned, f"claim-for-{names.kebab(job.name)}")
    retry = query_of(code, planned, f"retry-{noun}")
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
    done = query_of(code, planned, f"finish-{names.kebab(thing.resource.name)}-in-{names.kebab(job.name)}")
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

"""`_generated/jobs.py`: work outside requests, each piece a function, and the list of all of it."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building import names, python
from nines.building.file import File
from nines.building.resources import asking, hooks, modules, purging
from nines.building.resources.code import Code
from nines.building.resources.facts import blueprint_of, thing_of
from nines.building.resources.guards import number
from nines.building.resources.working import Work, query_of, worked
from nines.model.blueprint import Job, Operation
from nines.model.design import Design, PlannedJob

_DAY_S = 86_400.0
RELAY = "relayOutbox"
SAGAS = "continueSagas"


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
        worked(work, planned, job, thing)
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


def _finisher(work: Work, planned: PlannedJob, operation: Operation) -> None:
    """Asks again for what a dead process, or a dependency that did not answer, left reserved."""
    code = work.code
    thing = thing_of(code.design, operation.on)
    endpoint = code.design.endpoint(operation.name)
    assert thing is not None
    assert endpoint is not None
    if not modules.asks_reserved(thing, endpoint, operation):
        return
    claim = query_of(code, planned, f"claim-reserved-{names.kebab(thing.resource.name)}")
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

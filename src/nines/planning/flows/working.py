"""Jobs: a piece of work is claimed with SKIP LOCKED, done outside any transaction, settled by its last claimant."""

# ruff: noqa: S608 -- Names are quoted and values are placeholders; nothing of a caller becomes part of a text.

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint, Consumer, Job, Operation, Resource
from nines.model.design import Branch, PlannedTable, Reception, StepKind
from nines.model.design.ddl import literal, quoted
from nines.model.record import Record
from nines.planning.data import consuming as received
from nines.planning.data import facts, own
from nines.planning.data.names import kebab, plural, snake, table_name
from nines.planning.data.tables import is_purged
from nines.planning.flows import changing, consuming, keeping, purging, queueing, sagas
from nines.planning.flows.draft import Draft, Script, timeout_s
from nines.planning.flows.keeping import LEASE_S, interval
from nines.planning.flows.reading import shown
from nines.planning.flows.statement import Statement, Wish, both, listed
from nines.planning.flows.writing import failed_state, settle_reserved

FINISH_EVERY_S = 5.0
RELAY = "relayOutbox"
TAKEN_AT_ONCE = 8
"""Events of so many subjects, by one process."""


class Work(Record):
    """A job with its script."""

    script: Script
    says: str
    resource: str = ""
    every_s: float | None = None
    attempts_max: int = 1
    concurrency: int = 1
    dead_letter: str = ""
    receives: Reception | None = None
    feeds: str = ""
    """The operation or table whose rate its own follows."""


def works(blueprint: Blueprint, tables: tuple[PlannedTable, ...]) -> Iterator[Work]:
    """The blueprint's jobs first, then those that the design itself needs."""
    for job in blueprint.jobs:
        yield _job(blueprint, tables, job)
    if any(table.name == facts.own_name(blueprint, own.OUTBOX) for table in tables):
        yield _relay(blueprint, tables)
    for consumer in blueprint.consumers:
        yield _consumer(blueprint, tables, consumer)
    for operation in blueprint.operations:
        resource = blueprint.resource(operation.on)
        if resource and table_holds(tables, resource) and operation.calls:
            yield _finisher(blueprint, tables, operation, resource)
    spanning = tuple(operation for operation in blueprint.operations if operation.saga)
    if spanning:
        yield _sagas(blueprint, tables, spanning)
    for table in tables:
        if is_purged(table) and not purging.goes_with_parent(table):
            yield _purge(blueprint, tables, table)


def _consumer(blueprint: Blueprint, tables: tuple[PlannedTable, ...], consumer: Consumer) -> Work:
    resource = blueprint.resource(consumer.on)
    return Work(
        script=consuming.take(blueprint, tables, consumer),
        says=consumer.says or consuming.says(consumer),
        resource=consumer.on,
        attempts_max=consumer.attempts_max,
        concurrency=TAKEN_AT_ONCE,
        dead_letter=consuming.dead_letter(blueprint, consumer),
        receives=Reception(
            type=received.type_of(blueprint, consumer),
            dependency=consumer.source,
            address=received.address(blueprint, consumer),
            finds=received.finding(blueprint, consumer),
            sets=received.taken_over(blueprint, consumer, resource) if resource else (),
        ),
    )


def table_holds(tables: tuple[PlannedTable, ...], resource: Resource) -> bool:
    table = next((each for each in tables if each.resource == resource.name), None)
    return table is not None and table.column("pending_operation") is not None


def _job(blueprint: Blueprint, tables: tuple[PlannedTable, ...], job: Job) -> Work:
    resource = blueprint.resource(job.on)
    draft = Draft(blueprint, tables, job.name)
    draft.isolate(queueing.ISOLATION, queueing.REASON)
    if job == own.mail_job(blueprint):
        queueing.send(draft, job)
    elif resource is None or not job.from_state:
        _scheduled(draft, job)
    else:
        _worked(draft, job, resource)
    return Work(
        script=draft.done(),
        says=job.says or _job_says(job),
        resource=job.on,
        every_s=job.every_s,
        attempts_max=job.attempts_max,
        concurrency=job.concurrency,
        dead_letter=_dead_letter(blueprint, job),
        feeds=job.on,
    )


def _dead_letter(blueprint: Blueprint, job: Job) -> str:
    if job == own.mail_job(blueprint):
        return f"{own.queue_name(job)} with is_dead"
    return f"{table_name(job.on)} in state {job.failed_state}" if job.failed_state else ""


def _job_says(job: Job) -> str:
    if job.from_state and job.to_state:
        return f"Takes each {snake(job.on).replace('_', ' ')} from {job.from_state} to {job.to_state}."
    return f"Runs {job.hook}." if job.hook else ""


def _worked(draft: Draft, job: Job, resource: Resource) -> None:
    noun = keeping.subject(resource)
    lease_s = max(LEASE_S, 2 * sum(timeout_s(draft.callee(verb)[1]) for verb in job.calls))
    many = plural(noun) if job.concurrency > 1 else noun
    draft.query(
        _claim(draft, job, resource, lease_s), f"claim up to {job.concurrency} {many} that are due, for {lease_s:g} s"
    )
    if job.calls:
        _ask_owner(draft, job)
    for verb in job.calls:
        name = draft.callee(verb)[0]
        late = Branch(
            when=f"{name} does not answer or is out of order", then="it becomes due again later, with a longer wait"
        )
        found = (late, _given_up(job)) if job.failed_state else (late,)
        draft.call(verb, f"ask {verb} for each, under a key made of the row and the job", branches=found)
    draft.begin()
    if not job.calls:
        _ask_owner(draft, job)
    lost = Branch(when="another worker has claimed it since", then="nothing is written; that worker's result counts")
    done = _settle(
        draft,
        job,
        resource,
        job.to_state,
        id=f"finish-{kebab(resource.name)}-in-{kebab(job.name)}",
        is_answered=bool(job.calls),
    )
    draft.query(done, f"settle it{f' as {job.to_state}' if job.to_state else ''}", branches=(lost,))
    draft.also(_retry(draft, resource))
    if job.hook:
        draft.also(_postpone(draft, job, resource))
    if job.failed_state:
        draft.also(
            _settle(draft, job, resource, job.failed_state, id=f"give-up-{kebab(resource.name)}-in-{kebab(job.name)}")
        )
    keeping.emit(draft, job)
    keeping.audit(draft, resource)
    draft.commit()
    keeping.publish(draft, job)


def _ask_owner(draft: Draft, job: Job) -> None:
    """Before others are asked; where nobody is, in the transaction that settles."""
    if job.hook:
        wait = f"in {job.every_s:g} s" if job.every_s else "after its wait"
        early = Branch(when="the function says that it is too early", then=f"it becomes due again {wait}")
        draft.add(StepKind.COMPUTE, f"run the owner's function {job.hook}", branches=(early,))


def _given_up(job: Job) -> Branch:
    then = f"it goes to {job.failed_state}, where somebody looks at it"
    return Branch(when=f"attempt {job.attempts_max} failed as well, or it was refused for good", then=then)


def _scheduled(draft: Draft, job: Job) -> None:
    if job.every_s:
        queueing.take_turn(draft, job.every_s)
    for verb in job.calls:
        draft.call(verb, f"ask {verb}")
    if job.hook:
        failed = Branch(when="it fails", then="it is run again at the next turn, and the failure is counted")
        draft.add(StepKind.COMPUTE, f"run the owner's function {job.hook}", branches=(failed,))


def _claim(draft: Draft, job: Job, resource: Resource, lease_s: float) -> Statement:
    table = draft.table(table_name(resource.name))
    return queueing.claiming(
        draft,
        table,
        id=f"claim-for-{kebab(job.name)}",
        where=f"status = {literal(job.from_state)}",
        also="\n      AND pending_operation IS NULL" if table.column("pending_operation") else "",
        rows_max=job.concurrency,
        lease_s=lease_s,
        columns=list(dict.fromkeys([*shown(table, resource), "attempts"])),
    )


def _settle(draft: Draft, job: Job, resource: Resource, state: str, *, id: str, is_answered: bool = False) -> Statement:
    table = draft.table(table_name(resource.name))
    sql = draft.sql(table)
    moved = [f"status = {sql.bind(literal(state), 'to_status')}"] if state else []
    moved += changing.told(draft, resource, sql) if is_answered else []
    made = ["version = version + 1", "updated_at = now()"] if table.column("version") else []
    rest = ["attempts = 0", "next_attempt_at = now()", "last_error = NULL"]
    conditions = [
        sql.equal("id"),
        f"status = {sql.bind(literal(job.from_state), 'from_status')}",
        sql.equal("attempts"),
    ]
    text = (
        f"UPDATE {quoted(table.name)}\nSET {', '.join([*moved, *rest, *made])}\nWHERE {both(conditions)}\n"
        f"RETURNING {listed(shown(table, resource))}"
    )
    return sql.done(id, text, wish=Wish(table=table.name, equal=("id",)), rows_max=1, is_write=True)


def _retry(draft: Draft, resource: Resource) -> Statement:
    table = draft.table(table_name(resource.name))
    sql = draft.sql(table)
    error, wait = sql.value("last_error"), sql.bind(interval(LEASE_S), "wait")
    text = (
        f"UPDATE {quoted(table.name)}\nSET last_error = {error}, next_attempt_at = now() + {wait}::interval\n"
        f"WHERE {both([sql.equal('id'), sql.equal('attempts')])}"
    )
    wish = Wish(table=table.name, equal=("id",))
    says = "the wait doubles with each attempt and is jittered"
    return sql.done(f"retry-{kebab(resource.name)}", text, wish=wish, rows_max=0, is_write=True, says=says)


def _postpone(draft: Draft, job: Job, resource: Resource) -> Statement:
    """For what the owner's function finds too early: the attempt is taken back, for nothing failed."""
    table = draft.table(table_name(resource.name))
    sql = draft.sql(table)
    wait = sql.bind(interval(job.every_s or LEASE_S), "wait")
    text = (
        f"UPDATE {quoted(table.name)}\nSET attempts = attempts - 1, next_attempt_at = now() + {wait}::interval\n"
        f"WHERE {both([sql.equal('id'), sql.equal('attempts')])}"
    )
    wish = Wish(table=table.name, equal=("id",))
    says = "it was too early: no attempt is counted"
    return sql.done(f"postpone-{kebab(resource.name)}", text, wish=wish, rows_max=0, is_write=True, says=says)


def _finisher(blueprint: Blueprint, tables: tuple[PlannedTable, ...], operation: Operation, resource: Resource) -> Work:
    """Finishes what a dead process, or a dependency that did not answer, left reserved."""
    name = f"finish{operation.name[:1].upper()}{operation.name[1:]}"
    draft = Draft(blueprint, tables, name)
    draft.isolate(queueing.ISOLATION, queueing.REASON)
    draft.query(_claim_reserved(draft, operation, resource), "claim the rows whose holder has been silent for too long")
    for verb in operation.calls:
        same = Branch(when=f"{draft.callee(verb)[0]} did it before", then="it answers as then, for the key is the same")
        draft.call(verb, f"ask {verb} again under the same key", branches=(same,))
    draft.begin()
    settle_reserved(draft, operation, resource, "its first holder settled it after all", "nothing is written")
    draft.also(changing.settle(draft, resource, failed_state(operation, resource)))
    keeping.post(draft, operation)
    keeping.emit(draft, operation)
    keeping.audit(draft, resource)
    keeping.finish_key(draft, operation)
    draft.commit()
    keeping.publish(draft, operation)
    return Work(
        script=draft.done(),
        says=f"Settles what {operation.name} left reserved.",
        resource=resource.name,
        every_s=FINISH_EVERY_S,
        attempts_max=queueing.ATTEMPTS_MAX,
        concurrency=1,
        dead_letter=f"{table_name(resource.name)} reserved for more than an hour: an alert, and a person",
    )


def _claim_reserved(draft: Draft, operation: Operation, resource: Resource) -> Statement:
    table = draft.table(table_name(resource.name))
    sql = draft.sql(table)
    name = quoted(table.name)
    held = sql.bind(literal(operation.name), "pending_operation")
    limit = sql.bind(str(queueing.ROWS_MAX), "limit")
    lease = sql.bind(interval(changing.reservation_s(draft, operation)), "lease")
    columns = [*shown(table, resource), "pending_id", "pending_request"]
    text = (
        f"WITH due AS (\n    SELECT id\n    FROM {name}\n    WHERE pending_operation = {held}\n"
        f"      AND pending_until <= now()\n    ORDER BY pending_until\n    LIMIT {limit}\n"
        "    FOR UPDATE SKIP LOCKED\n)\n"
        f"UPDATE {name}\nSET pending_until = now() + {lease}::interval\nFROM due\nWHERE {name}.id = due.id\n"
        f"RETURNING {', '.join(f'{name}.{quoted(column)}' for column in columns)}"
    )
    wish = Wish(
        table=table.name,
        equal=("pending_operation",),
        order=("pending_until",),
        where="pending_operation IS NOT NULL",
    )
    id = f"claim-reserved-{kebab(resource.name)}"
    return sql.done(id, text, wish=wish, rows_max=queueing.ROWS_MAX, is_write=True)


def _sagas(blueprint: Blueprint, tables: tuple[PlannedTable, ...], operations: tuple[Operation, ...]) -> Work:
    draft = Draft(blueprint, tables, "continueSagas")
    sagas.carry_on(draft, operations)
    return Work(
        script=draft.done(),
        says="Takes up what a dead process left half done, forwards or back.",
        every_s=FINISH_EVERY_S,
        attempts_max=sagas.ADVANCES_MAX,
        dead_letter=f"{facts.own_name(blueprint, own.SAGAS)} in status stuck",
    )


def _relay(blueprint: Blueprint, tables: tuple[PlannedTable, ...]) -> Work:
    draft = Draft(blueprint, tables, RELAY)
    queueing.relay(draft)
    name = facts.own_name(blueprint, own.OUTBOX)
    return Work(
        script=draft.done(),
        says="Delivers what the outbox holds, at least once, oldest first.",
        attempts_max=queueing.ATTEMPTS_MAX,
        dead_letter=f"{name} with is_dead",
        feeds=name,
    )


def _purge(blueprint: Blueprint, tables: tuple[PlannedTable, ...], table: PlannedTable) -> Work:
    words = "".join(word.capitalize() for word in table.name.split("_"))
    draft = Draft(blueprint, tables, f"{'roll' if table.partition_by else 'purge'}{words}")
    if table.partition_by:
        purging.roll(draft, table)
        says = f"Makes the next partitions of {table.name}, and drops those that are over."
    else:
        purging.purge(draft, table)
        says = f"Deletes what {table.name} no longer needs to keep."
    return Work(script=draft.done(), says=says, resource=table.resource, every_s=purging.EVERY_S, feeds=table.name)

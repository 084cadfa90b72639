"""Jobs: a piece of work is claimed with SKIP LOCKED, done outside any transaction, settled by its last claimant."""

# ruff: noqa: S608 -- Names are quoted and values are placeholders; nothing of a caller becomes part of a text.

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint, Job, Operation, Resource
from nines.model.design import Branch, PlannedTable, StepKind
from nines.model.design.ddl import RETENTION, literal, quoted
from nines.model.record import Record
from nines.planning.data import facts, own
from nines.planning.data.names import kebab, snake, table_name
from nines.planning.data.tables import is_purged
from nines.planning.flows import changing, keeping, sagas
from nines.planning.flows.draft import Draft, Script, timeout_s
from nines.planning.flows.keeping import LEASE_S, interval
from nines.planning.flows.reading import shown
from nines.planning.flows.statement import Statement, Wish, both
from nines.planning.flows.writing import failed_state, settled_state

PURGE_ROWS_MAX = 1_000
"""Of one transaction: short enough to hold no lock that anybody notices."""
PURGE_EVERY_S = 3_600.0
RELAY_ROWS_MAX = 100
RELAY_ATTEMPTS_MAX = 20
"""With a wait that doubles up to an hour: most of a day."""
RELAY_EVERY_S = 1.0
FINISH_EVERY_S = 5.0
_LONG_AGO = "'00000000-0000-7000-8000-000000000000'"
_ISOLATION = "read committed"
_REASON = (
    "FOR UPDATE SKIP LOCKED gives each worker other rows, and the settling statement names the attempt that it settles."
)


class Work(Record):
    """A job with its script."""

    script: Script
    says: str
    resource: str = ""
    every_s: float | None = None
    attempts_max: int = 1
    concurrency: int = 1
    dead_letter: str = ""
    feeds: str = ""
    """The operation or table whose rate its own follows."""


def works(blueprint: Blueprint, tables: tuple[PlannedTable, ...]) -> Iterator[Work]:
    """The blueprint's jobs first, then those that the design itself needs."""
    for job in blueprint.jobs:
        yield _job(blueprint, tables, job)
    if any(table.name == facts.own_name(blueprint, own.OUTBOX) for table in tables):
        yield _relay(blueprint, tables)
    for operation in blueprint.operations:
        resource = blueprint.resource(operation.on)
        if resource and table_holds(tables, resource) and operation.calls:
            yield _finisher(blueprint, tables, operation, resource)
    spanning = tuple(operation for operation in blueprint.operations if operation.saga)
    if spanning:
        yield _sagas(blueprint, tables, spanning)
    for table in tables:
        if is_purged(table) and not _goes_with_parent(table):
            yield _purge(blueprint, tables, table)


def table_holds(tables: tuple[PlannedTable, ...], resource: Resource) -> bool:
    table = next((each for each in tables if each.resource == resource.name), None)
    return table is not None and table.column("pending_operation") is not None


def _job(blueprint: Blueprint, tables: tuple[PlannedTable, ...], job: Job) -> Work:
    resource = blueprint.resource(job.on)
    draft = Draft(blueprint, tables, job.name)
    draft.isolate(_ISOLATION, _REASON)
    if resource is None or not job.from_state:
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
        dead_letter=f"{table_name(job.on)} in state {job.failed_state}" if job.failed_state else "",
        feeds=job.on,
    )


def _job_says(job: Job) -> str:
    if job.from_state and job.to_state:
        return f"Takes each {snake(job.on).replace('_', ' ')} from {job.from_state} to {job.to_state}."
    return f"Runs {job.hook}." if job.hook else ""


def _worked(draft: Draft, job: Job, resource: Resource) -> None:
    noun = keeping.subject(resource)
    lease_s = max(LEASE_S, 2 * sum(timeout_s(draft.callee(verb)[1]) for verb in job.calls))
    draft.query(_claim(draft, job, resource, lease_s), f"claim the next {noun} that is due, for {lease_s:g} s")
    for verb in job.calls:
        name = draft.callee(verb)[0]
        late = Branch(
            when=f"{name} does not answer or is out of order", then="it becomes due again later, with a longer wait"
        )
        draft.call(verb, f"ask {verb} under a key made of the row and the job", branches=(late,))
    if job.hook:
        draft.add(StepKind.COMPUTE, f"run the owner's function {job.hook}")
    draft.begin()
    lost = Branch(when="another worker has claimed it since", then="nothing is written; that worker's result counts")
    done = _settle(draft, job, resource, job.to_state, id=f"finish-{kebab(resource.name)}-in-{kebab(job.name)}")
    draft.query(done, f"settle it{f' as {job.to_state}' if job.to_state else ''}", branches=(lost,))
    draft.also(_retry(draft, resource))
    if job.failed_state:
        draft.also(
            _settle(draft, job, resource, job.failed_state, id=f"give-up-{kebab(resource.name)}-in-{kebab(job.name)}")
        )
    keeping.audit(draft, resource)
    draft.commit()


def _scheduled(draft: Draft, job: Job) -> None:
    if job.every_s:
        _take_turn(draft, job.every_s)
    for verb in job.calls:
        draft.call(verb, f"ask {verb}")
    if job.hook:
        failed = Branch(when="it fails", then="it is run again at the next turn, and the failure is counted")
        draft.add(StepKind.COMPUTE, f"run the owner's function {job.hook}", branches=(failed,))


def _take_turn(draft: Draft, every_s: float) -> None:
    other = Branch(when="it is not due, or another process took this turn", then="nothing happens")
    draft.query(_turn(draft, every_s), "take this turn of the schedule", branches=(other,))


def _turn(draft: Draft, every_s: float) -> Statement:
    table = draft.table(facts.own_name(draft.blueprint, own.SCHEDULES))
    sql = draft.sql(table)
    name = sql.bind(literal(draft.name))
    text = (
        f"INSERT INTO {table.name} (name, due_at)\nVALUES ({name}, now() + {sql.bind(interval(every_s))}::interval)\n"
        f"ON CONFLICT (name) DO UPDATE\nSET due_at = EXCLUDED.due_at\n"
        f"WHERE {table.name}.due_at <= now()\nRETURNING name"
    )
    return sql.done("take-turn", text, wish=Wish(table=table.name, equal=("name",)), rows_max=1, is_write=True)


def _claim(draft: Draft, job: Job, resource: Resource, lease_s: float) -> Statement:
    table = draft.table(table_name(resource.name))
    sql = draft.sql(table)
    where = f"status = {literal(job.from_state)}"
    held = "\n      AND pending_operation IS NULL" if table.column("pending_operation") else ""
    name = quoted(table.name)
    limit, lease = sql.bind(str(job.concurrency)), sql.bind(interval(lease_s))
    text = (
        f"WITH due AS (\n    SELECT id\n    FROM {name}\n    WHERE {where}\n      AND next_attempt_at <= now(){held}\n"
        f"    ORDER BY next_attempt_at\n    LIMIT {limit}\n    FOR UPDATE SKIP LOCKED\n)\n"
        f"UPDATE {name}\nSET attempts = {name}.attempts + 1, next_attempt_at = now() + {lease}::interval\n"
        f"FROM due\nWHERE {name}.id = due.id\n"
        f"RETURNING {', '.join(f'{name}.{quoted(column)}' for column in [*shown(table, resource), 'attempts'])}"
    )
    wish = Wish(table=table.name, order=("next_attempt_at",), where=where)
    return sql.done(f"claim-for-{kebab(job.name)}", text, wish=wish, rows_max=job.concurrency, is_write=True)


def _settle(draft: Draft, job: Job, resource: Resource, state: str, *, id: str) -> Statement:
    table = draft.table(table_name(resource.name))
    sql = draft.sql(table)
    moved = [f"status = {sql.bind(literal(state))}"] if state else []
    made = ["version = version + 1", "updated_at = now()"] if table.column("version") else []
    rest = ["attempts = 0", "next_attempt_at = now()", "last_error = NULL"]
    conditions = [sql.equal("id"), f"status = {sql.bind(literal(job.from_state))}", sql.equal("attempts")]
    text = (
        f"UPDATE {quoted(table.name)}\nSET {', '.join([*moved, *rest, *made])}\nWHERE {both(conditions)}\nRETURNING id"
    )
    return sql.done(id, text, wish=Wish(table=table.name, equal=("id",)), rows_max=1, is_write=True)


def _retry(draft: Draft, resource: Resource) -> Statement:
    table = draft.table(table_name(resource.name))
    sql = draft.sql(table)
    error, wait = sql.value("last_error"), sql.bind(interval(LEASE_S))
    text = (
        f"UPDATE {quoted(table.name)}\nSET last_error = {error}, next_attempt_at = now() + {wait}::interval\n"
        f"WHERE {both([sql.equal('id'), sql.equal('attempts')])}"
    )
    wish = Wish(table=table.name, equal=("id",))
    says = "the wait doubles with each attempt and is jittered"
    return sql.done(f"retry-{kebab(resource.name)}", text, wish=wish, rows_max=0, is_write=True, says=says)


def _relay(blueprint: Blueprint, tables: tuple[PlannedTable, ...]) -> Work:
    draft = Draft(blueprint, tables, "relayOutbox")
    draft.isolate(_ISOLATION, _REASON)
    table = draft.table(facts.own_name(blueprint, own.OUTBOX))
    broker = blueprint.events.broker or "subscribers"
    draft.query(_claim_events(draft, table), f"claim up to {RELAY_ROWS_MAX} events that are due")
    late = Branch(
        when=f"{broker} does not take them", then="they become due again, with a wait that doubles and is jittered"
    )
    draft.add(StepKind.PUBLISH, "publish each under its own id", target=broker, branches=(late,))
    twice = Branch(
        when="the process dies before this", then="they are published again; consumers drop what they have by its id"
    )
    draft.query(_delete_events(draft, table), "delete what was taken", branches=(twice,))
    draft.also(_retry_event(draft, table))
    return Work(
        script=draft.done(),
        says="Delivers what the outbox holds, at least once, oldest first.",
        every_s=None,
        attempts_max=RELAY_ATTEMPTS_MAX,
        concurrency=1,
        dead_letter=f"{table.name} with is_dead",
        feeds=table.name,
    )


def _claim_events(draft: Draft, table: PlannedTable) -> Statement:
    sql = draft.sql(table)
    name = table.name
    limit, lease = sql.bind(str(RELAY_ROWS_MAX)), sql.bind(interval(LEASE_S))
    columns = [
        column.name for column in table.columns if column.name not in ("is_dead", "next_attempt_at", "last_error")
    ]
    text = (
        f"WITH due AS (\n    SELECT id\n    FROM {name}\n    WHERE NOT is_dead\n      AND next_attempt_at <= now()\n"
        f"    ORDER BY next_attempt_at\n    LIMIT {limit}\n    FOR UPDATE SKIP LOCKED\n)\n"
        f"UPDATE {name}\nSET attempts = {name}.attempts + 1, next_attempt_at = now() + {lease}::interval\n"
        f"FROM due\nWHERE {name}.id = due.id\nRETURNING {', '.join(f'{name}.{quoted(column)}' for column in columns)}"
    )
    wish = Wish(table=name, order=("next_attempt_at",), where="NOT is_dead")
    return sql.done("claim-events", text, wish=wish, rows_max=RELAY_ROWS_MAX, is_write=True)


def _delete_events(draft: Draft, table: PlannedTable) -> Statement:
    sql = draft.sql(table)
    text = f"DELETE FROM {table.name}\nWHERE id = ANY({sql.array('id')})"
    return sql.done("delete-events", text, wish=Wish(table=table.name, equal=("id",)), rows_max=0, is_write=True)


def _retry_event(draft: Draft, table: PlannedTable) -> Statement:
    sql = draft.sql(table)
    error, wait, most = sql.value("last_error"), sql.bind(interval(LEASE_S)), sql.bind(str(RELAY_ATTEMPTS_MAX))
    text = (
        f"UPDATE {table.name}\nSET last_error = {error}, next_attempt_at = now() + {wait}::interval, "
        f"is_dead = attempts >= {most}\nWHERE {both([sql.equal('id'), sql.equal('attempts')])}"
    )
    return sql.done("retry-event", text, wish=Wish(table=table.name, equal=("id",)), rows_max=0, is_write=True)


def _finisher(blueprint: Blueprint, tables: tuple[PlannedTable, ...], operation: Operation, resource: Resource) -> Work:
    """Finishes what a dead process, or a dependency that did not answer, left reserved."""
    name = f"finish{operation.name[:1].upper()}{operation.name[1:]}"
    draft = Draft(blueprint, tables, name)
    draft.isolate(_ISOLATION, _REASON)
    draft.query(_claim_reserved(draft, operation, resource), "claim the rows whose holder has been silent for too long")
    for verb in operation.calls:
        same = Branch(when=f"{draft.callee(verb)[0]} did it before", then="it answers as then, for the key is the same")
        draft.call(verb, f"ask {verb} again under the same key", branches=(same,))
    draft.begin()
    good, bad = settled_state(operation, resource), failed_state(operation, resource)
    late = Branch(when="its first holder settled it after all", then="nothing is written")
    statement = changing.settle(draft, resource, operation, good)
    draft.query(statement, f"settle the row{f' as {good}' if good else ''}", branches=(late,))
    if bad:
        draft.also(changing.settle(draft, resource, operation, bad))
    keeping.post(draft, operation)
    keeping.emit(draft, operation, resource)
    keeping.audit(draft, resource)
    draft.commit()
    keeping.publish(draft, operation)
    return Work(
        script=draft.done(),
        says=f"Settles what {operation.name} left reserved.",
        resource=resource.name,
        every_s=FINISH_EVERY_S,
        attempts_max=RELAY_ATTEMPTS_MAX,
        concurrency=1,
        dead_letter=f"{table_name(resource.name)} reserved for more than an hour: an alert, and a person",
    )


def _claim_reserved(draft: Draft, operation: Operation, resource: Resource) -> Statement:
    table = draft.table(table_name(resource.name))
    sql = draft.sql(table)
    name = quoted(table.name)
    held = sql.bind(literal(operation.name))
    limit = sql.bind(str(RELAY_ROWS_MAX))
    lease = sql.bind(interval(changing.reservation_s(draft, operation)))
    columns = [*shown(table, resource), "pending_request"]
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
    return sql.done(f"claim-reserved-{kebab(resource.name)}", text, wish=wish, rows_max=RELAY_ROWS_MAX, is_write=True)


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


def _goes_with_parent(table: PlannedTable) -> bool:
    """Rows of a list end with the row that they belong to."""
    key = table.primary_key
    return (
        any(column.name == key[0] and column.on_delete == "CASCADE" for column in table.columns if key)
        and table.column("expires_at") is None
    )


def _purge(blueprint: Blueprint, tables: tuple[PlannedTable, ...], table: PlannedTable) -> Work:
    words = "".join(word.capitalize() for word in table.name.split("_"))
    draft = Draft(blueprint, tables, f"purge{words}")
    draft.isolate(_ISOLATION, "Rows that are over are changed by nobody; SKIP LOCKED passes those that still are.")
    _take_turn(draft, PURGE_EVERY_S)
    if table.is_append_only:
        draft.begin()
        draft.query(_allow(table), "allow this one transaction to delete from a table that only grows")
    draft.query(
        _delete_old(draft, table),
        f"delete up to {PURGE_ROWS_MAX:,} rows whose time is over; repeat until none is left",
        is_repeated=True,
    )
    if table.is_append_only:
        draft.commit()
    return Work(
        script=draft.done(),
        says=f"Deletes what {table.name} no longer needs to keep.",
        resource=table.resource,
        every_s=PURGE_EVERY_S,
        feeds=table.name,
    )


def _allow(table: PlannedTable) -> Statement:
    return Statement(
        id="allow-retention", text=f"SELECT set_config('{RETENTION}', 'on', true)", tables=(table.name,), rows_max=1
    )


def expiry(table: PlannedTable) -> tuple[str, str]:
    """The column by which rows end, and what it is compared with: their own end, else their identifier or birth."""
    if table.column("expires_at"):
        return "expires_at", "now()"
    identity = table.column("id")
    if identity and identity.type == "uuid" and table.primary_key == ("id",):
        return "id", ""
    return ("received_at", "") if table.column("received_at") else ("created_at", "")


def _delete_old(draft: Draft, table: PlannedTable) -> Statement:
    sql = draft.sql(table)
    column, now = expiry(table)
    limit = sql.bind(str(PURGE_ROWS_MAX))
    if now:
        bound = now
    elif column == "id":
        bound = f"{sql.bind(_LONG_AGO)}::uuid"
    else:
        bound = f"now() - {sql.bind(interval(table.retention_s or 0.0))}::interval"
    name = quoted(table.name)
    children = [
        f"NOT EXISTS (SELECT 1 FROM {quoted(each.name)} AS child WHERE child.{quoted(c.name)} = {name}.id)"
        for each in draft.tables
        for c in each.columns
        if c.references == f"{table.name}.id" and c.on_delete == "RESTRICT" and each.name != table.name
    ]
    conditions = "\n      AND ".join([f"{column} < {bound}", *children])
    text = (
        f"DELETE FROM {name}\nWHERE ctid = ANY (ARRAY(\n    SELECT ctid\n    FROM {name}\n    WHERE {conditions}\n"
        f"    ORDER BY {column}\n    LIMIT {limit}\n    FOR UPDATE SKIP LOCKED\n))"
    )
    says = "the bound is the smallest version 7 identifier of the day before which rows end" if column == "id" else ""
    wish = Wish(table=table.name, order=(column,))
    return sql.done(f"purge-{kebab(table.name)}", text, wish=wish, rows_max=0, is_write=True, says=says)

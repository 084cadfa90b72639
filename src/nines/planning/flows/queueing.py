"""Tables that are queues: rows are claimed for a lease, deleted when they are done, and kept as dead when they fail."""

# ruff: noqa: S608 -- Names are quoted and values are placeholders; nothing of a caller becomes part of a text.

from __future__ import annotations

from nines.model.blueprint import Job
from nines.model.design import Branch, PlannedTable, StepKind
from nines.model.design.ddl import literal, quoted
from nines.planning.data import facts, own
from nines.planning.data.names import kebab
from nines.planning.flows.draft import Draft
from nines.planning.flows.keeping import LEASE_S, interval
from nines.planning.flows.statement import Statement, Wish, both

ROWS_MAX = 100
"""Of one claim."""
ATTEMPTS_MAX = 20
"""With a wait that doubles up to an hour: most of a day."""
ISOLATION = "read committed"
REASON = (
    "FOR UPDATE SKIP LOCKED gives each worker other rows, and the settling statement names the attempt that it settles."
)
_FIRST = """
      AND NOT EXISTS (
        SELECT
        FROM {table} AS earlier
        WHERE earlier.subject_id = {table}.subject_id
          AND NOT earlier.is_dead
          AND (earlier.created_at, earlier.id) < ({table}.created_at, {table}.id)
      )"""
"""Of each object the first event that was not delivered: the next one is nobody's until this one is gone."""
_SAME = "earlier.destination = {table}.destination"
_AGAIN = "it becomes due again, with a wait that doubles and is jittered"


def relay(draft: Draft) -> None:
    """Publishes what the outbox holds."""
    draft.isolate(ISOLATION, REASON)
    table = draft.table(facts.own_name(draft.blueprint, own.OUTBOX))
    broker = draft.blueprint.events.broker or "subscribers"
    is_ordered = own.is_in_order(draft.blueprint)
    says = f"claim up to {ROWS_MAX} events that are due{', of each object its first' if is_ordered else ''}"
    draft.query(_claim(draft, table, ROWS_MAX, is_ordered=is_ordered), says)
    late = Branch(when=f"{broker} does not take it", then=_AGAIN)
    draft.add(StepKind.PUBLISH, "publish each under its own id", target=broker, branches=(late,))
    then = "they are published again; consumers drop what they have by its id"
    twice = Branch(when="the process dies before this", then=then)
    draft.query(
        _delete(draft, table),
        "delete what was taken",
        branches=(twice,),
    )
    draft.also(_retry(draft, table, ATTEMPTS_MAX))


def send(draft: Draft, job: Job) -> None:
    """Sends what was left for a job in a queue of its own."""
    draft.isolate(ISOLATION, REASON)
    table = draft.table(own.queue_name(job))
    draft.query(_claim(draft, table, job.concurrency), f"claim up to {job.concurrency} messages that are due")
    for verb in job.calls:
        name = draft.callee(verb)[0]
        late = Branch(
            when=f"{name} does not take it", then="it becomes due again, with a wait that doubles and is jittered"
        )
        draft.call(verb, f"ask {verb} under the message's own id", branches=(late,))
    if job.hook:
        draft.add(StepKind.COMPUTE, f"run the owner's function {job.hook}")
    twice = Branch(when="the process dies before this", then="the message may be sent twice, rather than never")
    draft.query(_delete(draft, table), "delete what was sent", branches=(twice,))
    draft.also(_retry(draft, table, job.attempts_max))


def take_turn(draft: Draft, every_s: float) -> None:
    """Of several processes one runs a scheduled job."""
    other = Branch(when="it is not due, or another process took this turn", then="nothing happens")
    draft.query(_turn(draft, every_s), "take this turn of the schedule", branches=(other,))


def claiming(
    draft: Draft,
    table: PlannedTable,
    *,
    id: str,
    where: str,
    also: str,
    rows_max: int,
    lease_s: float,
    columns: list[str],
) -> Statement:
    """Rows that are due, each to one worker for the time of its lease."""
    sql = draft.sql(table)
    name = quoted(table.name)
    limit, lease = sql.bind(str(rows_max), "limit"), sql.bind(interval(lease_s), "lease")
    text = (
        f"WITH due AS (\n    SELECT id\n    FROM {name}\n    WHERE {where}\n      AND next_attempt_at <= now(){also}\n"
        f"    ORDER BY next_attempt_at\n    LIMIT {limit}\n    FOR UPDATE SKIP LOCKED\n)\n"
        f"UPDATE {name}\nSET attempts = {name}.attempts + 1, next_attempt_at = now() + {lease}::interval\n"
        f"FROM due\nWHERE {name}.id = due.id\nRETURNING {', '.join(f'{name}.{quoted(column)}' for column in columns)}"
    )
    wish = Wish(table=table.name, order=("next_attempt_at",), where=where)
    return sql.done(id, text, wish=wish, rows_max=rows_max, is_write=True)


def _claim(draft: Draft, table: PlannedTable, rows_max: int, *, is_ordered: bool = False) -> Statement:
    work = ("is_dead", "next_attempt_at", "last_error")
    columns = [column.name for column in table.columns if column.name not in work]
    also = _FIRST.format(table=quoted(table.name)) if is_ordered else ""
    if is_ordered and own.takes_own(draft.blueprint):
        # Whoever takes it here, and the broker, do not wait for one another.
        also = also.replace(
            "\n          AND NOT earlier",
            f"\n          AND {_SAME.format(table=quoted(table.name))}\n          AND NOT earlier",
        )
    return claiming(
        draft,
        table,
        id=f"claim-from-{kebab(table.name)}",
        where="NOT is_dead",
        also=also,
        rows_max=rows_max,
        lease_s=LEASE_S,
        columns=columns,
    )


def _delete(draft: Draft, table: PlannedTable) -> Statement:
    sql = draft.sql(table)
    text = f"DELETE FROM {table.name}\nWHERE id = ANY({sql.array('id')})"
    wish = Wish(table=table.name, equal=("id",))
    return sql.done(f"delete-from-{kebab(table.name)}", text, wish=wish, rows_max=0, is_write=True)


def _retry(draft: Draft, table: PlannedTable, attempts_max: int) -> Statement:
    sql = draft.sql(table)
    error, wait = sql.value("last_error"), sql.bind(interval(LEASE_S), "wait")
    most = sql.bind(str(attempts_max), "attempts_max")
    text = (
        f"UPDATE {table.name}\nSET last_error = {error}, next_attempt_at = now() + {wait}::interval, "
        f"is_dead = attempts >= {most}\nWHERE {both([sql.equal('id'), sql.equal('attempts')])}"
    )
    wish = Wish(table=table.name, equal=("id",))
    return sql.done(f"retry-in-{kebab(table.name)}", text, wish=wish, rows_max=0, is_write=True)


def _turn(draft: Draft, every_s: float) -> Statement:
    table = draft.table(facts.own_name(draft.blueprint, own.SCHEDULES))
    sql = draft.sql(table)
    name, every = sql.bind(literal(draft.name), "name"), sql.bind(interval(every_s), "every")
    text = (
        f"INSERT INTO {table.name} (name, due_at)\nVALUES ({name}, now() + {every}::interval)\n"
        f"ON CONFLICT (name) DO UPDATE\nSET due_at = EXCLUDED.due_at\n"
        f"WHERE {table.name}.due_at <= now()\nRETURNING name"
    )
    return sql.done("take-turn", text, wish=Wish(table=table.name, equal=("name",)), rows_max=1, is_write=True)

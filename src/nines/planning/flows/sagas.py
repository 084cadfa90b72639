"""Operations over several modules: local transactions in a row, each with what undoes it."""

# ruff: noqa: S608 -- Names are quoted and values are placeholders; nothing of a caller becomes part of a text.

from __future__ import annotations

from nines.model.blueprint import Operation, Resource, SagaStep
from nines.model.design import Branch, PlannedTable, StepKind
from nines.model.design.ddl import literal
from nines.planning.data import facts, own
from nines.planning.flows import changing, keeping
from nines.planning.flows.checking import check
from nines.planning.flows.draft import Draft
from nines.planning.flows.keeping import LEASE_S, interval
from nines.planning.flows.statement import Statement, Wish, both

ADVANCES_MAX = 10
"""How often a step is tried before a person is called."""
CLAIMED_MAX = 20


def orchestrate(draft: Draft, operation: Operation, resource: Resource | None) -> None:
    """The saga's row is written first and moved on with each step, so that a dead process loses none."""
    draft.isolate(
        "read committed",
        "Each step is a transaction of its own; between them others see what is done so far, which the states say, "
        "and compensation takes back what must not stay.",
    )
    check(draft, operation)
    table = draft.table(facts.own_name(draft.blueprint, own.SAGAS))
    draft.begin()
    keeping.claim_key(draft, operation)
    if resource is not None and operation.do.value == "create":
        twice = Branch(when="a unique key is taken", then="nothing is written", status=409)
        insert = changing.insert(draft, resource, operation)
        draft.query(insert, f"insert the {keeping.subject(resource)}", branches=(twice,))
        for statement in changing.insert_children(draft, resource):
            draft.query(statement, f"insert its {statement.tables[0].replace('_', ' ')}")
    draft.query(_start(draft, table, operation), "write down the saga with its first step")
    draft.commit("commit: from here on the saga is finished or undone, whatever dies")
    for number, step in enumerate(operation.saga):
        _step(draft, table, operation, step, number)
    draft.begin()
    draft.query(_move(draft, table, "finished"), "mark the saga as finished")
    keeping.post(draft, operation)
    keeping.emit(draft, operation)
    keeping.audit(draft, resource)
    keeping.finish_key(draft, operation)
    draft.commit()
    draft.add(StepKind.RESPOND, "answer with the outcome, or 202 where it takes longer than the caller may wait")


def carry_on(draft: Draft, operations: tuple[Operation, ...]) -> None:
    """What the job does: it takes up each saga whose process has fallen silent."""
    draft.isolate(
        "read committed",
        "FOR UPDATE SKIP LOCKED gives each worker other sagas, and the step in the condition lets one of two go on.",
    )
    table = draft.table(facts.own_name(draft.blueprint, own.SAGAS))
    draft.query(_claim(draft, table), "claim the sagas that have not moved for too long")
    names = ", ".join(operation.name for operation in operations)
    stuck = Branch(
        when=f"a compensation failed {ADVANCES_MAX} times", then="the saga is marked as stuck, and a person is called"
    )
    draft.add(StepKind.COMPUTE, f"find the next step of {names}, forwards or back", branches=(stuck,))
    draft.query(_advance(draft, table), "move the saga on")
    draft.also(_move(draft, table, "compensated"), _move(draft, table, "stuck"))


def _step(draft: Draft, table: PlannedTable, operation: Operation, step: SagaStep, number: int) -> None:
    undone = [each.undo for each in operation.saga[:number] if each.undo][::-1]
    back = f"it is undone by {', '.join(undone)}" if undone else "nothing has to be undone"
    refused = Branch(when=f"{step.do} is refused for good", then=back, status=409)
    silent = Branch(when="its outcome is not known", then="the job asks again under the same key", status=202)
    is_call = "." in step.do or step.do in own.remote_steps(draft.blueprint, operation)
    if is_call:
        draft.call(
            step.do if "." in step.do else step.module,
            f"ask for {step.do} under a key made of the saga and the step",
            branches=(refused, silent),
            undo=step.undo,
        )
        draft.query(_advance(draft, table), f"note that {step.do} is done")
    else:
        draft.begin()
        draft.add(StepKind.COMPUTE, f"carry out {step.do}", branches=(refused,), undo=step.undo)
        draft.query(_advance(draft, table), f"note in the same transaction that {step.do} is done")
        draft.commit()


def _start(draft: Draft, table: PlannedTable, operation: Operation) -> Statement:
    sql = draft.sql(table)
    columns = [column.name for column in table.columns if (not column.default and column.name != "last_error")]
    values = [
        sql.bind(literal(operation.name)) if name == "operation" else sql.value(name, is_fresh=name == "id")
        for name in columns
    ]
    lease = sql.bind(interval(LEASE_S))
    text = (
        f"INSERT INTO {table.name} ({', '.join(columns)}, next_attempt_at)\n"
        f"VALUES ({', '.join(values)}, now() + {lease}::interval)"
    )
    return sql.done("start-saga", text, rows_max=0, is_write=True)


def _advance(draft: Draft, table: PlannedTable) -> Statement:
    sql = draft.sql(table)
    state, status, lease = sql.value("state"), sql.value("status"), sql.bind(interval(LEASE_S))
    text = (
        f"UPDATE {table.name}\nSET step = step + 1, state = {state}, status = {status}, attempts = 0,\n"
        f"    next_attempt_at = now() + {lease}::interval\nWHERE {both([sql.equal('id'), sql.equal('step')])}"
    )
    return sql.done("advance-saga", text, wish=Wish(table=table.name, equal=("id",)), rows_max=0, is_write=True)


def _move(draft: Draft, table: PlannedTable, status: str) -> Statement:
    sql = draft.sql(table)
    text = f"UPDATE {table.name}\nSET status = {sql.bind(literal(status))}\nWHERE {sql.equal('id')}"
    return sql.done("end-saga", text, wish=Wish(table=table.name, equal=("id",)), rows_max=0, is_write=True)


def _claim(draft: Draft, table: PlannedTable) -> Statement:
    sql = draft.sql(table)
    name = table.name
    where = "status IN ('running', 'compensating')"
    limit, lease = sql.bind(str(CLAIMED_MAX)), sql.bind(interval(LEASE_S))
    columns = ("id", "operation", "subject_id", "step", "status", "state", "attempts")
    text = (
        f"WITH due AS (\n    SELECT id\n    FROM {name}\n    WHERE {where}\n      AND next_attempt_at <= now()\n"
        f"    ORDER BY next_attempt_at\n    LIMIT {limit}\n    FOR UPDATE SKIP LOCKED\n)\n"
        f"UPDATE {name}\nSET attempts = {name}.attempts + 1, next_attempt_at = now() + {lease}::interval\n"
        f"FROM due\nWHERE {name}.id = due.id\nRETURNING {', '.join(f'{name}.{column}' for column in columns)}"
    )
    wish = Wish(table=name, order=("next_attempt_at",), where=where)
    return sql.done("claim-sagas", text, wish=wish, rows_max=CLAIMED_MAX, is_write=True)

"""Operations over several modules: local transactions in a row, each with what undoes it."""

# ruff: noqa: S608 -- Names are quoted and values are placeholders; nothing of a caller becomes part of a text.

from __future__ import annotations

from nines.model.blueprint import Action, Operation, Resource, SagaStep
from nines.model.design import Branch, PlannedTable, StepKind
from nines.model.design.ddl import literal, quoted
from nines.planning.data import facts, own
from nines.planning.data.names import kebab, table_name
from nines.planning.flows import changing, keeping
from nines.planning.flows.checking import check
from nines.planning.flows.draft import Draft
from nines.planning.flows.keeping import LEASE_S, interval
from nines.planning.flows.reading import one, shown
from nines.planning.flows.statement import Statement, Wish, both, listed
from nines.planning.flows.writing import CHANGED, MISSING, taken

ADVANCES_MAX = 10
"""How often a step is tried before a person is called."""
CLAIMED_MAX = 20


def orchestrate(draft: Draft, operation: Operation, resource: Resource | None) -> None:
    """The saga's row is written with the first change and moved on with each step: a dead process loses none."""
    draft.isolate(
        "read committed",
        "Each step is a transaction of its own; between them others see what is done so far, which the states say, "
        "and compensation takes back what must not stay.",
    )
    check(draft, operation)
    table = draft.table(facts.own_name(draft.blueprint, own.SAGAS))
    draft.begin()
    keeping.claim_key(draft, operation)
    if resource is not None:
        _change_first(draft, operation, resource)
    draft.query(_start(draft, table, operation), "write down the saga, its first step next")
    if operation.is_asynchronous:
        keeping.finish_key(draft, operation)
    draft.commit("commit: from here on the saga is finished or undone, whatever dies")
    if operation.is_asynchronous:
        draft.add(StepKind.RESPOND, f"answer {draft.status or 202} with where the status can be read")
    for number, step in enumerate(operation.saga):
        _step(draft, table, operation, step, number)
    draft.begin()
    draft.query(_end(draft, table, "finished"), "mark the saga as finished")
    if resource is not None and (operation.posts or operation.emits):
        draft.query(_subject(draft, resource), f"read the {keeping.subject(resource)} as it is now")
    keeping.post(draft, operation)
    keeping.emit(draft, operation)
    if not operation.is_asynchronous:
        keeping.finish_key(draft, operation)
    draft.commit()
    keeping.publish(draft, operation)
    if not operation.is_asynchronous:
        draft.add(StepKind.RESPOND, f"answer {draft.status or 200} with the outcome")


def carry_on(draft: Draft, operations: tuple[Operation, ...]) -> None:
    """What the job does: it takes up each saga whose process has fallen silent."""
    draft.isolate(
        "read committed",
        "FOR UPDATE SKIP LOCKED gives each worker other sagas, and the step in the condition lets one of two go on.",
    )
    table = draft.table(facts.own_name(draft.blueprint, own.SAGAS))
    draft.query(_claim(draft, table), f"claim up to {CLAIMED_MAX} sagas that have not moved for {LEASE_S:g} s")
    stuck = Branch(
        when=f"a compensation failed {ADVANCES_MAX} times", then="the saga is marked as stuck, and a person is called"
    )
    draft.add(StepKind.COMPUTE, "find the next step of each, forwards or back", branches=(stuck,))
    same = Branch(when="it was done before", then="it answers as then, for the key is the same")
    remote = [_target(step) for each in operations for step in each.saga if _is_remote(draft, each, step)]
    for target in dict.fromkeys(remote):
        draft.call(target, f"ask {target.partition('.')[0]} under the key of the saga and the step", branches=(same,))
    draft.query(_advance(draft, table), "move the saga on, with what was done")
    for each in operations:
        resource = draft.blueprint.resource(each.on)
        if resource is not None and (each.posts or each.emits):
            draft.also(_subject(draft, resource))
    draft.also(_end(draft, table, "compensated"), _end(draft, table, "stuck"))


def _change_first(draft: Draft, operation: Operation, resource: Resource) -> None:
    """What the caller sees at once, in the transaction that begins the saga."""
    if operation.do is Action.CREATE:
        draft.query(
            changing.insert(draft, resource, operation),
            f"insert the {keeping.subject(resource)}",
            branches=taken(resource),
        )
        for statement in changing.insert_children(draft, resource):
            draft.query(statement, f"insert its {statement.tables[0].replace('_', ' ')}")
    elif operation.do is Action.TRANSITION:
        states = facts.sources(draft.blueprint, resource, operation.to_state)
        late = Branch(when=f"its state is not {' or '.join(states)}", then="nothing is changed", status=409)
        move = changing.transition(draft, resource, operation, states)
        draft.query(move, f"move it to {operation.to_state}", branches=(MISSING, late, CHANGED))
        draft.also(one(draft, resource, draft.changers(resource), suffix="-to-change"))
    else:
        return
    keeping.audit(draft, resource)


def _step(draft: Draft, table: PlannedTable, operation: Operation, step: SagaStep, number: int) -> None:
    refused = Branch(when=f"{step.do} is refused for good", then=_back(draft, operation, number))
    if _is_remote(draft, operation, step):
        silent = Branch(when="its outcome is not known", then="the job asks again under the same key")
        says = f"ask for {step.do} under a key made of the saga and the step"
        draft.call(_target(step), says, branches=(refused, silent), undo=step.undo)
        draft.query(_advance(draft, table), f"note that {step.do} is done")
        return
    draft.begin()
    local = draft.blueprint.operation(step.do)
    resource = draft.blueprint.resource(local.on) if local else None
    if local and resource and local.do is Action.TRANSITION:
        move = changing.move_by_service(
            draft, resource, local, facts.sources(draft.blueprint, resource, local.to_state)
        )
        draft.query(move, f"carry out {step.do}", branches=(refused,), undo=step.undo)
        keeping.emit(draft, local)
        keeping.audit(draft, resource)
        _compensate(draft, step, resource)
    else:
        draft.add(StepKind.COMPUTE, f"carry out {step.do}", branches=(refused,), undo=step.undo)
    draft.query(_advance(draft, table), f"note in the same transaction that {step.do} is done")
    draft.commit()


def _compensate(draft: Draft, step: SagaStep, resource: Resource) -> None:
    """The statement that takes a local step back, or ends the object of a saga that failed before it."""
    back = draft.blueprint.operation(step.undo)
    if back and back.do is Action.TRANSITION and back.on == resource.name:
        draft.also(
            changing.move_by_service(draft, resource, back, facts.sources(draft.blueprint, resource, back.to_state))
        )


def _back(draft: Draft, operation: Operation, number: int) -> str:
    """What was done is undone, the last first; what is undone on the saga's own object ends it as well."""
    undone = [each.undo for each in operation.saga[:number] if each.undo][::-1]
    own_steps = (each for each in operation.saga[number:] if each.undo and not _is_remote(draft, operation, each))
    named = list(dict.fromkeys([*undone, *(each.undo for each in own_steps)]))
    return f"the saga goes back: {', then '.join(named)}" if named else "the saga ends; there is nothing to undo"


def _is_remote(draft: Draft, operation: Operation, step: SagaStep) -> bool:
    return "." in step.do or step.do in own.remote_steps(draft.blueprint, operation)


def _target(step: SagaStep) -> str:
    return step.do if "." in step.do else step.module


def _start(draft: Draft, table: PlannedTable, operation: Operation) -> Statement:
    sql = draft.sql(table)
    columns = [column.name for column in table.columns if (not column.default and column.name != "last_error")]
    values = [
        sql.bind(literal(operation.name), "operation")
        if name == "operation"
        else sql.value(name, is_fresh=name == "id")
        for name in columns
    ]
    lease = sql.bind(interval(LEASE_S), "lease")
    text = (
        f"INSERT INTO {table.name} ({', '.join(columns)}, next_attempt_at)\n"
        f"VALUES ({', '.join(values)}, now() + {lease}::interval)"
    )
    return sql.done("start-saga", text, rows_max=0, is_write=True)


def _advance(draft: Draft, table: PlannedTable) -> Statement:
    sql = draft.sql(table)
    state, status, lease = sql.value("state"), sql.value("status"), sql.bind(interval(LEASE_S), "lease")
    text = (
        f"UPDATE {table.name}\nSET step = step + 1, state = {state}, status = {status}, attempts = 0,\n"
        f"    next_attempt_at = now() + {lease}::interval\nWHERE {both([sql.equal('id'), sql.equal('step')])}"
    )
    return sql.done("advance-saga", text, wish=Wish(table=table.name, equal=("id",)), rows_max=0, is_write=True)


def _end(draft: Draft, table: PlannedTable, status: str) -> Statement:
    sql = draft.sql(table)
    text = f"UPDATE {table.name}\nSET status = {sql.bind(literal(status), 'to_status')}\nWHERE {sql.equal('id')}"
    return sql.done("end-saga", text, wish=Wish(table=table.name, equal=("id",)), rows_max=0, is_write=True)


def _subject(draft: Draft, resource: Resource) -> Statement:
    """What the saga is about, for whoever is told of its end; the service itself asks."""
    table = draft.table(table_name(resource.name))
    sql = draft.sql(table)
    text = f"SELECT {listed(shown(table, resource))}\nFROM {quoted(table.name)}\nWHERE {sql.equal('id')}"
    wish = Wish(table=table.name, equal=("id",))
    return sql.done(f"read-{kebab(resource.name)}-by-saga", text, wish=wish, rows_max=1)


def _claim(draft: Draft, table: PlannedTable) -> Statement:
    sql = draft.sql(table)
    name = table.name
    where = "status IN ('running', 'compensating')"
    limit, lease = sql.bind(str(CLAIMED_MAX), "limit"), sql.bind(interval(LEASE_S), "lease")
    columns = ("id", "operation", "subject_id", "step", "status", "state", "attempts")
    text = (
        f"WITH due AS (\n    SELECT id\n    FROM {name}\n    WHERE {where}\n      AND next_attempt_at <= now()\n"
        f"    ORDER BY next_attempt_at\n    LIMIT {limit}\n    FOR UPDATE SKIP LOCKED\n)\n"
        f"UPDATE {name}\nSET attempts = {name}.attempts + 1, next_attempt_at = now() + {lease}::interval\n"
        f"FROM due\nWHERE {name}.id = due.id\nRETURNING {', '.join(f'{name}.{column}' for column in columns)}"
    )
    wish = Wish(table=name, order=("next_attempt_at",), where=where)
    return sql.done("claim-sagas", text, wish=wish, rows_max=CLAIMED_MAX, is_write=True)

"""Work outside requests: what tells that it waits, was given up or is overdue, and the statements that help."""

# ruff: noqa: S608 -- Names are quoted and values are literals of the design; nothing of a caller is in a text.

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Action, Blueprint, Job, Operation
from nines.model.design import Alert, Deployable, Design, PlannedJob, PlannedTable, Watch
from nines.model.design.ddl import literal, quoted
from nines.model.words import duration
from nines.planning.data import facts, own
from nines.planning.flows.working import RELAY
from nines.planning.running import names
from nines.planning.running.causes import alert, fires, silent, steady
from nines.planning.running.objectives import is_queue
from nines.planning.running.promql import among, equal, number, selector

STALE_FOR_S = 60.0
DEAD_WINDOW_S = 6 * 3_600.0
OVERDUE_TURNS = 3
OVERDUE_GRACE_S = 300.0
CASE_EVERY_S = 60.0
"""The turn of the job in a case: the rule asks the job itself how long its turn is."""
HELD_S = 3_600.0
"""How long a reservation may be held before a person looks."""
ROWS_SHOWN = 20
_NOBODY = "'00000000-0000-7000-8000-000000000000'"
_SAGAS, _FINISH = "continueSagas", "finish"


def alerts(design: Design, deployables: tuple[Deployable, ...]) -> Iterator[Alert]:
    if design.is_recovered or not design.jobs:
        return
    jobs = among("job", [each.name for each in deployables])
    first = equal("job", deployables[0].name)
    waiting = tuple(job.name for job in design.jobs if is_queue(job) or job.name in held(design))
    lettered = tuple(job.name for job in design.jobs if job.dead_letter)
    timed = tuple(job for job in design.jobs if job.every_s)
    if waiting:
        yield _stale(design, jobs, first, waiting)
    if lettered:
        yield _dead(design, jobs, first, lettered)
    if timed:
        yield _overdue(design, jobs, first, timed)


def held(design: Design) -> frozenset[str]:
    """The jobs that sweep up every few seconds what was left behind: they have a queue as well as a turn."""
    operations = design.blueprint.operations if design.blueprint else ()
    names_of = {_finisher(each): each for each in operations}
    return frozenset(job.name for job in design.jobs if job.name == _SAGAS or job.name in names_of)


def watches(design: Design) -> tuple[Watch, ...]:
    blueprint = design.blueprint
    if blueprint is None:
        return ()
    return tuple(_watch(design, blueprint, job) for job in design.jobs)


def _stale(design: Design, jobs: str, first: str, tasks: tuple[str, ...]) -> Alert:
    limit_s = design.budgets.recovery_s
    chosen = selector(names.TASK_OLDEST_SECONDS, jobs, among("task", tasks))
    one = selector(names.TASK_OLDEST_SECONDS, first, equal("task", tasks[0]))
    return alert(
        names.tasks_stale(design.name),
        kind="stale",
        about=tasks[0] if len(tasks) == 1 else "",
        severity="page",
        expression=f"max by (task) ({chosen}) > {number(limit_s)}",
        for_s=STALE_FOR_S,
        threshold=limit_s,
        says=f"The oldest piece of work has been due for over {duration(limit_s)}, the recovery budget: nobody does "
        "it, or it comes faster than it is done.",
        metric=names.TASK_OLDEST_SECONDS,
        cases=(
            fires("twice the limit", ((one, steady(2 * limit_s)),), STALE_FOR_S + 120, task=tasks[0]),
            silent("half the limit", ((one, steady(limit_s / 2)),), STALE_FOR_S + 120),
            silent("nothing waits", ((one, steady(0)),), STALE_FOR_S + 120),
        ),
    )


def _dead(design: Design, jobs: str, first: str, tasks: tuple[str, ...]) -> Alert:
    chosen = selector(names.TASK_DEAD, jobs, among("task", tasks))
    one = selector(names.TASK_DEAD, first, equal("task", tasks[0]))
    return alert(
        names.tasks_dead(design.name),
        kind="dead",
        about=tasks[0] if len(tasks) == 1 else "",
        severity="ticket",
        expression=f"sum by (task) (increase({chosen}[{int(DEAD_WINDOW_S // 3_600)}h])) > 0",
        threshold=0,
        says=f"Within {duration(DEAD_WINDOW_S)} work was given up after its last attempt; it waits for a person.",
        metric=names.TASK_DEAD,
        cases=(
            fires("one piece was given up", ((one, "0x9 1x110"),), 1_200, task=tasks[0]),
            silent("none was", ((one, steady(0)),), 1_200),
        ),
    )


def _overdue(design: Design, jobs: str, first: str, timed: tuple[PlannedJob, ...]) -> Alert:
    success, interval = (selector(each, jobs) for each in (names.TASK_SUCCESS_SECONDS, names.TASK_INTERVAL_SECONDS))
    name = timed[0].name
    task = equal("task", name)

    def series(last: str) -> tuple[tuple[str, str], ...]:
        return (
            (selector(names.TASK_SUCCESS_SECONDS, first, task), last),
            (selector(names.TASK_INTERVAL_SECONDS, first, task), steady(CASE_EVERY_S)),
        )

    late = OVERDUE_TURNS * CASE_EVERY_S + OVERDUE_GRACE_S + 120
    return alert(
        names.tasks_overdue(design.name),
        kind="overdue",
        about=name if len(timed) == 1 else "",
        severity="ticket",
        expression=f"time() - max by (task) ({success})\n"
        f"> {OVERDUE_TURNS} * max by (task) ({interval}) + {number(OVERDUE_GRACE_S)}",
        threshold=OVERDUE_TURNS,
        says=f"A scheduled job has not ended well for {OVERDUE_TURNS} of its turns and {duration(OVERDUE_GRACE_S)}.",
        metric=names.TASK_SUCCESS_SECONDS,
        cases=(
            fires("it never ended well since the start", series("0x120"), late, task=name),
            silent("it ended well a minute ago", series("0+60x120"), late),
        ),
    )


def _finisher(operation: Operation) -> str:
    return f"{_FINISH}{operation.name[:1].upper()}{operation.name[1:]}"


def _watch(design: Design, blueprint: Blueprint, job: PlannedJob) -> Watch:
    written = next((each for each in blueprint.jobs if each.name == job.name), None)
    operation = next((each for each in blueprint.operations if each.calls and _finisher(each) == job.name), None)
    if job.receives is not None and job.receives.dependency:
        return _events(design, job, facts.own_name(blueprint, own.DEAD_EVENTS))
    if job.name == RELAY or job.receives is not None:
        return _letters(design, job, facts.own_name(blueprint, own.OUTBOX), ("id", "event", "subject_id"))
    if written and written == own.mail_job(blueprint):
        return _letters(design, job, own.queue_name(written), ("id", "template"))
    if job.name == _SAGAS:
        return _stuck(design, job, facts.own_name(blueprint, own.SAGAS))
    if operation:
        return _reserved(design, job, operation)
    if written and written.from_state:
        return _rows(design, blueprint, job, written)
    return _turns(design, job, facts.own_name(blueprint, own.SCHEDULES))


def _letters(design: Design, job: PlannedJob, name: str, shown: tuple[str, ...]) -> Watch:
    """A table that is a queue, with its dead letters in it."""
    if design.table(name) is None:
        return Watch(task=job.name)
    table = quoted(name)
    return Watch(
        task=job.name,
        table=name,
        waiting=_waiting(table, "NOT is_dead AND next_attempt_at <= now()", "next_attempt_at"),
        given_up=f"SELECT {', '.join(shown)}, attempts, last_error, created_at FROM {table}\n"
        f"WHERE is_dead ORDER BY created_at LIMIT {ROWS_SHOWN};",
        again=f"UPDATE {table} SET is_dead = false, attempts = 0, next_attempt_at = now()\n"
        f"WHERE is_dead AND id = {_NOBODY};",
    )


def _events(design: Design, job: PlannedJob, name: str) -> Watch:
    """What waits stands at the broker; what could not be taken stands here."""
    if design.table(name) is None:
        return Watch(task=job.name)
    table, whose = quoted(name), f"consumer = {literal(job.name)}"
    return Watch(
        task=job.name,
        table=name,
        waiting=f"SELECT count(*), now() - min(again_at) AS oldest FROM {table}\nWHERE {whose} AND again_at <= now();",
        given_up=f"SELECT source, id, type, subject, attempts, reason, created_at FROM {table}\n"
        f"WHERE {whose} ORDER BY created_at LIMIT {ROWS_SHOWN};",
        again=f"UPDATE {table} SET again_at = now()\nWHERE {whose} AND id = {_NOBODY};",
    )


def _stuck(design: Design, job: PlannedJob, name: str) -> Watch:
    if design.table(name) is None:
        return Watch(task=job.name)
    table = quoted(name)
    return Watch(
        task=job.name,
        table=name,
        waiting=_waiting(
            table, "status IN ('running', 'compensating') AND next_attempt_at <= now()", "next_attempt_at"
        ),
        given_up=f"SELECT id, operation, subject_id, step, attempts, last_error, created_at FROM {table}\n"
        f"WHERE status = 'stuck' ORDER BY created_at LIMIT {ROWS_SHOWN};",
        again=f"UPDATE {table} SET status = 'compensating', attempts = 0, next_attempt_at = now()\n"
        f"WHERE status = 'stuck' AND id = {_NOBODY};",
    )


def _reserved(design: Design, job: PlannedJob, operation: Operation) -> Watch:
    table = design.table_of(operation.on)
    if table is None or table.column("pending_until") is None:
        return Watch(task=job.name)
    name, which = quoted(table.name), f"pending_operation = {literal(operation.name)}"
    since = "updated_at" if table.column("updated_at") else "created_at"
    is_dated = table.column(since) is not None
    return Watch(
        task=job.name,
        table=table.name,
        waiting=_waiting(name, f"{which} AND pending_until <= now()", "pending_until"),
        given_up=f"SELECT id, pending_until{f', {since}' if is_dated else ''} FROM {name}\nWHERE {which}"
        + (f" AND {since} < now() - interval '{HELD_S:g} seconds'" if is_dated else "")
        + f" ORDER BY {since if is_dated else 'pending_until'} LIMIT {ROWS_SHOWN};",
        again=f"UPDATE {name} SET pending_until = now()\nWHERE {which} AND id = {_key(table)};",
    )


def _rows(design: Design, blueprint: Blueprint, job: PlannedJob, written: Job) -> Watch:
    table = design.table_of(written.on)
    if table is None or table.column("next_attempt_at") is None:
        return Watch(task=job.name)
    name = quoted(table.name)
    back = next(
        (
            each.name
            for each in blueprint.operations
            if each.on == written.on and each.do is Action.TRANSITION and each.to_state == written.from_state
        ),
        "",
    )
    since = next((each for each in ("updated_at", "created_at") if table.column(each)), "id")
    return Watch(
        task=job.name,
        table=table.name,
        waiting=_waiting(
            name, f"status = {literal(written.from_state)} AND next_attempt_at <= now()", "next_attempt_at"
        ),
        given_up=f"SELECT {', '.join(dict.fromkeys(('id', 'status', since)))} FROM {name}\n"
        f"WHERE status = {literal(written.failed_state)} ORDER BY {since} DESC LIMIT {ROWS_SHOWN};"
        if written.failed_state
        else "",
        again_by=back,
    )


def _turns(design: Design, job: PlannedJob, name: str) -> Watch:
    if design.table(name) is None:
        return Watch(task=job.name)
    table = quoted(name)
    return Watch(
        task=job.name,
        table=name,
        waiting=f"SELECT name, due_at, last_error FROM {table} WHERE name = {literal(job.name)};",
        again=f"UPDATE {table} SET due_at = now() WHERE name = {literal(job.name)};",
    )


def _waiting(table: str, where: str, since: str) -> str:
    return f"SELECT count(*), now() - min({since}) AS oldest FROM {table}\nWHERE {where};"


def _key(table: PlannedTable) -> str:
    """An identifier that nothing has, as the column takes it."""
    column = table.column("id")
    return "0" if column is not None and column.type in ("bigint", "integer") else _NOBODY

"""The two parts of the plan: what is sent to the database, and in which order."""

from __future__ import annotations

from msgspec.structs import replace

from nines.model.blueprint import Blueprint, Job, Operation
from nines.model.design import Design, PlannedEndpoint, PlannedJob, PlannedQuery, Reception
from nines.planning.data import accounts, consuming, facts, own
from nines.planning.flows.draft import Script
from nines.planning.flows.indexing import choose, served
from nines.planning.flows.scripts import Named, job_works, named, operation_scripts, renamed, statements
from nines.planning.flows.statement import Statement
from nines.planning.flows.working import RELAY, Work


def queries(design: Design) -> Design:
    """Every statement once, with whoever sends it; tables get the indexes that statements need."""
    scripts, works, names = _all(design)
    found: dict[str, tuple[Statement, list[str]]] = {}
    for user, statement in statements([*scripts, *(work.script for work in works)]):
        id = names[(statement.id, statement.text)]
        _, users = found.setdefault(id, (statement, []))
        if user not in users:
            users.append(user)
    wishes = [statement.wish for statement, _ in found.values() if statement.wish]
    tables = served(design.tables, wishes)
    by_name = {table.name: table for table in tables}
    planned = []
    for id, (statement, users) in found.items():
        index = choose(by_name[statement.wish.table], statement.wish) if statement.wish else None
        planned.append(
            PlannedQuery(
                id=id,
                used_by=tuple(users),
                text=statement.text,
                arguments=statement.arguments,
                parameters=statement.parameters,
                base=statement.id,
                tables=statement.tables,
                index=index.name if index else "",
                rows_max=statement.rows_max,
                is_write=statement.is_write,
                says=statement.says,
            )
        )
    return replace(design, tables=tables, queries=tuple(planned))


def flows(design: Design) -> Design:
    """Endpoints with their flow and isolation, and every job."""
    scripts, works, names = _all(design)
    by_name = {script.name: renamed(script, names) for script in scripts}
    endpoints = tuple(_with_flow(endpoint, by_name) for endpoint in design.endpoints)
    jobs = tuple(_job(design, work, names) for work in works)
    return replace(design, endpoints=endpoints, jobs=jobs)


def _all(design: Design) -> tuple[tuple[Script, ...], tuple[Work, ...], Named]:
    scripts, works = operation_scripts(design), job_works(design)
    return scripts, works, named([*scripts, *(work.script for work in works)])


def _with_flow(endpoint: PlannedEndpoint, scripts: dict[str, Script]) -> PlannedEndpoint:
    script = scripts.get(endpoint.id)
    if script is None:
        return endpoint
    return replace(
        endpoint,
        flow=script.flow,
        isolation=script.isolation,
        isolation_reason=script.isolation_reason,
        queries=tuple(dict.fromkeys(statement.id for statement in script.statements)),
    )


def _job(design: Design, work: Work, names: Named) -> PlannedJob:
    script = renamed(work.script, names)
    steady, peak = _rates(design, work)
    return PlannedJob(
        name=script.name,
        says=work.says,
        resource=work.resource,
        every_s=work.every_s,
        attempts_max=work.attempts_max,
        concurrency=work.concurrency,
        steady_hz=steady,
        peak_hz=peak,
        flow=script.flow,
        queries=tuple(dict.fromkeys(statement.id for statement in script.statements)),
        dead_letter=work.dead_letter,
        receives=_received(design, work),
    )


def _received(design: Design, work: Work) -> Reception | None:
    """With what its data is called: nothing of the blueprint's own has that name."""
    blueprint, name = design.blueprint, work.script.name
    if work.receives is None or blueprint is None:
        return None
    usual = f"{name[:1].upper()}{name[1:]}Data"
    is_taken = blueprint.resource(usual) is not None or blueprint.value_type(usual) is not None
    found = design.shape(f"{usual}Body" if is_taken else usual)
    return replace(work.receives, shape=found.name if found else "")


def _senders(blueprint: Blueprint, job: Job) -> tuple[Operation, ...]:
    if job == own.mail_job(blueprint):
        return tuple(each for each in blueprint.operations if each.do in accounts.MAILING)
    return facts.feeding(blueprint, job)


def _rates(design: Design, work: Work) -> tuple[float | None, float | None]:
    """Pieces of work a second: turns for scheduled work, else what the operations feed it."""
    if work.every_s:
        return 1 / work.every_s, 1 / work.every_s
    blueprint = design.blueprint
    if blueprint is None:
        return None, None
    if work.script.name == RELAY:
        feeding = [each for each in blueprint.operations for _ in each.emits]
        feeding += [each for job in blueprint.jobs for _ in job.emits for each in facts.feeding(blueprint, job)]
        told = [each for each in blueprint.consumers for _ in each.emits]
        return (
            sum(blueprint.rate_hz(each) for each in feeding) + sum(consuming.rate_hz(blueprint, each) for each in told),
            sum(blueprint.rate_hz(each, at_peak=True) for each in feeding)
            + sum(consuming.rate_hz(blueprint, each, at_peak=True) for each in told),
        )
    consumer = next((each for each in blueprint.consumers if each.name == work.script.name), None)
    if consumer is not None:
        return consuming.rate_hz(blueprint, consumer), consuming.rate_hz(blueprint, consumer, at_peak=True)
    jobs = [job for job in blueprint.jobs if job.name == work.script.name]
    feeding = [each for job in jobs for each in _senders(blueprint, job)]
    return (
        sum(blueprint.rate_hz(each) for each in feeding),
        sum(blueprint.rate_hz(each, at_peak=True) for each in feeding),
    )

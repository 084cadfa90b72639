"""The tables that the service keeps for itself: idempotency, outbox, audit, sagas, schedules."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Blueprint, Job, Operation
from nines.model.design import PlannedCheck, PlannedColumn, PlannedIndex, PlannedTable
from nines.model.design.ddl import identifier, literal
from nines.planning.data import facts
from nines.planning.data.columns import CIPHERTEXT, SUBJECT_LENGTH_MAX
from nines.planning.data.entities import ERROR_LENGTH_MAX, tenant, work_columns
from nines.planning.data.names import kebab, snake

KEY_LENGTH_MAX = 255
"""Of an idempotency key, as published to the callers."""
SAGA_TTL_S = 30 * 86_400.0
QUEUE_TTL_S = 7 * 86_400.0
"""Dead letters included: they hold addresses."""
IDEMPOTENCY = "idempotency_keys"
OUTBOX = "outbox"
AUDIT = "audit_log"
INBOX = "inbox"
DEAD_EVENTS = "dead_events"
INBOX_TTL_S = 30 * 86_400.0
"""Longer than any sender repeats itself; dead letters as well, for they may hold what is somebody's own."""
SAGAS = "sagas"
SCHEDULES = "schedules"


def own_tables(blueprint: Blueprint) -> Iterator[PlannedTable]:
    """Only those that something in the blueprint needs."""
    if any(each.idempotency for each in blueprint.operations):
        yield _idempotency_keys(blueprint)
    if has_outbox(blueprint):
        yield _outbox(blueprint)
    if blueprint.consumers:
        yield _inbox(blueprint)
    if any(each.source for each in blueprint.consumers):
        yield _dead_events(blueprint)
    job = mail_job(blueprint)
    if job:
        yield _queue(blueprint, job)
    if has_audit(blueprint):
        yield _audit_log(blueprint)
    if any(each.saga for each in blueprint.operations):
        yield _sagas(blueprint)


def has_outbox(blueprint: Blueprint) -> bool:
    return blueprint.events.transport == "outbox" and bool(told_events(blueprint))


def is_in_order(blueprint: Blueprint) -> bool:
    """Whether the events of an object leave one after the other: a broker keeps their order, subscribers do not."""
    return has_outbox(blueprint) and (bool(blueprint.events.broker) or takes_own(blueprint))


def takes_own(blueprint: Blueprint) -> bool:
    """Whether the service takes some of its own events, out of its outbox."""
    return any(not each.source for each in blueprint.consumers)


def told_events(blueprint: Blueprint) -> tuple[str, ...]:
    """Every event that an operation or a job tells of, by name."""
    told = [event for each in blueprint.operations for event in each.emits]
    told += [event for each in blueprint.jobs for event in each.emits]
    told += [event for each in blueprint.consumers for event in each.emits]
    return tuple(sorted(set(told)))


def mail_job(blueprint: Blueprint) -> Job | None:
    """The job on no resource that waits for work: it sends what signing up and forgetting passwords leave for it."""
    has_account = facts.account_of(blueprint) is not None
    waiting = (each for each in blueprint.jobs if not each.on and not each.every_s)
    return next(waiting, None) if has_account else None


def queue_name(job: Job) -> str:
    return identifier(snake(job.name), "tasks")


def _queue(blueprint: Blueprint, job: Job) -> PlannedTable:
    name = queue_name(job)
    return PlannedTable(
        name=name,
        says=f"What {job.name} has to send; written with the change that asks for it, deleted when it was sent.",
        columns=(
            PlannedColumn(name="id", type="uuid", width_bytes=16, says="also the key under which the message is sent"),
            *tenant(blueprint),
            PlannedColumn(name="template", type="text", width_bytes=16),
            PlannedColumn(
                name="payload",
                type="bytea",
                is_personal=True,
                is_encrypted=True,
                width_bytes=200,
                says=f"address and code: {CIPHERTEXT}",
            ),
            PlannedColumn(name="is_dead", type="boolean", default="false", width_bytes=1),
            *work_columns(),
            PlannedColumn(name="created_at", type="timestamptz", default="now()"),
        ),
        indexes=(_key(name, "id"),),
        checks=(
            *_tenant_checks(blueprint, name),
            _bounded(name, "template", KEY_LENGTH_MAX),
            _bounded(name, "last_error", ERROR_LENGTH_MAX),
        ),
        retention_s=QUEUE_TTL_S,
        denormalised=("`payload` is a document: it is read whole, by the job that sends it",),
    )


def has_audit(blueprint: Blueprint) -> bool:
    return any(each.audit != "none" for each in blueprint.resources)


def remote_steps(blueprint: Blueprint, operation: Operation) -> tuple[str, ...]:
    """The steps of a saga that happen in another service's database, and so arrive there as messages."""
    home = blueprint.module_of(operation.on)
    separate = {module.name for module in blueprint.modules if module.is_separate and module != home}
    return tuple(step.do for step in operation.saga if step.module in separate)


def schedules(blueprint: Blueprint) -> PlannedTable:
    """When each scheduled job is due; whoever moves the time on runs it."""
    name = facts.own_name(blueprint, SCHEDULES)
    return PlannedTable(
        name=name,
        says="When each scheduled job is due; the process that moves the time on is the one that runs it.",
        columns=(
            PlannedColumn(name="name", type="text", width_bytes=24),
            PlannedColumn(name="due_at", type="timestamptz", default="now()"),
            PlannedColumn(name="last_error", type="text", is_nullable=True, width_bytes=2),
        ),
        indexes=(_key(name, "name"),),
        checks=(_bounded(name, "name", KEY_LENGTH_MAX), _bounded(name, "last_error", ERROR_LENGTH_MAX)),
    )


def _idempotency_keys(blueprint: Blueprint) -> PlannedTable:
    name = facts.own_name(blueprint, IDEMPOTENCY)
    tenants = tuple(tenant(blueprint))
    key = (*(column.name for column in tenants), "subject", "operation", "key")
    longest = max(each.idempotency.ttl_s for each in blueprint.operations if each.idempotency)
    return PlannedTable(
        name=name,
        says="What was answered to each key, written in the transaction of the effect itself.",
        columns=(
            *tenants,
            PlannedColumn(name="subject", type="text", width_bytes=37, says="the caller; keys of others are not seen"),
            PlannedColumn(name="operation", type="text", width_bytes=16),
            PlannedColumn(name="key", type="text", width_bytes=37),
            PlannedColumn(name="request_hash", type="bytea", width_bytes=33, says="SHA-256: another payload gets 422"),
            PlannedColumn(name="resource_id", type="text", is_nullable=True, width_bytes=37),
            PlannedColumn(
                name="status_code", type="smallint", is_nullable=True, width_bytes=2, says="NULL: still in flight, 409"
            ),
            PlannedColumn(name="body", type="bytea", is_nullable=True, width_bytes=blueprint.load.payload_bytes),
            PlannedColumn(
                name="locked_until",
                type="timestamptz",
                says="after this time the first attempt counts as dead and may be taken over",
            ),
            PlannedColumn(name="expires_at", type="timestamptz"),
        ),
        indexes=(_key(name, *key),),
        checks=(
            *_tenant_checks(blueprint, name),
            _bounded(name, "subject", SUBJECT_LENGTH_MAX),
            _bounded(name, "operation", KEY_LENGTH_MAX),
            _bounded(name, "key", KEY_LENGTH_MAX),
            PlannedCheck(name=identifier(name, "request_hash", "check"), expression="octet_length(request_hash) = 32"),
            PlannedCheck(name=identifier(name, "body", "check"), expression="(status_code IS NULL) = (body IS NULL)"),
        ),
        retention_s=longest,
    )


def _outbox(blueprint: Blueprint) -> PlannedTable:
    name = facts.own_name(blueprint, OUTBOX)
    events = told_events(blueprint)
    is_ordered = is_in_order(blueprint)
    return PlannedTable(
        name=name,
        says="Events written with the change that they tell of; the relay delivers them at least once.",
        columns=(
            PlannedColumn(name="id", type="uuid", width_bytes=16, says="the event's own id: consumers drop duplicates"),
            *tenant(blueprint),
            PlannedColumn(name="event", type="text", width_bytes=20),
            PlannedColumn(name="event_version", type="smallint", width_bytes=2),
            PlannedColumn(name="destination", type="text", width_bytes=20, says="the topic, or the subscriber"),
            PlannedColumn(name="subject_id", type="text", width_bytes=37),
            PlannedColumn(name="payload", type="jsonb", width_bytes=250, says="free of personal data"),
            PlannedColumn(name="trace_parent", type="text", is_nullable=True, width_bytes=56),
            PlannedColumn(name="is_dead", type="boolean", default="false", width_bytes=1),
            *work_columns(),
            PlannedColumn(
                name="created_at",
                type="timestamptz",
                default="clock_timestamp()" if is_ordered else "now()",
                says="read while its object is locked, so that it tells the order of an object's events"
                if is_ordered
                else "",
            ),
        ),
        indexes=(_key(name, "id"), *([_order(name)] if is_ordered else [])),
        checks=(
            *_tenant_checks(blueprint, name),
            PlannedCheck(
                name=identifier(name, "event", "check"), expression=f"event IN ({', '.join(map(literal, events))})"
            ),
            _bounded(name, "destination", KEY_LENGTH_MAX),
            _bounded(name, "subject_id", SUBJECT_LENGTH_MAX),
            _bounded(name, "trace_parent", KEY_LENGTH_MAX),
            _bounded(name, "last_error", ERROR_LENGTH_MAX),
        ),
        denormalised=("`payload` is a document: an event is told as it was, whatever becomes of its row",),
    )


def _inbox(blueprint: Blueprint) -> PlannedTable:
    name = facts.own_name(blueprint, INBOX)
    return PlannedTable(
        name=name,
        says="Which events were taken, each written in the transaction of what it caused: one that comes again is "
        "dropped.",
        columns=(
            PlannedColumn(name="source", type="text", width_bytes=40, says="who takes it, and who tells it"),
            PlannedColumn(name="id", type="text", width_bytes=37, says="the event's own"),
            PlannedColumn(name="created_at", type="timestamptz", default="now()"),
        ),
        indexes=(_key(name, "source", "id"),),
        checks=(_bounded(name, "source", KEY_LENGTH_MAX), _bounded(name, "id", KEY_LENGTH_MAX)),
        retention_s=INBOX_TTL_S,
    )


def _dead_events(blueprint: Blueprint) -> PlannedTable:
    name = facts.own_name(blueprint, DEAD_EVENTS)
    names = ("consumer", "source", "id", "type", "subject")
    return PlannedTable(
        name=name,
        says="Events that could not be taken, for a person to look at; set `again_at`, and one is taken once more.",
        columns=(
            *(PlannedColumn(name=each, type="text", width_bytes=24) for each in names),
            PlannedColumn(
                name="document", type="bytea", width_bytes=blueprint.load.payload_bytes, says="the event as it came"
            ),
            PlannedColumn(name="reason", type="text", width_bytes=40),
            PlannedColumn(name="attempts", type="smallint", width_bytes=2),
            PlannedColumn(name="created_at", type="timestamptz", default="now()"),
            PlannedColumn(name="again_at", type="timestamptz", is_nullable=True, says="when it is taken once more"),
        ),
        indexes=(_key(name, "consumer", "source", "id"),),
        checks=(
            *(_bounded(name, each, KEY_LENGTH_MAX) for each in names),
            _bounded(name, "reason", ERROR_LENGTH_MAX),
        ),
        retention_s=INBOX_TTL_S,
        denormalised=("`document` is kept as it came: it may be no event at all",),
    )


def _order(name: str) -> PlannedIndex:
    return PlannedIndex(
        name=identifier(name, "subject_id_created_at_idx"),
        columns=("subject_id", "created_at", "id"),
        where="NOT is_dead",
        serves=(f"claim-from-{kebab(name)}",),
        says="whether an event of the same object is before this one",
    )


def _audit_log(blueprint: Blueprint) -> PlannedTable:
    name = facts.own_name(blueprint, AUDIT)
    kept = [each.retention_s for each in blueprint.resources if each.audit != "none" and each.retention_s is not None]
    return PlannedTable(
        name=name,
        says="Who did what: each entry holds the hash of the one before it on the same object.",
        columns=(
            PlannedColumn(name="id", type="uuid", width_bytes=16),
            *tenant(blueprint),
            PlannedColumn(
                name="chain",
                type="text",
                width_bytes=46,
                says="of a change its object, whose lock keeps the order; of a read the process that answered",
            ),
            PlannedColumn(name="sequence", type="bigint", says="without a gap within its chain"),
            PlannedColumn(name="actor", type="text", width_bytes=37),
            PlannedColumn(name="operation", type="text", width_bytes=16),
            PlannedColumn(
                name="changes", type="jsonb", width_bytes=120, says="names of fields; of personal data no values"
            ),
            PlannedColumn(name="request_id", type="text", width_bytes=37),
            PlannedColumn(name="hash", type="bytea", width_bytes=33, says="SHA-256 over the one before and the entry"),
            PlannedColumn(name="created_at", type="timestamptz", default="now()"),
        ),
        indexes=(
            _key(name, "id"),
            PlannedIndex(name=identifier(name, "chain_sequence_key"), columns=("chain", "sequence"), is_unique=True),
        ),
        checks=(
            *_tenant_checks(blueprint, name),
            _bounded(name, "chain", KEY_LENGTH_MAX),
            _bounded(name, "actor", SUBJECT_LENGTH_MAX),
            _bounded(name, "operation", KEY_LENGTH_MAX),
            _bounded(name, "request_id", KEY_LENGTH_MAX),
            PlannedCheck(name=identifier(name, "sequence", "check"), expression="sequence > 0"),
            PlannedCheck(name=identifier(name, "hash", "check"), expression="octet_length(hash) = 32"),
        ),
        is_append_only=True,
        retention_s=max(kept) if kept else None,
    )


def _sagas(blueprint: Blueprint) -> PlannedTable:
    name = facts.own_name(blueprint, SAGAS)
    names = [each.name for each in blueprint.operations if each.saga]
    return PlannedTable(
        name=name,
        says="How far each operation over several modules has come, forwards or back.",
        columns=(
            PlannedColumn(name="id", type="uuid", width_bytes=16),
            *tenant(blueprint),
            PlannedColumn(name="operation", type="text", width_bytes=16),
            PlannedColumn(name="subject_id", type="text", is_nullable=True, width_bytes=37),
            PlannedColumn(name="step", type="smallint", default="0", width_bytes=2),
            PlannedColumn(name="status", type="text", default="'running'", width_bytes=10),
            PlannedColumn(name="state", type="jsonb", width_bytes=200, says="arguments and results of its steps"),
            *work_columns(),
            PlannedColumn(name="created_at", type="timestamptz", default="now()"),
        ),
        indexes=(_key(name, "id"),),
        checks=(
            *_tenant_checks(blueprint, name),
            PlannedCheck(
                name=identifier(name, "operation", "check"),
                expression=f"operation IN ({', '.join(map(literal, names))})",
            ),
            _bounded(name, "subject_id", SUBJECT_LENGTH_MAX),
            PlannedCheck(
                name=identifier(name, "status", "check"),
                expression="status IN ('running', 'compensating', 'finished', 'compensated', 'stuck')",
            ),
            _bounded(name, "last_error", ERROR_LENGTH_MAX),
        ),
        retention_s=SAGA_TTL_S,
        denormalised=("`state` is a document: it is read whole, by the steps that wrote it",),
    )


def _key(table: str, *columns: str) -> PlannedIndex:
    return PlannedIndex(name=identifier(table, "pkey"), columns=columns, is_unique=True, is_primary=True)


def _bounded(table: str, column: str, length_max: int) -> PlannedCheck:
    return PlannedCheck(name=identifier(table, column, "check"), expression=f"char_length({column}) <= {length_max}")


def _tenant_checks(blueprint: Blueprint, table: str) -> Iterator[PlannedCheck]:
    for column in tenant(blueprint):
        if column.type == "text":
            yield _bounded(table, column.name, SUBJECT_LENGTH_MAX)

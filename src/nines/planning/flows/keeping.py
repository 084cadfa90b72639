"""What the service writes beside the change itself: idempotency keys, events, the audit trail, the ledger."""

# ruff: noqa: S608 -- Names are quoted and values are placeholders; nothing of a caller becomes part of a text.

from __future__ import annotations

from nines.model.blueprint import Consumer, Job, Operation, Resource, ResourceKind
from nines.model.design import Branch, PlannedTable, StepKind
from nines.model.design.ddl import literal, quoted
from nines.planning.data import facts, ledgers, own
from nines.planning.data.columns import number
from nines.planning.data.names import kebab, snake, table_name
from nines.planning.flows.draft import Draft
from nines.planning.flows.samples import sample
from nines.planning.flows.statement import Sql, Statement, Wish, both, listed

_DAY_S = 86_400.0
LEASE_S = 60.0
"""How long an attempt may stay silent before another takes over."""


def claim_key(draft: Draft, operation: Operation) -> None:
    """The first statement of the transaction: whoever inserts the key does the work."""
    if operation.idempotency is None:
        return
    table = draft.table(facts.own_name(draft.blueprint, own.IDEMPOTENCY))
    draft.query(
        _claim(draft, table, operation),
        "claim the idempotency key, or take it over from an attempt that died",
        branches=(
            Branch(when="the key was used for the same request", then="its answer is given again", status=draft.status),
            Branch(when="the key was used for another request", then="it is refused", status=422),
            Branch(when="the first attempt is under way", then="the caller is told to come back", status=409),
        ),
    )
    draft.also(_read_key(draft, table, operation))


def finish_key(draft: Draft, operation: Operation) -> None:
    """The last statement before the commit, so that answer and effect stand or fall together."""
    if operation.idempotency is None:
        return
    table = draft.table(facts.own_name(draft.blueprint, own.IDEMPOTENCY))
    sql = draft.sql(table)
    key = _key(table)
    status, body, resource = sql.value("status_code"), sql.value("body"), sql.value("resource_id")
    text = (
        f"UPDATE {table.name}\nSET status_code = {status}, body = {body}, resource_id = {resource}\n"
        f"WHERE {both(_same(sql, key, operation))}\n  AND status_code IS NULL"
    )
    wish = Wish(table=table.name, equal=key)
    draft.query(
        sql.done("finish-idempotency-key", text, wish=wish, rows_max=1, is_write=True),
        "keep the answer under the key",
    )


def remember_row(draft: Draft, operation: Operation) -> None:
    """Which row stands for the key while others are asked: who takes the key over must not make a second one."""
    if operation.idempotency is None:
        return
    table = draft.table(facts.own_name(draft.blueprint, own.IDEMPOTENCY))
    sql = draft.sql(table)
    key = _key(table)
    resource = sql.value("resource_id")
    text = f"UPDATE {table.name}\nSET resource_id = {resource}\nWHERE {both(_same(sql, key, operation))}"
    wish = Wish(table=table.name, equal=key)
    draft.query(
        sql.done("remember-idempotent-row", text, wish=wish, rows_max=1, is_write=True),
        "remember under the key which row was made",
    )


def emit(draft: Draft, told: Operation | Job | Consumer) -> None:
    """Events go into the outbox with the change, or are published afterwards where the blueprint says so."""
    for event in told.emits:
        if own.has_outbox(draft.blueprint):
            draft.query(_insert_event(draft, event), f"write {event} to the outbox")


def publish(draft: Draft, told: Operation | Job | Consumer) -> None:
    """After the commit, without an outbox: what the process does not get to say is lost."""
    if own.has_outbox(draft.blueprint):
        return
    broker = draft.blueprint.events.broker or "subscribers"
    for event in told.emits:
        lost = Branch(when="the process or the broker dies", then="the event is lost; the change stands")
        draft.add(StepKind.PUBLISH, f"publish {event}", target=broker, branches=(lost,))


def audit(draft: Draft, resource: Resource | None, *, is_read: bool = False) -> None:
    """A change stands on the chain of its object, whose lock keeps the order; a read on that of its process."""
    wanted = ("all",) if is_read else ("all", "writes")
    if resource is None or resource.audit not in wanted:
        return
    table = draft.table(facts.own_name(draft.blueprint, own.AUDIT))
    says = "add who read it to the audit trail" if is_read else "add who changed what to the audit trail"
    draft.query(_append_audit(draft, table), says)


def leave_mail(draft: Draft, template: str) -> None:
    """The message is written with the change that asks for it, and sent by a job: no answer waits for it."""
    job = own.mail_job(draft.blueprint)
    if job is None:
        return
    table = draft.table(own.queue_name(job))
    sql = draft.sql(table)
    columns = [column.name for column in table.columns if not column.default and column.name != "last_error"]
    values = [
        sql.bind(literal(template), "template") if name == "template" else sql.value(name, is_fresh=name == "id")
        for name in columns
    ]
    text = f"INSERT INTO {table.name} ({listed(columns)})\nVALUES ({', '.join(values)})"
    statement = sql.done(f"leave-{kebab(table.name)}", text, rows_max=0, is_write=True)
    draft.query(statement, f"leave the message for {job.name}")


def post(draft: Draft, operation: Operation) -> None:
    """A posting with its entries; an entry names both sides, so that no sum can go wrong."""
    ledger = draft.blueprint.resource(operation.posts) if operation.posts else None
    if ledger is None:
        return
    if ledger.kind is not ResourceKind.LEDGER:
        return
    draft.query(_open_account(draft, ledger), "open the ledger accounts that are new", is_repeated=True)
    draft.query(_insert_posting(draft, ledger, operation), "post once for this object and operation")
    draft.query(_insert_entry(draft, ledger), "move the amount between two ledger accounts", is_repeated=True)


def _key(table: PlannedTable) -> tuple[str, ...]:
    return table.primary_key


def _same(sql: Sql, key: tuple[str, ...], operation: Operation) -> list[str]:
    return [
        f"operation = {sql.bind(literal(operation.name), 'operation')}" if column == "operation" else sql.equal(column)
        for column in key
    ]


def _claim(draft: Draft, table: PlannedTable, operation: Operation) -> Statement:
    sql = draft.sql(table)
    key = _key(table)
    ttl_s = operation.idempotency.ttl_s if operation.idempotency else 0.0
    values = [
        sql.bind(literal(operation.name), "operation")
        if column == "operation"
        else sql.value(column, is_fresh=column == "key")
        for column in key
    ]
    digest = sql.value("request_hash")
    lease, ttl = sql.bind(interval(LEASE_S), "lease"), sql.bind(interval(ttl_s), "ttl")
    name = table.name
    text = (
        f"INSERT INTO {name} ({listed(key)}, request_hash, locked_until, expires_at)\n"
        f"VALUES ({', '.join(values)}, {digest}, now() + {lease}::interval, now() + {ttl}::interval)\n"
        f"ON CONFLICT ({listed(key)}) DO UPDATE\n"
        "SET request_hash = EXCLUDED.request_hash, status_code = NULL, body = NULL,\n"
        f"    resource_id = CASE WHEN {name}.expires_at > now() THEN {name}.resource_id END,\n"
        "    locked_until = EXCLUDED.locked_until, expires_at = EXCLUDED.expires_at\n"
        f"WHERE {name}.expires_at <= now()\n"
        f"   OR ({name}.status_code IS NULL AND {name}.locked_until <= now()"
        f" AND {name}.request_hash = EXCLUDED.request_hash)\n"
        "RETURNING resource_id"
    )
    return sql.done(
        "claim-idempotency-key",
        text,
        wish=Wish(table=name, equal=key),
        rows_max=1,
        is_write=True,
        says="no row: the key belongs to another attempt, and `read-idempotency-key` tells which",
    )


def _read_key(draft: Draft, table: PlannedTable, operation: Operation) -> Statement:
    sql = draft.sql(table)
    key = _key(table)
    text = (
        f"SELECT request_hash, status_code, body, locked_until, expires_at\nFROM {table.name}\n"
        f"WHERE {both(_same(sql, key, operation))}"
    )
    return sql.done("read-idempotency-key", text, wish=Wish(table=table.name, equal=key), rows_max=1)


def _insert_event(draft: Draft, event: str) -> Statement:
    table = draft.table(facts.own_name(draft.blueprint, own.OUTBOX))
    sql = draft.sql(table)
    tenant = facts.tenant_column(draft.blueprint)
    columns = ["id", *([tenant] if tenant else []), "event", "event_version", "destination", "subject_id", "payload"]
    version = next((each.version for each in draft.blueprint.events.types if each.name == event), 1)
    given = {"event": literal(event), "event_version": str(version), "payload": "'{}'"}
    values = [
        sql.bind(given[name], name) if name in given else sql.value(name, is_fresh=name == "id")
        for name in [*columns, "trace_parent"]
    ]
    text = f"INSERT INTO {table.name} ({listed([*columns, 'trace_parent'])})\nVALUES ({', '.join(values)})"
    return sql.done("insert-outbox-event", text, rows_max=0, is_write=True)


def _append_audit(draft: Draft, table: PlannedTable) -> Statement:
    sql = draft.sql(table)
    tenant = facts.tenant_column(draft.blueprint)
    columns = ["id", *([tenant] if tenant else []), "actor", "operation", "changes", "request_id"]
    values = [f"{sql.value(name, is_fresh=name == 'id')}::{_type(table, name)}" for name in columns]
    chain = sql.value("chain")
    # An array of JSON keeps its members apart, so that no two entries have the same text.
    content = f"jsonb_build_array({chain}::text, coalesce(last.sequence, 0) + 1, {', '.join(values)})"
    text = (
        f"INSERT INTO {table.name} ({listed(columns)}, chain, sequence, hash)\n"
        f"SELECT {', '.join(values)}, {chain}::text, coalesce(last.sequence, 0) + 1,\n"
        f"       sha256(coalesce(last.hash, ''::bytea) || convert_to({content}::text, 'UTF8'))\n"
        "FROM (VALUES (1)) AS one\n"
        f"LEFT JOIN LATERAL (\n    SELECT sequence, hash FROM {table.name}\n"
        f"    WHERE chain = {chain}::text\n    ORDER BY sequence DESC\n    LIMIT 1\n) AS last ON true"
    )
    wish = Wish(table=table.name, equal=("chain",), order=("sequence DESC",))
    return sql.done("append-audit-entry", text, wish=wish, rows_max=0, is_write=True)


def _type(table: PlannedTable, name: str) -> str:
    column = table.column(name)
    return column.type if column else "text"


def _open_account(draft: Draft, ledger: Resource) -> Statement:
    table = draft.table(ledgers.accounts_name(ledger))
    sql = draft.sql(table)
    columns = [column.name for column in table.columns if not column.default]
    values = [sql.value(name, is_fresh=name in ("id", "code")) for name in columns]
    text = f"INSERT INTO {quoted(table.name)} ({listed(columns)})\nVALUES ({', '.join(values)})\nON CONFLICT DO NOTHING"
    return sql.done(f"open-{kebab(ledger.name)}-account", text, rows_max=0, is_write=True)


def _insert_posting(draft: Draft, ledger: Resource, operation: Operation) -> Statement:
    table = draft.table(ledgers.postings_name(ledger))
    sql = draft.sql(table)
    columns = [column.name for column in table.columns if not column.default]
    values = [
        sql.bind(literal(operation.name), "operation")
        if name == "operation"
        else sql.value(name, is_fresh=name in ("id", "subject_id"))
        for name in columns
    ]
    text = (
        f"INSERT INTO {quoted(table.name)} ({listed(columns)})\nVALUES ({', '.join(values)})\n"
        "ON CONFLICT (subject_id, operation, subject_version) DO NOTHING\nRETURNING id"
    )
    says = "no row: it was posted before, and nothing is added"
    return sql.done(f"insert-{kebab(ledger.name)}-posting", text, rows_max=1, is_write=True, says=says)


def _insert_entry(draft: Draft, ledger: Resource) -> Statement:
    table = draft.table(table_name(ledger.name))
    accounts = draft.table(ledgers.accounts_name(ledger))
    sql = draft.sql(table)
    sides = ("debit_account_id", "credit_account_id")
    plain = [column.name for column in table.columns if not column.default and column.name not in sides]
    bound = {name: sql.value(name, is_fresh=name == "id") for name in plain}
    values = [f"{bound[name]}::{_type(table, name)}" for name in plain]
    tenant = facts.tenant_column(draft.blueprint, ledger)
    currency = f"{bound['currency']}::text" if "currency" in bound else sql.value("currency", table=accounts)
    conditions = []
    for alias in ("debit", "credit"):
        if tenant:
            conditions.append(f"{alias}.{quoted(tenant)} = {bound[tenant]}::{_type(table, tenant)}")
        code = literal("cash") if alias == "debit" else sample(draft.tables, accounts, "code")
        conditions += [f"{alias}.code = {sql.bind(code, f'{alias}_code')}", f"{alias}.currency = {currency}"]
    text = (
        f"INSERT INTO {quoted(table.name)} ({listed([*plain, *sides])})\n"
        f"SELECT {', '.join(values)}, debit.id, credit.id\n"
        f"FROM {quoted(accounts.name)} AS debit, {quoted(accounts.name)} AS credit\nWHERE {both(conditions)}"
    )
    key = next(index.names for index in accounts.indexes if index.is_unique and not index.is_primary)
    return sql.done(
        f"insert-{kebab(ledger.name)}",
        text,
        wish=Wish(table=accounts.name, equal=key),
        rows_max=0,
        is_write=True,
        others=(accounts.name,),
        says="both accounts are of the entry's own currency, or nothing is inserted and the transaction is rolled back",
    )


def interval(seconds: float) -> str:
    """A sample of how long."""
    if seconds >= _DAY_S and seconds % _DAY_S == 0:
        return f"'{number(seconds / _DAY_S)} days'"
    return f"'{number(seconds)} seconds'"


def subject(resource: Resource) -> str:
    return snake(resource.name).replace("_", " ")

"""The statements of signing in: each decides in its own condition, so that a race has one winner."""

# ruff: noqa: S608 -- Names are quoted and values are placeholders; nothing of a caller becomes part of a text.

from __future__ import annotations

from msgspec.structs import replace

from nines.model.blueprint import Operation, Resource
from nines.model.design.ddl import literal, quoted
from nines.planning.data import accounts, facts
from nines.planning.data.names import kebab, table_name
from nines.planning.flows import changing
from nines.planning.flows.draft import Draft
from nines.planning.flows.keeping import interval
from nines.planning.flows.statement import Statement, Wish, listed

SESSION_TTL_S = 30 * 86_400.0
"""Where the blueprint names none."""
FREE_FAILURES = 5
"""Each failed attempt beyond these doubles the wait."""
FIRST_WAIT_S = 1.0
WAIT_DOUBLINGS_MAX = 10
"""1 s doubled ten times: 17 minutes."""


def register(draft: Draft, operation: Operation, account: Resource) -> Statement:
    insert = changing.insert(draft, account, operation)
    conflict = f"\nON CONFLICT ({quoted(facts.login_column(account))}) DO NOTHING\nRETURNING"
    return replace(
        insert,
        id=f"register-{kebab(account.name)}",
        text=insert.text.replace("\nRETURNING", conflict),
        says="no row: the name is taken",
    )


def find_account(draft: Draft, account: Resource) -> Statement:
    table = draft.table(table_name(account.name))
    sql = draft.sql(table)
    login = facts.login_column(account)
    text = f"SELECT id\nFROM {quoted(table.name)}\nWHERE {sql.equal(login)}"
    return sql.done(f"find-{kebab(account.name)}", text, wish=Wish(table=table.name, equal=(login,)), rows_max=1)


def find_credentials(draft: Draft, account: Resource) -> Statement:
    table = draft.table(table_name(account.name))
    other = draft.table(accounts.credentials_name(account))
    sql = draft.sql(table)
    login = facts.login_column(account)
    status = ", a.status" if table.column("status") else ""
    text = (
        f"SELECT a.id{status}, c.password_hash\nFROM {quoted(table.name)} AS a\n"
        f"JOIN {quoted(other.name)} AS c ON c.{quoted(accounts.holder(account))} = a.id\n"
        f"WHERE {sql.equal(login, alias='a.')}"
    )
    wish = Wish(table=table.name, equal=(login,))
    return sql.done(f"find-{kebab(account.name)}-to-sign-in", text, wish=wish, rows_max=1, others=(other.name,))


def insert_credentials(draft: Draft, account: Resource) -> Statement:
    return _insert(draft, accounts.credentials_name(account), f"insert-{kebab(account.name)}-credentials")


def change_password(draft: Draft, account: Resource) -> Statement:
    table = draft.table(accounts.credentials_name(account))
    sql = draft.sql(table)
    holder = accounts.holder(account)
    text = (
        f"INSERT INTO {table.name} ({listed([holder, 'password_hash'])})\n"
        f"VALUES ({sql.value(holder)}, {sql.value('password_hash')})\n"
        f"ON CONFLICT ({quoted(holder)}) DO UPDATE\nSET password_hash = EXCLUDED.password_hash, changed_at = now()"
    )
    wish = Wish(table=table.name, equal=(holder,))
    return sql.done(f"change-{kebab(account.name)}-password", text, wish=wish, rows_max=0, is_write=True)


def insert_session(draft: Draft, account: Resource) -> Statement:
    return _insert(
        draft, accounts.sessions_name(account), f"insert-{kebab(account.name)}-session", skip=("revoked_at",)
    )


def insert_token(draft: Draft, account: Resource) -> Statement:
    return _insert(
        draft, accounts.refresh_tokens_name(account), f"insert-{kebab(account.name)}-token", skip=("used_at",)
    )


def use_token(draft: Draft, account: Resource) -> Statement:
    table = draft.table(accounts.refresh_tokens_name(account))
    sql = draft.sql(table)
    text = (
        f"UPDATE {table.name}\nSET used_at = now()\nWHERE {sql.equal('token_hash')}\n"
        "  AND used_at IS NULL\n  AND expires_at > now()\nRETURNING session_id"
    )
    wish = Wish(table=table.name, equal=("token_hash",))
    says = "no row: `read-token` tells whether it was used before"
    return sql.done(f"use-{kebab(account.name)}-token", text, wish=wish, rows_max=1, is_write=True, says=says)


def read_token(draft: Draft, account: Resource) -> Statement:
    table = draft.table(accounts.refresh_tokens_name(account))
    sql = draft.sql(table)
    text = f"SELECT session_id, used_at, expires_at\nFROM {table.name}\nWHERE {sql.equal('token_hash')}"
    wish = Wish(table=table.name, equal=("token_hash",))
    return sql.done(f"read-{kebab(account.name)}-token", text, wish=wish, rows_max=1)


def read_session(draft: Draft, account: Resource) -> Statement:
    table, people = draft.table(accounts.sessions_name(account)), draft.table(table_name(account.name))
    sql = draft.sql(table)
    status = ", a.status" if people.column("status") else ""
    text = (
        f"SELECT s.id, a.id AS {quoted(accounts.holder(account))}{status}, s.expires_at\nFROM {table.name} AS s\n"
        f"JOIN {quoted(people.name)} AS a ON a.id = s.{quoted(accounts.holder(account))}\n"
        f"WHERE {sql.equal('id', alias='s.')}\n  AND s.revoked_at IS NULL\n  AND s.expires_at > now()"
    )
    wish = Wish(table=table.name, equal=("id",))
    return sql.done(f"read-{kebab(account.name)}-session", text, wish=wish, rows_max=1, others=(people.name,))


def revoke_session(draft: Draft, account: Resource) -> Statement:
    table = draft.table(accounts.sessions_name(account))
    sql = draft.sql(table)
    text = f"UPDATE {table.name}\nSET revoked_at = now()\nWHERE {sql.equal('id')}\n  AND revoked_at IS NULL"
    wish = Wish(table=table.name, equal=("id",))
    return sql.done(f"revoke-{kebab(account.name)}-session", text, wish=wish, rows_max=0, is_write=True)


def revoke_all(draft: Draft, account: Resource) -> Statement:
    table = draft.table(accounts.sessions_name(account))
    sql = draft.sql(table)
    holder = accounts.holder(account)
    text = f"UPDATE {table.name}\nSET revoked_at = now()\nWHERE {sql.equal(holder)}\n  AND revoked_at IS NULL"
    wish = Wish(table=table.name, equal=(holder,))
    return sql.done(f"revoke-all-{kebab(account.name)}-sessions", text, wish=wish, rows_max=0, is_write=True)


def read_failures(draft: Draft, account: Resource) -> Statement:
    table = draft.table(accounts.failures_name(account))
    sql = draft.sql(table)
    subject = sql.value("subject_hash")
    text = (
        f"SELECT scope, failures, blocked_until\nFROM {table.name}\n"
        f"WHERE (scope, subject_hash) IN (('account', {subject}), ('address', {sql.value('subject_hash')}))\n"
        "  AND expires_at > now()"
    )
    wish = Wish(table=table.name, equal=("scope", "subject_hash"))
    return sql.done(f"read-{kebab(account.name)}-failures", text, wish=wish, rows_max=2)


def count_failure(draft: Draft, account: Resource) -> Statement:
    table = draft.table(accounts.failures_name(account))
    sql = draft.sql(table)
    scope, subject = sql.value("scope"), sql.value("subject_hash", is_fresh=True)
    lasting = f"now() + {sql.bind(interval(accounts.FAILURES_TTL_S), 'lifetime')}::interval"
    name = table.name
    failures = f"CASE WHEN {name}.expires_at > now() THEN {name}.failures + 1 ELSE 1 END"
    doublings = f"least({WAIT_DOUBLINGS_MAX}, greatest(0, {name}.failures + 1 - {FREE_FAILURES}))"
    text = (
        f"INSERT INTO {name} (scope, subject_hash, expires_at)\nVALUES ({scope}, {subject}, {lasting})\n"
        f"ON CONFLICT (scope, subject_hash) DO UPDATE\nSET failures = {failures},\n"
        f"    blocked_until = CASE WHEN {name}.expires_at > now() AND {name}.failures >= {FREE_FAILURES}\n"
        f"        THEN now() + interval '{FIRST_WAIT_S:g} s' * power(2, {doublings}) ELSE now() END,\n"
        "    expires_at = EXCLUDED.expires_at\nRETURNING failures, blocked_until"
    )
    wish = Wish(table=name, equal=("scope", "subject_hash"))
    return sql.done(f"count-{kebab(account.name)}-failure", text, wish=wish, rows_max=1, is_write=True)


def forget_failures(draft: Draft, account: Resource) -> Statement:
    table = draft.table(accounts.failures_name(account))
    sql = draft.sql(table)
    text = f"DELETE FROM {table.name}\nWHERE scope = 'account'\n  AND {sql.equal('subject_hash')}"
    wish = Wish(table=table.name, equal=("scope", "subject_hash"))
    return sql.done(f"forget-{kebab(account.name)}-failures", text, wish=wish, rows_max=0, is_write=True)


def upsert_code(draft: Draft, account: Resource, purpose: str) -> Statement:
    table = draft.table(accounts.codes_name(account))
    sql = draft.sql(table)
    holder = accounts.holder(account)
    columns = ["id", holder, "purpose", "code_hash"]
    values = [
        sql.bind(literal(purpose), "purpose") if name == "purpose" else sql.value(name, is_fresh=name == "id")
        for name in columns
    ]
    ttl = sql.bind(interval(accounts.CODE_TTL_S), "ttl")
    text = (
        f"INSERT INTO {table.name} ({listed(columns)}, expires_at)\n"
        f"VALUES ({', '.join(values)}, now() + {ttl}::interval)\n"
        f"ON CONFLICT ({listed([holder, 'purpose'])}) DO UPDATE\n"
        "SET id = EXCLUDED.id, code_hash = EXCLUDED.code_hash, attempts = 0, expires_at = EXCLUDED.expires_at,\n"
        "    created_at = now()"
    )
    wish = Wish(table=table.name, equal=(holder, "purpose"))
    return sql.done(f"keep-{kebab(account.name)}-code", text, wish=wish, rows_max=0, is_write=True)


def count_try(draft: Draft, account: Resource) -> Statement:
    table = draft.table(accounts.codes_name(account))
    sql = draft.sql(table)
    text = (
        f"UPDATE {table.name}\nSET attempts = attempts + 1\nWHERE {sql.equal('id')}\n"
        f"  AND attempts < {accounts.CODE_ATTEMPTS_MAX}\n  AND expires_at > now()\n"
        f"RETURNING {listed([accounts.holder(account), 'purpose', 'code_hash'])}"
    )
    wish = Wish(table=table.name, equal=("id",))
    return sql.done(f"try-{kebab(account.name)}-code", text, wish=wish, rows_max=1, is_write=True)


def delete_code(draft: Draft, account: Resource) -> Statement:
    table = draft.table(accounts.codes_name(account))
    sql = draft.sql(table)
    text = f"DELETE FROM {table.name}\nWHERE {sql.equal('id')}"
    wish = Wish(table=table.name, equal=("id",))
    return sql.done(f"delete-{kebab(account.name)}-code", text, wish=wish, rows_max=0, is_write=True)


def move(draft: Draft, account: Resource, to_state: str) -> Statement:
    """The state of the account itself, by whoever proved to be its owner."""
    table = draft.table(table_name(account.name))
    sql = draft.sql(table)
    made = "".join(f", {name} = {text}" for name, text in (("version", "version + 1"), ("updated_at", "now()")))
    text = (
        f"UPDATE {quoted(table.name)}\nSET status = {sql.bind(literal(to_state), 'to_status')}{made}\n"
        f"WHERE {sql.equal('id')}\n"
        "RETURNING id, status"
    )
    wish = Wish(table=table.name, equal=("id",))
    return sql.done(f"move-{kebab(account.name)}-to-{kebab(to_state)}", text, wish=wish, rows_max=1, is_write=True)


def _insert(draft: Draft, name: str, id: str, *, skip: tuple[str, ...] = ()) -> Statement:
    table = draft.table(name)
    sql = draft.sql(table)
    columns = [column.name for column in table.columns if not column.default and column.name not in skip]
    unique = set(table.primary_key)
    values = [sql.value(column, is_fresh=column in unique) for column in columns]
    text = f"INSERT INTO {quoted(name)} ({listed(columns)})\nVALUES ({', '.join(values)})"
    return sql.done(id, text, rows_max=0, is_write=True)

"""The statements of sessions: opening, seeing, refreshing and revoking them."""

# ruff: noqa: S608 -- Names are quoted and values are placeholders; nothing of a caller becomes part of a text.

from __future__ import annotations

from nines.model.blueprint import Resource
from nines.model.design import PlannedTable
from nines.model.design.ddl import literal, quoted
from nines.planning.data import accounts, facts
from nines.planning.data.names import kebab, table_name
from nines.planning.flows.draft import Draft
from nines.planning.flows.keeping import interval
from nines.planning.flows.statement import Sql, Statement, Wish, listed


def insert_session(draft: Draft, account: Resource) -> Statement:
    """Looks at the state again under the lock of the account's row, so that nobody signs in while it is locked."""
    table, people = draft.table(accounts.sessions_name(account)), draft.table(table_name(account.name))
    sql = draft.sql(table)
    holder = quoted(accounts.holder(account))
    columns = [column.name for column in table.columns if not column.default and column.name != "revoked_at"]
    values = {name: f"{sql.value(name, is_fresh=name == 'id')}::{_type(table, name)}" for name in columns}
    state = facts.signing_state(draft.blueprint, account)
    condition = f" AND status = {literal(state)}" if state else ""
    person = values[accounts.holder(account)]
    text = (
        f"WITH person AS (\n    SELECT id\n    FROM {quoted(people.name)}\n    WHERE id = {person}{condition}\n"
        "    FOR NO KEY UPDATE\n), noted AS (\n"
        f"    UPDATE {accounts.credentials_name(account)}\n    SET used_at = now()\n"
        f"    WHERE {holder} IN (SELECT id FROM person)\n)\n"
        f"INSERT INTO {table.name} ({listed(columns)})\n"
        f"SELECT {', '.join('id' if value == person else value for value in values.values())}\n"
        "FROM person\nRETURNING id"
    )
    return sql.done(
        f"insert-{kebab(account.name)}-session",
        text,
        rows_max=1,
        is_write=True,
        others=(people.name, accounts.credentials_name(account)),
        says="no row: the account was locked or closed meanwhile",
    )


def insert_token(draft: Draft, account: Resource) -> Statement:
    return _insert(
        draft, accounts.refresh_tokens_name(account), f"insert-{kebab(account.name)}-token", skip=("used_at",)
    )


def rotate_token(draft: Draft, account: Resource) -> Statement:
    """One statement, for this is most of what such a service does: the token is used up, its session is looked at, and
    the next token is kept."""
    table, held = draft.table(accounts.refresh_tokens_name(account)), draft.table(accounts.sessions_name(account))
    sql = draft.sql(table)
    used = f"WHERE {sql.equal('token_hash')}\n      AND used_at IS NULL\n      AND expires_at > now()"
    added = sql.value("token_hash", is_fresh=True, stands_for="next_hash")
    ends = sql.value("expires_at")
    live = _live(draft, account, held, "s.id = (SELECT session_id FROM used)")
    session = f"SELECT {_chosen(draft, account, held)}\n{live}".replace("\n", "\n    ")
    text = (
        f"WITH used AS (\n    UPDATE {table.name}\n    SET used_at = now()\n    {used}\n    RETURNING session_id\n"
        f"), session AS (\n    {session}\n), added AS (\n"
        f"    INSERT INTO {table.name} (token_hash, session_id, expires_at)\n"
        f"    SELECT {added}::{_type(table, 'token_hash')}, id, least({ends}::timestamptz, expires_at)\n"
        "    FROM session\n)\nSELECT session.*\nFROM used\nLEFT JOIN session ON true"
    )
    return sql.done(
        f"rotate-{kebab(account.name)}-token",
        text,
        wish=Wish(table=table.name, equal=("token_hash",)),
        rows_max=1,
        is_write=True,
        others=(held.name, table_name(account.name)),
        says="no row: `read-token` tells whether it was used before; a row without an id: its session is over",
    )


def read_token(draft: Draft, account: Resource) -> Statement:
    table = draft.table(accounts.refresh_tokens_name(account))
    sql = draft.sql(table)
    text = f"SELECT session_id, used_at, expires_at\nFROM {table.name}\nWHERE {sql.equal('token_hash')}"
    wish = Wish(table=table.name, equal=("token_hash",))
    return sql.done(f"read-{kebab(account.name)}-token", text, wish=wish, rows_max=1)


def _chosen(draft: Draft, account: Resource, table: PlannedTable) -> str:
    """What tells whose a session is."""
    factor = ", s.has_second_factor" if table.column("has_second_factor") else ""
    return f"s.id, a.id AS {quoted(accounts.holder(account))}, s.expires_at{factor}{roles(draft, account)}"


SESSIONS_MAX = 100
"""The newest of an account are listed."""
STALE = "1 minute"
"""So exactly it is known when a session was used last: not every request is to write."""


def see(draft: Draft, account: Resource) -> Statement:
    """With each token that comes in: what was revoked here ends here at once."""
    table = draft.table(accounts.sessions_name(account))
    if facts.keeps_sessions(draft.blueprint):
        return _see_cookie(draft, account, table)
    sql = draft.sql(table)
    text = f"SELECT s.{quoted(accounts.holder(account))}{_tenant(draft, account)}\n{_holding(draft, account, sql)}"
    wish = Wish(table=table.name, equal=("id",))
    others = (table_name(account.name),)
    says = "no row: the session was revoked or is over, or its account is locked or closed"
    return sql.done(f"see-{kebab(account.name)}-session", text, wish=wish, rows_max=1, others=others, says=says)


def _tenant(draft: Draft, account: Resource) -> str:
    """In which tenant they are: no token has to tell what stands beside the account."""
    column = facts.tenant_column(draft.blueprint, account)
    return f", a.{quoted(column)} AS tenant" if column not in {"", "id"} else ""


def _see_cookie(draft: Draft, account: Resource, table: PlannedTable) -> Statement:
    sql = draft.sql(table)
    factor = ", s.has_second_factor" if table.column("has_second_factor") else ""
    auth = draft.blueprint.auth
    chosen = (
        f"s.id, s.{quoted(accounts.holder(account))} AS account_id, s.expires_at{factor},\n"
        f"       s.seen_at < now() - interval '{STALE}' AS is_stale{roles(draft, account)}"
        f"{_tenant(draft, account)}"
    )
    idle = interval(auth.token_ttl_s) if auth else ""
    text = (
        f"SELECT {chosen}\n{_holding(draft, account, sql, by='token_hash')}\n  AND s.seen_at > now() - interval {idle}"
    )
    wish = Wish(table=table.name, equal=("token_hash",))
    says = "no row: the session was revoked, is over or was idle for too long, or its account is locked or closed"
    others = (table_name(account.name),)
    return sql.done(f"see-{kebab(account.name)}-session", text, wish=wish, rows_max=1, others=others, says=says)


def touch(draft: Draft, account: Resource) -> Statement:
    table = draft.table(accounts.sessions_name(account))
    sql = draft.sql(table)
    text = (
        f"UPDATE {table.name}\nSET seen_at = now()\nWHERE {sql.equal('id')}\n  AND seen_at < now() - interval '{STALE}'"
    )
    wish = Wish(table=table.name, equal=("id",))
    says = f"once in {STALE} for each session"
    return sql.done(f"touch-{kebab(account.name)}-session", text, wish=wish, rows_max=0, is_write=True, says=says)


def _holding(draft: Draft, account: Resource, sql: Sql, *, by: str = "id") -> str:
    return _live(draft, account, sql.table, sql.equal(by, alias="s."))


def _live(draft: Draft, account: Resource, table: PlannedTable, condition: str) -> str:
    """Of sessions, those that still hold."""
    people, holder = table_name(account.name), quoted(accounts.holder(account))
    state = facts.signing_state(draft.blueprint, account)
    standing = f"\n  AND a.status = {literal(state)}" if state else ""
    return (
        f"FROM {table.name} AS s\nJOIN {quoted(people)} AS a ON a.id = s.{holder}\n"
        f"WHERE {condition}\n  AND s.revoked_at IS NULL\n  AND s.expires_at > now(){standing}"
    )


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


def of_account(draft: Draft, account: Resource) -> Statement:
    table = draft.table(accounts.sessions_name(account))
    sql = draft.sql(table)
    holder = accounts.holder(account)
    text = (
        f"SELECT id, agent, host(address) AS address, created_at, expires_at\nFROM {table.name}\n"
        f"WHERE {sql.equal(holder)}\n  AND revoked_at IS NULL\n  AND expires_at > now()\n"
        f"ORDER BY created_at DESC\nLIMIT {SESSIONS_MAX}"
    )
    wish = Wish(table=table.name, equal=(holder,))
    return sql.done(f"read-{kebab(account.name)}-sessions", text, wish=wish, rows_max=SESSIONS_MAX)


def end_own(draft: Draft, account: Resource) -> Statement:
    table = draft.table(accounts.sessions_name(account))
    sql = draft.sql(table)
    text = (
        f"UPDATE {table.name}\nSET revoked_at = now()\nWHERE {sql.equal('id')}\n"
        f"  AND {sql.equal(accounts.holder(account))}\n  AND revoked_at IS NULL\nRETURNING id"
    )
    wish = Wish(table=table.name, equal=("id",))
    says = "no row: there is no such session, it is over, or it is somebody else's"
    return sql.done(f"end-{kebab(account.name)}-session", text, wish=wish, rows_max=1, is_write=True, says=says)


def use_second_factor(draft: Draft, account: Resource) -> Statement:
    table = draft.table(accounts.second_factors_name(account))
    sql = draft.sql(table)
    holder = accounts.holder(account)
    step = sql.value("last_step")
    where = f"WHERE {sql.equal(holder)}\n  AND last_step < {step}"
    text = f"UPDATE {table.name}\nSET last_step = {step}\n{where}\nRETURNING last_step"
    wish = Wish(table=table.name, equal=(holder,))
    says = "no row: this code, or a later one, was used before"
    id = f"use-{kebab(account.name)}-second-factor"
    return sql.done(id, text, wish=wish, rows_max=1, is_write=True, says=says)


def roles(draft: Draft, account: Resource) -> str:
    if not draft.blueprint.roles:
        return ""
    name, holder = accounts.roles_name(account), quoted(accounts.holder(account))
    return f",\n       ARRAY(SELECT role FROM {name} WHERE {name}.{holder} = a.id ORDER BY role) AS roles"


def _insert(draft: Draft, name: str, id: str, *, skip: tuple[str, ...] = ()) -> Statement:
    table = draft.table(name)
    sql = draft.sql(table)
    columns = [column.name for column in table.columns if not column.default and column.name not in skip]
    unique = set(table.primary_key)
    values = [sql.value(column, is_fresh=column in unique) for column in columns]
    text = f"INSERT INTO {quoted(name)} ({listed(columns)})\nVALUES ({', '.join(values)})"
    return sql.done(id, text, rows_max=0, is_write=True)


def _type(table: PlannedTable, name: str) -> str:
    column = table.column(name)
    return column.type if column else "text"

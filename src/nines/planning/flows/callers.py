"""The statements by which callers are known who show a key."""

from __future__ import annotations

from nines.model.blueprint import Blueprint
from nines.model.design import PlannedTable
from nines.planning.data import callers
from nines.planning.flows.draft import Draft, Script
from nines.planning.flows.keeping import interval
from nines.planning.flows.statement import Statement, Wish, listed

SEEN = "1 minute"


def find_key(draft: Draft) -> Statement:
    table = draft.table(callers.keys_name(draft.blueprint))
    sql = draft.sql(table)
    shown = [each for each in ("key_hash", "subject", "tenant", "roles", "expires_at") if table.column(each)]
    text = (
        f"SELECT {listed(shown)}\nFROM {table.name}\nWHERE {sql.equal('id')}\n  AND revoked_at IS NULL\n"
        "  AND (expires_at IS NULL OR expires_at > now())"
    )
    wish = Wish(table=table.name, equal=("id",))
    says = "no row: there is no such key, or it is over; its digest is compared in constant time"
    return sql.done("find-api-key", text, wish=wish, rows_max=1, says=says)


def use_key(draft: Draft) -> Statement:
    table = draft.table(callers.keys_name(draft.blueprint))
    sql = draft.sql(table)
    text = (
        f"UPDATE {table.name}\nSET used_at = now()\nWHERE {sql.equal('id')}\n"
        f"  AND (used_at IS NULL OR used_at < now() - interval '{SEEN}')"
    )
    wish = Wish(table=table.name, equal=("id",))
    says = f"once in {SEEN} for each key"
    return sql.done("use-api-key", text, wish=wish, rows_max=0, is_write=True, says=says)


def see_session(draft: Draft) -> Statement:
    """With each cookie that comes in: what was ended here ends here at once."""
    table = draft.table(callers.sessions_name(draft.blueprint))
    sql = draft.sql(table)
    told = ("id", "subject", "tenant", "roles", "has_second_factor", "expires_at")
    shown = [each for each in told if table.column(each)]
    auth = draft.blueprint.auth
    idle = interval(auth.token_ttl_s) if auth else ""
    text = (
        f"SELECT {listed(shown)}, seen_at < now() - interval '{SEEN}' AS is_stale\nFROM {table.name}\n"
        f"WHERE {sql.equal('token_hash')}\n  AND revoked_at IS NULL\n  AND expires_at > now()\n"
        f"  AND seen_at > now() - interval {idle}"
    )
    wish = Wish(table=table.name, equal=("token_hash",))
    says = "no row: the session was ended, is over, or was idle for too long"
    return sql.done("see-session", text, wish=wish, rows_max=1, says=says)


def touch_session(draft: Draft) -> Statement:
    table = draft.table(callers.sessions_name(draft.blueprint))
    sql = draft.sql(table)
    text = (
        f"UPDATE {table.name}\nSET seen_at = now()\nWHERE {sql.equal('id')}\n  AND seen_at < now() - interval '{SEEN}'"
    )
    wish = Wish(table=table.name, equal=("id",))
    says = f"once in {SEEN} for each session"
    return sql.done("touch-session", text, wish=wish, rows_max=0, is_write=True, says=says)


def scripts(blueprint: Blueprint, tables: tuple[PlannedTable, ...]) -> tuple[Script, ...]:
    """What is sent when somebody comes back from the provider, and when they sign out."""
    if not callers.has_sign_ins(blueprint):
        return ()
    begun, ended = Draft(blueprint, tables, "completeSignIn"), Draft(blueprint, tables, "signOut")
    begun.query(_insert_session(begun), "insert the session")
    ended.query(_end_session(ended), "end the session")
    return begun.done(), ended.done()


def _insert_session(draft: Draft) -> Statement:
    table = draft.table(callers.sessions_name(draft.blueprint))
    sql = draft.sql(table)
    columns = [each.name for each in table.columns if not each.default and each.name != "revoked_at"]
    values = [sql.value(each, is_fresh=each in ("id", "token_hash")) for each in columns]
    text = f"INSERT INTO {table.name} ({listed(columns)})\nVALUES ({', '.join(values)})"
    return sql.done("insert-session", text, rows_max=0, is_write=True)


def _end_session(draft: Draft) -> Statement:
    table = draft.table(callers.sessions_name(draft.blueprint))
    sql = draft.sql(table)
    text = f"UPDATE {table.name}\nSET revoked_at = now()\nWHERE {sql.equal('id')}\n  AND revoked_at IS NULL"
    wish = Wish(table=table.name, equal=("id",))
    return sql.done("end-session", text, wish=wish, rows_max=0, is_write=True)

"""The statements by which callers are known who show a key."""

from __future__ import annotations

from nines.planning.data import callers
from nines.planning.flows.draft import Draft
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

"""Rows whose time is over are deleted in small transactions, by an index that is there anyway."""

# ruff: noqa: S608 -- Names are quoted and values are placeholders; nothing of a caller becomes part of a text.

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import ResourceKind
from nines.model.design import Branch, PlannedTable
from nines.model.design.ddl import PARTITIONS_AHEAD, RETENTION, literal, partition_period, quoted
from nines.planning.data import accounts, facts, own
from nines.planning.data.names import kebab
from nines.planning.flows import queueing
from nines.planning.flows.draft import Draft
from nines.planning.flows.keeping import interval
from nines.planning.flows.statement import Sql, Statement, Wish

ROWS_MAX = 500
"""Of one transaction: short enough to hold no lock that anybody notices."""
EVERY_S = 3_600.0
_LONG_AGO = "'00000000-0000-7000-8000-000000000000'"


def purge(draft: Draft, table: PlannedTable) -> None:
    draft.isolate("read committed", "Rows that are over are changed by nobody; SKIP LOCKED passes those that are.")
    queueing.take_turn(draft, EVERY_S)
    if table.is_append_only:
        draft.begin()
        draft.query(_allow(table), "allow this one transaction to delete from a table that only grows")
    says = f"delete up to {ROWS_MAX:,} rows whose time is over; repeat until none is left"
    draft.query(_delete(draft, table), says, is_repeated=True)
    if table.is_append_only:
        draft.commit()


def roll(draft: Draft, table: PlannedTable) -> None:
    """Makes the partitions of the next periods, and drops those that are over as a whole."""
    draft.isolate("read committed", "Each statement changes the catalogue by itself and may be run again.")
    queueing.take_turn(draft, EVERY_S)
    period = literal(partition_period(table))
    name = literal(table.name)
    ahead = f"SELECT make_partitions({name}, {period}, {PARTITIONS_AHEAD})"
    make = Statement(id=f"make-partitions-of-{kebab(table.name)}", text=ahead, tables=(table.name,), rows_max=1)
    sql = draft.sql(table)
    text = f"SELECT drop_partitions({name}, {period}, now() - {_lifetime(sql, table)})"
    drop = sql.done(f"drop-partitions-of-{kebab(table.name)}", text, rows_max=1, is_write=True)
    busy = Branch(when="the lock is not to be had within 2 s", then="the next turn tries again")
    draft.query(
        make, f"make the partitions of the next {PARTITIONS_AHEAD} {partition_period(table)}s", branches=(busy,)
    )
    draft.query(drop, "drop the partitions of which every row is over", branches=(busy,))


def goes_with_parent(table: PlannedTable) -> bool:
    """Rows of a list, and credentials, end with the row that they belong to."""
    first = table.column(table.primary_key[0]) if table.primary_key else None
    return first is not None and first.on_delete == "CASCADE"


def ends_by(table: PlannedTable) -> str:
    """The column that tells when rows end: their own end, else the time in their identifier, else their birth."""
    if table.column("expires_at") and not table.resource:
        return "expires_at"
    identity = table.column("id")
    if identity and identity.type == "uuid" and table.primary_key == ("id",):
        return "id"
    return "received_at" if table.column("received_at") else "created_at"


def _allow(table: PlannedTable) -> Statement:
    text = f"SELECT set_config('{RETENTION}', 'on', true)"
    return Statement(id="allow-retention", text=text, tables=(table.name,), rows_max=1)


def _delete(draft: Draft, table: PlannedTable) -> Statement:
    return _by_identifier(draft, table) if ends_by(table) == "id" else _by_time(draft, table)


def _by_time(draft: Draft, table: PlannedTable) -> Statement:
    sql = draft.sql(table)
    column, name = ends_by(table), quoted(table.name)
    bound = "now()" if column == "expires_at" else f"now() - {_lifetime(sql, table)}"
    text = (
        f"DELETE FROM {name}\nWHERE ctid = ANY (ARRAY(\n"
        f"    SELECT ctid FROM {name} WHERE {quoted(column)} < {bound}\n"
        f"    ORDER BY {quoted(column)} LIMIT {ROWS_MAX} FOR UPDATE SKIP LOCKED\n))"
    )
    wish = Wish(table=table.name, order=(column,))
    return sql.done(f"purge-{kebab(table.name)}", text, wish=wish, rows_max=0, is_write=True)


def _by_identifier(draft: Draft, table: PlannedTable) -> Statement:
    """Walks on from the last identifier that it looked at: rows that must stay are passed once in each turn."""
    sql = draft.sql(table)
    name = quoted(table.name)
    bound, last = f"{sql.bind(_LONG_AGO, 'before:id')}::uuid", f"{sql.bind(_LONG_AGO, 'after:id')}::uuid"
    unneeded = "".join(f"\n      AND {condition}" for condition in _unneeded(draft, sql, table))
    unreferred = "".join(f"\n      AND {condition}" for condition in _unreferred(draft, table))
    text = (
        f"WITH old AS MATERIALIZED (\n    SELECT id\n    FROM {name}\n    WHERE id < {bound}\n      AND id > {last}"
        f"{unneeded}\n    ORDER BY id\n    LIMIT {ROWS_MAX}\n    FOR UPDATE SKIP LOCKED\n), gone AS (\n"
        f"    DELETE FROM {name}\n    USING old\n    WHERE {name}.id = old.id{unreferred}\n    RETURNING 1\n)\n"
        "SELECT (SELECT id FROM old ORDER BY id DESC LIMIT 1) AS last, (SELECT count(*) FROM gone) AS deleted"
    )
    return sql.done(
        f"purge-{kebab(table.name)}",
        text,
        wish=Wish(table=table.name, order=("id",)),
        rows_max=1,
        is_write=True,
        says="$1 is the smallest version 7 identifier of the time before which rows end, $2 the last one looked at",
    )


def _lifetime(sql: Sql, table: PlannedTable) -> str:
    return f"{sql.bind(interval(table.retention_s or 0.0), 'lifetime')}::interval"


def _unneeded(draft: Draft, sql: Sql, table: PlannedTable) -> Iterator[str]:
    """Nobody changed the row for as long, and nothing is under way."""
    if table.resource and table.column("updated_at"):
        lifetime = _lifetime(sql, table)
        yield f"updated_at < now() - {lifetime}"
        resource = draft.blueprint.resource(table.resource)
        if resource and resource.kind is ResourceKind.ACCOUNT:
            # Signing in changes nothing of the account, and is use of it all the same.
            name, holder = accounts.credentials_name(resource), accounts.holder(resource)
            inner = f"SELECT 1 FROM {name} WHERE {holder} = {quoted(table.name)}.id AND used_at >= now() - {lifetime}"
            yield f"NOT EXISTS ({inner})"
    if table.name == facts.own_name(draft.blueprint, own.SAGAS):
        yield "status IN ('finished', 'compensated')"


def _unreferred(draft: Draft, table: PlannedTable) -> Iterator[str]:
    """Nobody refers to it, or is signed in with it."""
    resource = draft.blueprint.resource(table.resource)
    sessions = accounts.sessions_name(resource) if resource and resource.kind is ResourceKind.ACCOUNT else ""
    name = quoted(table.name)
    for each in draft.tables:
        for column in each.columns:
            holds = column.on_delete == "RESTRICT" or each.name == sessions
            if column.references == f"{table.name}.id" and holds:
                inner = f"SELECT 1 FROM {quoted(each.name)} AS child WHERE child.{quoted(column.name)} = {name}.id"
                yield f"NOT EXISTS ({inner})"

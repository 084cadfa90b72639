"""Whether an audit trail is what was written: every chain is hashed again, by the database, in pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import msgspec

from nines_runtime.calls.deadline import Deadline
from nines_runtime.data.database import Database

PAGE_ROWS = 1_000
CHAINS_PER_PAGE = 500


class ChainReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one chain."""

    chain: str
    entries: int
    first: int | None = None
    """Its first sequence: above 1 where the beginning was let go after its retention."""
    broken_at: int | None = None
    """The sequence of the first entry that does not follow from the one before it."""
    says: str = ""
    last_hash: bytes = b""
    """Kept elsewhere, it shows later whether the end of the chain was cut off."""

    @property
    def is_intact(self) -> bool:
        return self.broken_at is None


def verify_statement(table: str, tenant_column: str) -> str:
    """Arguments: the chain, the sequence after which it looks, and how many rows at most."""
    tenant = f'"{tenant_column}"::text, ' if tenant_column else ""
    return f"""\
SELECT sequence, hash,
       lag(sequence) OVER (ORDER BY sequence) AS before, lag(hash) OVER (ORDER BY sequence) AS hash_before,
       convert_to(jsonb_build_array(chain, sequence, id, {tenant}actor, operation, changes, request_id)::text, 'UTF8')
           AS content
FROM "{table}"
WHERE chain = $1 AND sequence >= $2
ORDER BY sequence
LIMIT $3"""  # noqa: S608 -- Names of the service's own table.


def hashes_statement(table: str, tenant_column: str) -> str:
    """As above, with the hash that each entry should have in the place of what it is made of."""
    return f"""\
SELECT sequence, hash, before, hash_before,
       sha256(coalesce(hash_before, ''::bytea) || content) AS wanted
FROM ({verify_statement(table, tenant_column)}) AS looked_at
ORDER BY sequence"""  # noqa: S608 -- As above.


async def verify_chain(
    database: Database, deadline: Deadline, chain: str, *, table: str = "audit_log", tenant_column: str = ""
) -> ChainReport:
    """One chain, from its first entry to its last."""
    statement = hashes_statement(table, tenant_column)
    count, first, since = 0, None, 0
    last: asyncpg.Record | None = None
    while True:
        # Each page begins with the last row of the one before, so that its successor is compared with it.
        rows = await database.fetch(deadline, statement, chain, since, PAGE_ROWS)
        for row in rows if last is None else rows[1:]:
            fault = _fault(row, is_first=count == 0)
            if fault:
                return ChainReport(chain=chain, entries=count, first=first, broken_at=row["sequence"], says=fault)
            first = row["sequence"] if first is None else first
            count += 1
        if last is not None and (not rows or rows[0]["sequence"] != last["sequence"]):
            return ChainReport(chain=chain, entries=count, first=first, broken_at=last["sequence"], says=_GONE)
        last = rows[-1] if rows else last
        if len(rows) < PAGE_ROWS:
            return ChainReport(chain=chain, entries=count, first=first, last_hash=last["hash"] if last else b"")
        since = rows[-1]["sequence"]


async def verify_chains(
    database: Database, deadline: Deadline, *, table: str = "audit_log", tenant_column: str = ""
) -> AsyncIterator[ChainReport]:
    """Every chain of the trail, in the order of their names."""
    after = ""
    while True:
        names: Any = await database.fetch(
            deadline,
            f'SELECT DISTINCT chain FROM "{table}" WHERE chain > $1 ORDER BY chain LIMIT $2',  # noqa: S608 -- As above.
            after,
            CHAINS_PER_PAGE,
        )
        for row in names:
            yield await verify_chain(database, deadline, row["chain"], table=table, tenant_column=tenant_column)
        if len(names) < CHAINS_PER_PAGE:
            return
        after = names[-1]["chain"]


_GONE = "an entry went away while it was looked at"


def _fault(row: asyncpg.Record, *, is_first: bool) -> str:
    """Empty for an entry that follows; the first that is left may have lost what was before it."""
    if is_first:
        return "its hash is not that of its content" if row["sequence"] == 1 and row["hash"] != row["wanted"] else ""
    if row["sequence"] == row["before"]:
        return "two entries have this place: the chain is forked"
    if row["sequence"] != row["before"] + 1:
        return "an entry before it is missing"
    return "its hash is not that of its content and of the entry before" if row["hash"] != row["wanted"] else ""

"""What comes in more than once is taken once: the sender's id is written in the transaction of what it causes.

async with database.transaction(deadline) as tx:
    if await inbox.is_new(tx, "billing", event_id):
        ..."""

from __future__ import annotations

from datetime import timedelta

from nines_runtime.calls.deadline import Deadline
from nines_runtime.data.database import Connection, Database

TTL_S = 30 * 86_400.0
"""Longer than any sender repeats itself."""
PURGED_MAX = 500
TAKE = "INSERT INTO inbox (source, id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id"
PURGE = """\
DELETE FROM inbox
WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM inbox WHERE taken_at < now() - $1::interval ORDER BY taken_at LIMIT $2 FOR UPDATE SKIP LOCKED
))"""


class Inbox:
    def __init__(self, take: str = TAKE, purge: str = PURGE) -> None:
        self._take, self._purge = take, purge

    async def is_new(self, tx: Connection, source: str, id: str) -> bool:
        """Whether this transaction is the one that acts on it; one that comes at the same time waits for its end."""
        return await tx.fetchval(self._take, source, id) is not None

    async def purge(self, database: Database, deadline: Deadline, *, ttl_s: float = TTL_S) -> int:
        """Forgets what nobody repeats any more; how many. For a Schedule."""
        gone = 0
        while deadline.left_s:
            count = await database.execute(deadline, self._purge, timedelta(seconds=ttl_s), PURGED_MAX)
            gone += count
            if count < PURGED_MAX:
                break
        return gone

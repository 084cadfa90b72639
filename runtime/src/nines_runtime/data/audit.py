"""The audit trail: who did what, append-only, each entry with the hash of the one before it on the same chain."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from nines_runtime.calls.deadline import Deadline
from nines_runtime.data.database import Connection, Database
from nines_runtime.data.identifiers import new_id
from nines_runtime.data.origin import Origin, actor_of
from nines_runtime.data.statements import AUDIT_APPEND
from nines_runtime.data.verifying import ChainReport, verify_chain, verify_chains

_NOTHING: Mapping[str, Any] = {}
_LOCK = "SELECT current_setting('transaction_isolation') FROM pg_advisory_xact_lock(hashtextextended($1, 20250))"


class Audit:
    """`append` is the statement of the service's own table."""

    def __init__(self, append: str = AUDIT_APPEND, *, table: str = "audit_log", tenant_column: str = "") -> None:
        self._append, self.table, self.tenant_column = append, table, tenant_column
        self._process = new_id().hex
        self._lanes: list[int] = []
        self._lanes_made = 0

    async def add(
        self,
        tx: Connection,
        origin: Origin,
        kind: str,
        id: object,
        changes: Mapping[str, Any],
        *,
        holds_lock: bool = False,
    ) -> None:
        """Adds to the chain of one object; of personal data `changes` holds names and no values.

        Two appends to one chain must not see the same last entry. `holds_lock` tells that this transaction made the
        object or changed its row before, so that nobody else can be here; without it an advisory lock is taken, which
        is one more exchange with the database and is held until the commit."""
        chain = f"{kind}:{id}"
        if not holds_lock:
            await self._lock(tx, chain)
        await tx.execute(self._append, *self._entry(origin, chain, changes))

    async def add_read(
        self,
        database: Database,
        deadline: Deadline,
        origin: Origin,
        kind: str,
        id: object,
        *,
        changes: Mapping[str, Any] = _NOTHING,
    ) -> None:
        """Adds that somebody read an object, to a chain that nobody else appends to in this moment."""
        lane = self._lanes.pop() if self._lanes else self._new_lane()
        chain = f"read:{self._process}:{lane}"
        read = {"read": f"{kind}:{id}", **changes}
        await database.execute(deadline, self._append, *self._entry(origin, chain, read))
        # A lane whose statement failed is left alone: nobody knows whether its entry is there, or comes yet.
        self._lanes.append(lane)

    async def verify_chain(self, database: Database, deadline: Deadline, kind: str, id: object) -> ChainReport:
        """Whether what is written of one object is what was written."""
        return await verify_chain(
            database, deadline, f"{kind}:{id}", table=self.table, tenant_column=self.tenant_column
        )

    def verify(self, database: Database, deadline: Deadline) -> AsyncIterator[ChainReport]:
        """The same of every chain there is."""
        return verify_chains(database, deadline, table=self.table, tenant_column=self.tenant_column)

    def _new_lane(self) -> int:
        self._lanes_made += 1
        return self._lanes_made

    def _entry(self, origin: Origin, chain: str, changes: Mapping[str, Any]) -> tuple[Any, ...]:
        tenants = (origin.tenant,) if self.tenant_column else ()
        return (new_id(), *tenants, actor_of(origin), origin.operation, changes, origin.request_id, chain)

    async def _lock(self, tx: Connection, chain: str) -> None:
        if await tx.fetchval(_LOCK, chain) == "repeatable read":
            # Its snapshot is older than the lock: the last entry that it sees may not be the last.
            raise RuntimeError("An audit entry cannot be added in repeatable_read: use read_committed or serializable.")

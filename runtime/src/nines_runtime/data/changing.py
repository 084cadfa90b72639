"""Changes of single rows that share their commits: what arrives while others are under way goes with the next.

Each is the statement that it would be alone. They travel together, and one commit makes all of them durable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import asyncpg

from nines_runtime.data.batch import Batch

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from nines_runtime.calls.deadline import Deadline
    from nines_runtime.data.batch import Row

CHANGES_MAX = 64
"""Of one transaction: as long as its slowest row takes, all others stay locked."""


class Changes(Batch):
    """`statement` changes at most the row of one id, and returns it with its `id`."""

    async def change(self, deadline: Deadline, id: Hashable, arguments: Sequence[Any]) -> asyncpg.Record | None:
        """The row as it is now; None where the statement changed nothing."""
        return await self.add(deadline, arguments, alone=id)

    async def _sent(self, deadline: Deadline, rows: list[Row]) -> list[asyncpg.Record | None]:
        # In one order everywhere, so that two processes do not wait for each other.
        ordered = sorted(rows, key=lambda row: str(row.alone))
        found = await self._database.fetch_all(deadline, self._statement, [row.arguments for row in ordered])
        by_id = {row["id"]: row for row in found}
        return [by_id.get(row.alone) for row in rows]

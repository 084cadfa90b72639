"""Changes that share their commits: each is what it would be alone, and none is told before it is durable."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import asyncpg
import pytest

from nines_runtime import Database, Deadline, Unavailable, Violated, Violation, new_id
from nines_runtime.data.pacing import BUSY_HZ, PACE_S, WINDOW_S, Pace

from .requests import soon

TABLE = """
CREATE TABLE letters (
    id uuid PRIMARY KEY,
    status text NOT NULL DEFAULT 'sent',
    version bigint NOT NULL DEFAULT 1,
    weight int NOT NULL DEFAULT 1 CONSTRAINT letters_weight_check CHECK (weight > 0),
    flush bigint
)"""
MOVE = """
UPDATE letters
SET status = $1, version = version + 1, weight = weight + $4, flush = pg_current_xact_id()::text::bigint
WHERE id = $2 AND status = ANY($3::text[])
RETURNING id, status, version, flush"""


def run(url: str, work: Callable[[Database, list[UUID]], Awaitable[None]]) -> None:
    async def scenario() -> None:
        database = Database(url, size_max=4, constraints={"letters_weight_check": Violation("invariant-broken")})
        try:
            await database.execute(soon(), TABLE)
            ids = [new_id() for _ in range(120)]
            await database.execute(soon(), "INSERT INTO letters (id) SELECT unnest($1::uuid[])", ids)
            await work(database, ids)
        finally:
            await database.close()

    asyncio.run(scenario())


async def moved(database: Database, id: UUID, to: str = "delivered", weight: int = 0) -> asyncpg.Record | None:
    return await database.changed(soon(), id, MOVE, to, id, ("sent",), weight)


def test_changes_that_come_together_share_commits_and_each_gets_its_own_row(url: str) -> None:
    async def work(database: Database, ids: list[UUID]) -> None:
        found = await asyncio.gather(*(moved(database, id) for id in ids))
        rows = [row for row in found if row is not None]
        assert [row["id"] for row in rows] == ids
        assert {(row["status"], row["version"]) for row in rows} == {("delivered", 2)}
        assert len({row["flush"] for row in rows}) < 12
        # What was moved is not moved again, nor is what is not there.
        again = await asyncio.gather(moved(database, ids[0]), moved(database, new_id()), moved(database, ids[1]))
        assert not any(again)

    run(url, work)


def test_of_two_changes_of_one_row_one_succeeds(url: str) -> None:
    async def work(database: Database, ids: list[UUID]) -> None:
        found = await asyncio.gather(*(moved(database, id) for id in ids for _ in range(3)))
        assert sum(row is not None for row in found) == len(ids)
        states = await database.fetch(soon(), "SELECT version, count(*) FROM letters GROUP BY version")
        assert [tuple(row) for row in states] == [(2, len(ids))]

    run(url, work)


def test_a_change_that_breaks_a_rule_fails_alone(url: str) -> None:
    async def work(database: Database, ids: list[UUID]) -> None:
        bad = set(ids[::17])
        found = await asyncio.gather(
            *(moved(database, id, weight=-9 if id in bad else 1) for id in ids), return_exceptions=True
        )
        assert [isinstance(each, Violated) for each in found] == [id in bad for id in ids]
        left = await database.fetch(soon(), "SELECT id FROM letters WHERE status = 'sent'")
        assert {row["id"] for row in left} == bad

    run(url, work)


def test_whoever_cannot_wait_is_told_so(url: str) -> None:
    async def work(database: Database, ids: list[UUID]) -> None:
        async with database.transaction(soon()) as tx:
            await tx.execute("UPDATE letters SET weight = 2 WHERE id = $1", ids[0])
            with pytest.raises(Unavailable):
                await database.changed(Deadline.after(0.2), ids[0], MOVE, "delivered", ids[0], ("sent",), 0)
        # Nobody knows whether it was changed; all others are.
        found = await asyncio.gather(*(moved(database, id) for id in ids[1:]))
        assert None not in found

    run(url, work)


def test_a_kind_of_which_little_comes_keeps_the_pace_of_all_others() -> None:
    pace = Pace()
    now_s = 100.0
    pace.wrote(1, now_s)
    assert pace.gather_s == 0.0
    for hz, gathers_s in ((BUSY_HZ * 1.5, PACE_S), (BUSY_HZ * 15, PACE_S), (BUSY_HZ / 2, 0.0)):
        for _ in range(3):
            now_s += WINDOW_S
            pace.wrote(int(hz * WINDOW_S), now_s)
        assert pace.gather_s == gathers_s

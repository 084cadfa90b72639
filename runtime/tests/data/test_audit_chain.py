"""A chain never forks, and whoever changes what is written is found out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from nines_runtime import Audit, Database, Task

from .requests import Request, soon


def run(url: str, work: Callable[[Database, Audit], Awaitable[None]]) -> None:
    async def scenario() -> None:
        database = Database(url, size_max=10)
        try:
            await work(database, Audit())
        finally:
            await database.close()

    asyncio.run(scenario())


async def append(database: Database, audit: Audit, id: str = "t-1", isolation: str = "read_committed") -> None:
    async with database.transaction(soon(30), isolation=isolation) as tx:
        await audit.add(tx, Request(), "thing", id, {"status": "open"})


def test_fifty_at_once_on_one_chain_stand_in_one_row(url: str) -> None:
    async def work(database: Database, audit: Audit) -> None:
        # Without this constraint nothing but the lock keeps two from taking the same place.
        await database.execute(soon(), "ALTER TABLE audit_log DROP CONSTRAINT audit_log_chain_sequence_key")
        await asyncio.gather(*(append(database, audit) for _ in range(50)))
        report = await audit.verify_chain(database, soon(), "thing", "t-1")
        assert (report.is_intact, report.entries, report.first) == (True, 50, 1)
        rows = await database.fetch(soon(), "SELECT sequence FROM audit_log ORDER BY sequence")
        assert [row["sequence"] for row in rows] == list(range(1, 51))

    run(url, work)


def test_the_lock_of_the_object_is_enough(url: str) -> None:
    async def work(database: Database, audit: Audit) -> None:
        await database.execute(soon(), "ALTER TABLE audit_log DROP CONSTRAINT audit_log_chain_sequence_key")
        await database.execute(soon(), "CREATE TABLE things AS SELECT 't-1' AS id, 0 AS version")

        async def change() -> None:
            async with database.transaction(soon(30)) as tx:
                await tx.execute("UPDATE things SET version = version + 1")
                await audit.add(tx, Request(), "thing", "t-1", {"version": 1}, holds_lock=True)

        await asyncio.gather(*(change() for _ in range(50)))
        report = await audit.verify_chain(database, soon(), "thing", "t-1")
        assert (report.is_intact, report.entries) == (True, 50)

    run(url, work)


def test_reads_go_to_chains_of_their_own(url: str) -> None:
    async def work(database: Database, audit: Audit) -> None:
        await database.execute(soon(), "ALTER TABLE audit_log DROP CONSTRAINT audit_log_chain_sequence_key")
        reading = [audit.add_read(database, soon(30), Request(), "thing", number % 3) for number in range(60)]
        await asyncio.gather(*reading)
        with pytest.raises(asyncpg.PostgresError):
            await audit.add_read(database, soon(), Request(subject="x" * 300), "thing", 1)
        await audit.add_read(database, soon(), Task(operation="look"), "thing", 1)
        reports = [each async for each in audit.verify(database, soon())]
        assert sum(each.entries for each in reports) == 61
        assert all(each.is_intact for each in reports)
        assert len(reports) <= 60

    run(url, work)


def test_an_old_snapshot_is_refused_and_serializable_is_not(url: str) -> None:
    async def work(database: Database, audit: Audit) -> None:
        with pytest.raises(RuntimeError, match="repeatable_read"):
            await append(database, audit, isolation="repeatable_read")
        await append(database, audit, isolation="serializable")

    run(url, work)


@pytest.mark.parametrize(
    ("tampering", "broken_at"),
    [
        ("UPDATE audit_log SET actor = 'nobody' WHERE sequence = 3", 3),
        ("UPDATE audit_log SET changes = '{}' WHERE sequence = 1", 1),
        ("UPDATE audit_log SET hash = sha256('x') WHERE sequence = 5", 5),
        ("DELETE FROM audit_log WHERE sequence = 4", 5),
        ("UPDATE audit_log SET sequence = sequence + 10 WHERE sequence > 3", 14),
    ],
)
def test_who_changes_an_entry_is_found_out(url: str, tampering: str, broken_at: int) -> None:
    async def work(database: Database, audit: Audit) -> None:
        for _ in range(6):
            await append(database, audit)
        await append(database, audit, "t-2")
        with pytest.raises(asyncpg.RestrictViolationError):
            await database.execute(soon(), tampering)
        await database.execute(soon(), "ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only")
        await database.execute(soon(), tampering)
        report = await audit.verify_chain(database, soon(), "thing", "t-1")
        assert report.broken_at == broken_at
        assert report.says
        assert (await audit.verify_chain(database, soon(), "thing", "t-2")).is_intact == (
            "sequence = 1" not in tampering
        )

    run(url, work)


def test_a_chain_whose_beginning_was_let_go_is_intact(url: str) -> None:
    async def work(database: Database, audit: Audit) -> None:
        for _ in range(5):
            await append(database, audit)
        await database.execute(soon(), "ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only")
        await database.execute(soon(), "DELETE FROM audit_log WHERE sequence <= 2")
        report = await audit.verify_chain(database, soon(), "thing", "t-1")
        assert (report.is_intact, report.first, report.entries) == (True, 3, 3)
        assert len(report.last_hash) == 32
        assert (await audit.verify_chain(database, soon(), "thing", "none")).entries == 0

    run(url, work)


def test_a_long_chain_is_looked_at_in_pages(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nines_runtime.data.verifying.PAGE_ROWS", 4)

    async def work(database: Database, audit: Audit) -> None:
        for _ in range(13):
            await append(database, audit)
        assert (await audit.verify_chain(database, soon(), "thing", "t-1")).entries == 13
        await database.execute(soon(), "ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only")
        await database.execute(soon(), "UPDATE audit_log SET actor = 'x' WHERE sequence = 9")
        assert (await audit.verify_chain(database, soon(), "thing", "t-1")).broken_at == 9

    run(url, work)

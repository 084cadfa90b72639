"""The pool and its transactions: bounded, honest about outages, and well again by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from nines_runtime import Conflict, Database, EmbeddedServer, Problem, Unavailable, Violated, Violation, new_id
from nines_runtime.calls.deadline import Deadline
from nines_runtime.data.pool import Pool

TABLES = """
CREATE TABLE shelves (id int PRIMARY KEY, size int CONSTRAINT shelves_size_check CHECK (size > 0));
CREATE TABLE books (
    id uuid PRIMARY KEY,
    title text CONSTRAINT books_title_key UNIQUE,
    shelf int CONSTRAINT books_shelf_fkey REFERENCES shelves (id) ON DELETE RESTRICT,
    more jsonb
);
CREATE TABLE loans (shelf int CONSTRAINT loans_shelf_fkey REFERENCES shelves (id));
INSERT INTO shelves VALUES (1, 10), (2, 10);
"""
CONSTRAINTS = {
    "books_title_key": Violation("already-exists"),
    "books_shelf_fkey": Violation("invalid-request", "There is no such shelf.", "/shelf"),
    "loans_shelf_fkey": Violation("invalid-request", "There is no such shelf.", "/shelf"),
    "shelves_size_check": Violation("invariant-broken"),
}


def soon(limit_s: float = 10.0) -> Deadline:
    return Deadline.after(limit_s)


def run(url: str, work: Callable[[Database], Awaitable[None]], **options: object) -> None:
    async def scenario() -> None:
        database = Database(url, **{"constraints": CONSTRAINTS, **options})  # type: ignore[arg-type]
        try:
            async with database.transaction(soon()) as tx:
                await tx.execute(TABLES)
            await work(database)
        finally:
            await database.close()

    asyncio.run(scenario())


def test_what_fails_leaves_nothing_and_what_ends_stays(url: str) -> None:
    async def work(database: Database) -> None:
        with pytest.raises(KeyError):
            async with database.transaction(soon()) as tx:
                await tx.execute("INSERT INTO books (id, title) VALUES ($1, 'lost')", new_id())
                raise KeyError
        id = new_id()
        assert await database.execute(soon(), "INSERT INTO books VALUES ($1, 'kept', 1, $2)", id, {"pages": [1]}) == 1
        row = await database.fetchrow(soon(), "SELECT title, more FROM books")
        assert row is not None
        assert tuple(row) == ("kept", {"pages": [1]})
        assert len(await database.fetch(soon(), "SELECT * FROM books")) == 1
        assert database.in_use == 0

    run(url, work)


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("INSERT INTO books VALUES (gen_random_uuid(), 'twice', 1)", "already-exists"),
        ("INSERT INTO books VALUES (gen_random_uuid(), 'once', 7)", "invalid-request"),
        ("UPDATE shelves SET size = -1", "invariant-broken"),
        ("DELETE FROM shelves WHERE id = 1", "in-use"),
        ("DELETE FROM shelves WHERE id = 2", "in-use"),
    ],
)
def test_a_broken_constraint_is_the_problem_that_it_means(url: str, statement: str, code: str) -> None:
    async def work(database: Database) -> None:
        await database.execute(soon(), "INSERT INTO books VALUES (gen_random_uuid(), 'twice', 1)")
        await database.execute(soon(), "INSERT INTO loans VALUES (2)")
        with pytest.raises(Violated) as alone:
            await database.execute(soon(), statement)
        with pytest.raises(Violated) as within:
            async with database.transaction(soon()) as tx:
                await tx.execute(statement)
        assert (alone.value.code, within.value.code) == (code, code)
        if code == "invalid-request":
            assert alone.value.errors == (("/shelf", "There is no such shelf."),)
        assert database.in_use == 0

    run(url, work)


def test_a_constraint_that_no_caller_can_break_stays_an_error(url: str) -> None:
    async def work(database: Database) -> None:
        with pytest.raises(asyncpg.UniqueViolationError):
            await database.execute(soon(), "INSERT INTO shelves VALUES (1, 1)")

    run(url, work)


def test_an_error_that_somebody_caught_is_no_commit(url: str) -> None:
    async def work(database: Database) -> None:
        with pytest.raises(RuntimeError, match="nothing is committed"):
            async with database.transaction(soon()) as tx:
                await tx.execute("INSERT INTO books VALUES (gen_random_uuid(), 'half', 1)")
                with pytest.raises(asyncpg.UniqueViolationError):
                    await tx.execute("INSERT INTO shelves VALUES (1, 1)")
        assert await database.fetch(soon(), "SELECT * FROM books") == []

    run(url, work)


def test_nobody_waits_longer_than_the_deadline(url: str) -> None:
    async def work(database: Database) -> None:
        begun_s = time.monotonic()
        with pytest.raises(Unavailable):
            await database.fetch(soon(0.2), "SELECT pg_sleep(30)")
        with pytest.raises(Unavailable):
            async with database.transaction(soon(0.2)) as tx:
                await tx.execute("SELECT pg_sleep(30)")
        with pytest.raises(Unavailable):
            async with database.transaction(soon(0.2)):
                await asyncio.sleep(30)
        assert time.monotonic() - begun_s < 15
        # What was given up is undone, and its connection is used again.
        for _ in range(20):
            assert await database.fetchrow(soon(), "SELECT 1") is not None
        assert database.in_use <= 1

    run(url, work, size_max=2)


def test_the_servers_own_limits_hold(url: str) -> None:
    async def work(database: Database) -> None:
        with pytest.raises(Unavailable):
            await database.fetch(soon(), "SELECT pg_sleep(30)")
        async with database.transaction(soon(), statement_s_max=5.0) as tx:
            await tx.execute("SELECT pg_sleep(0.7)")
        async with database.transaction(soon()) as tx:
            await tx.execute("UPDATE shelves SET size = 3 WHERE id = 1")
            with pytest.raises(Unavailable):
                await database.execute(soon(), "UPDATE shelves SET size = 4 WHERE id = 1")
        with pytest.raises(Unavailable):
            async with database.transaction(soon()) as tx:
                await asyncio.sleep(1.0)
                await tx.execute("SELECT 1")

    run(url, work, statement_s_max=0.5, lock_s_max=0.2, idle_in_transaction_s_max=0.4)


def test_what_is_acknowledged_is_durable_on_a_careless_server_too(url: str) -> None:
    async def work(database: Database) -> None:
        await database.execute(soon(), "ALTER ROLE service SET synchronous_commit = off")
        try:
            other = Database(url)
            row = await other.fetchrow(soon(), "SHOW synchronous_commit")
            await other.close()
        finally:
            await database.execute(soon(), "ALTER ROLE service RESET synchronous_commit")
        assert row is not None
        assert row[0] == "on"

    run(url, work)


def test_behind_a_pooler_the_limits_are_those_of_each_transaction(url: str) -> None:
    async def work(database: Database) -> None:
        async with database.transaction(soon()) as tx:
            assert await tx.fetchval("SHOW lock_timeout") == "200ms"
        row = await database.fetchrow(soon(), "SHOW lock_timeout")
        assert row is not None
        assert row[0] == "200ms"
        for number in range(3):
            await database.execute(soon(), "INSERT INTO books (id, title) VALUES ($1, $2)", new_id(), str(number))
        prepared = await database.fetch(soon(), "SELECT name FROM pg_prepared_statements")
        assert not [each for each in prepared if each["name"].startswith("__asyncpg_stmt")]

    run(url, work, is_pooled=True, lock_s_max=0.2, size_max=1)


def test_who_waits_is_counted_and_bounded(url: str) -> None:
    waits: list[float] = []

    async def work(database: Database) -> None:
        database.on_wait = waits.append
        async with database.transaction(soon()), database.transaction(soon()):
            assert (database.in_use, database.size_max) == (2, 2)
            waiting = [asyncio.create_task(database.fetch(soon(), "SELECT 1")) for _ in range(3)]
            await asyncio.sleep(0.05)
            assert database.waiting == 3
            with pytest.raises(Unavailable):
                await database.fetch(soon(), "SELECT 1")
            cancelled = waiting.pop()
            cancelled.cancel()
            await asyncio.sleep(0)
            with pytest.raises(Unavailable):
                await database.fetch(soon(0.05), "SELECT 1")
        assert [len(rows) for rows in await asyncio.gather(*waiting)] == [1, 1]
        assert max(waits) > 0.05
        assert database.in_use == 0

    run(url, work, size_max=2, waiters_max=3)


def test_a_wait_has_a_limit_of_its_own(url: str) -> None:
    async def work(database: Database) -> None:
        async with database.transaction(soon()):
            with pytest.raises(Unavailable):
                await database.fetch(soon(60), "SELECT 1")

    run(url, work, size_max=1, wait_s_max=0.1)


def test_a_storm_of_cancellations_loses_no_connection(url: str) -> None:
    async def work(database: Database) -> None:
        async def ask(number: int) -> None:
            async with database.transaction(soon()) as tx:
                await tx.execute("SELECT pg_sleep($1)", 0.001 * (number % 7))

        for _ in range(6):
            tasks = [asyncio.create_task(ask(number)) for number in range(30)]
            await asyncio.sleep(0.01)
            for number, task in enumerate(tasks):
                if number % 2:
                    task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.wait_for(_until(lambda: database.in_use == 0), 10)
        found = await asyncio.gather(*(database.fetch(soon(), "SELECT pg_sleep(0.02)") for _ in range(3)))
        assert len(found) == 3
        count = await database.fetchrow(
            soon(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state IS NOT NULL"
        )
        assert count is not None
        assert count[0] <= 3

    run(url, work, size_max=3)


async def _until(is_true: Callable[[], bool]) -> None:
    while not is_true():
        await asyncio.sleep(0.01)


def test_of_two_that_conflict_one_is_tried_again(url: str) -> None:
    async def work(database: Database) -> None:
        met = asyncio.Barrier(2)
        attempts = 0

        async def add(tx: asyncpg.Connection) -> int:
            nonlocal attempts
            attempts += 1
            size: int = await tx.fetchval("SELECT sum(size) FROM shelves")
            if attempts <= 2:
                await met.wait()
            await tx.execute("INSERT INTO shelves SELECT max(id) + 1, $1 FROM shelves", size)
            return size

        found = await asyncio.gather(*(database.serializable(soon(), add) for _ in range(2)))
        assert sorted(found) == [20, 40]
        assert attempts >= 3

    run(url, work)


def test_a_conflict_without_end_is_told(url: str) -> None:
    async def work(database: Database) -> None:
        attempts = 0

        async def never(tx: asyncpg.Connection) -> None:
            nonlocal attempts
            attempts += 1
            await tx.execute("DO $$ BEGIN RAISE serialization_failure; END $$")

        with pytest.raises(Conflict) as told:
            await database.serializable(soon(), never)
        assert attempts == 3
        assert told.value.retry_after_s

    run(url, work)


def test_a_connection_that_was_cut_is_noticed_before_anybody_suffers(url: str) -> None:
    async def work(database: Database) -> None:
        await asyncio.gather(*(database.fetch(soon(), "SELECT pg_sleep(0.05)") for _ in range(4)))
        other = await asyncpg.connect(url)
        await other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await other.close()
        for _ in range(8):
            assert await database.fetchrow(soon(), "SELECT 1") is not None

    run(url, work, size_max=4)


def test_after_a_crash_it_is_refused_at_once_and_works_again_within_seconds(server: EmbeddedServer, url: str) -> None:
    async def work(database: Database) -> None:
        await asyncio.gather(*(database.fetch(soon(), "SELECT pg_sleep(0.02)") for _ in range(4)))
        await asyncio.to_thread(server.kill)
        begun_s = time.monotonic()
        for _ in range(20):
            with pytest.raises(Problem) as told:
                await database.fetch(soon(), "SELECT 1")
            assert told.value.code == "unavailable"
            assert told.value.retry_after_s
        with pytest.raises(Problem):
            async with database.transaction(soon()):
                pass
        assert time.monotonic() - begun_s < 5
        await asyncio.to_thread(server.start)
        async with asyncio.timeout(10):
            while not await _is_well(database):
                await asyncio.sleep(0.05)
        for _ in range(20):
            assert len(await database.fetch(soon(), "SELECT * FROM shelves")) == 2
        assert database.in_use == 0

    run(url, work, size_max=4)


async def _is_well(database: Database) -> bool:
    try:
        await database.ping()
    except Unavailable:
        return False
    return True


def test_a_closed_pool_takes_nobody_in(url: str) -> None:
    async def work(database: Database) -> None:
        async def late() -> None:
            async with database.transaction(soon()) as tx:
                await asyncio.sleep(0.1)
                await tx.execute("INSERT INTO books (id) VALUES ($1)", new_id())

        task = asyncio.create_task(late())
        await asyncio.sleep(0.05)
        closing = asyncio.create_task(database.close(5))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await database.fetch(soon(), "SELECT 1")
        await asyncio.gather(task, closing)

    run(url, work)


def test_a_moments_outage_is_a_moments_wait() -> None:
    """Whoever comes while one finds out whether the database is back, waits for that and is served."""
    refusing = [True]
    opened: list[object] = []

    class Connection:
        def is_closed(self) -> bool:
            return False

        def terminate(self) -> None:
            pass

    async def open_one() -> Any:
        await asyncio.sleep(0.005)
        if refusing[0]:
            raise ConnectionError
        opened.append(None)
        return Connection()

    async def scenario() -> None:
        pool = Pool(open_one, size_max=4, clock=time.monotonic)
        for _ in range(3):
            with pytest.raises(Unavailable):
                await pool.take(0.05)
        refusing[0] = False
        found = await asyncio.gather(*(_held(pool) for _ in range(20)))
        assert found == [True] * 20
        assert len(opened) <= 4

    async def _held(pool: Pool) -> bool:
        connection = await pool.take(2.0)
        await asyncio.sleep(0.01)
        pool.give_back(connection)
        return True

    asyncio.run(scenario())


def test_a_short_deadline_is_no_outage() -> None:
    """Who has no time to wait for a connection takes none of the others' away."""
    opened: list[object] = []

    class Connection:
        def is_closed(self) -> bool:
            return False

    async def open_one() -> Any:
        await asyncio.sleep(0.1)
        opened.append(None)
        return Connection()

    async def scenario() -> None:
        pool = Pool(open_one, size_max=2, clock=time.monotonic)
        patient = [asyncio.create_task(pool.take(5.0)) for _ in range(2)]
        for _ in range(5):
            with pytest.raises(Unavailable):
                await pool.take(0.01)
        await asyncio.gather(*patient)
        assert (len(opened), pool.in_use, pool.waiting) == (2, 2, 0)

    asyncio.run(scenario())


def test_a_long_outage_is_refused_at_once_and_the_end_of_it_is_found_out() -> None:
    now_s = [100.0]
    attempts: list[bool] = []
    is_down = [True]

    class Connection:
        def is_closed(self) -> bool:
            return False

    async def open_one() -> Any:
        attempts.append(is_down[0])
        await asyncio.sleep(0.01)
        if is_down[0]:
            raise ConnectionError
        return Connection()

    async def refused(pool: Pool, limit_s: float = 5.0) -> bool:
        try:
            await pool.take(limit_s)
        except Unavailable:
            return True
        return False

    async def scenario() -> None:
        pool = Pool(open_one, size_max=4, clock=lambda: now_s[0])
        assert await refused(pool, 0.03)
        now_s[0] += 10.0
        # Whoever comes looks for himself, and those who come with him wait for what he finds.
        assert await asyncio.gather(*(refused(pool) for _ in range(10))) == [True] * 10
        assert len(attempts) <= 3
        before = len(attempts)
        assert await asyncio.gather(*(refused(pool) for _ in range(10))) == [True] * 10
        assert len(attempts) == before
        is_down[0] = False
        now_s[0] += 10.0
        assert await asyncio.gather(*(refused(pool) for _ in range(4))) == [False] * 4
        assert pool.in_use == 4

    asyncio.run(scenario())

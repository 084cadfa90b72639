"""Migrations: once each, by one at a time, told when they changed, and resumed where they stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nines_runtime import MigrationError, migrate
from nines_runtime.data.scripts import statements_of

FIRST = (
    "-- expand: Makes pets.\nCREATE TABLE pets (id int PRIMARY KEY, name text);\nINSERT INTO pets VALUES (1, 'a;b');\n"
)


def write(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.sql").write_text(text)


def run(url: str, work: Callable[[asyncpg.Connection], Awaitable[None]]) -> None:
    async def scenario() -> None:
        connection = await asyncpg.connect(url)
        try:
            await work(connection)
        finally:
            await connection.close()

    asyncio.run(scenario())


def test_each_file_is_applied_once_even_by_five_at_once(url: str, tmp_path: Path) -> None:
    write(tmp_path, "0001_first", FIRST)
    write(tmp_path, "0002_more", "INSERT INTO pets VALUES (2, 'x');")

    async def work(connection: asyncpg.Connection) -> None:
        found = await asyncio.gather(*(migrate(url, tmp_path) for _ in range(5)))
        assert sorted(len(each) for each in found) == [0, 0, 0, 0, 2]
        applied = next(each for each in found if each)
        assert [(each.name, each.phase, each.says) for each in applied] == [
            ("0001_first", "expand", "Makes pets."),
            ("0002_more", "expand", ""),
        ]
        assert await connection.fetchval("SELECT count(*) FROM pets") == 2

    run(url, work)


def test_a_file_that_was_changed_or_comes_too_late_is_refused(url: str, tmp_path: Path) -> None:
    async def work(connection: asyncpg.Connection) -> None:
        write(tmp_path, "0002_first", FIRST)
        await migrate(url, tmp_path)
        write(tmp_path, "0002_first", FIRST.replace("\n", "\r\n"))
        assert await migrate(url, tmp_path) == ()
        write(tmp_path, "0002_first", FIRST + "-- and more\n")
        with pytest.raises(MigrationError, match="0002_first was changed"):
            await migrate(url, tmp_path)
        write(tmp_path, "0002_first", FIRST)
        write(tmp_path, "0001_late", "SELECT 1;")
        with pytest.raises(MigrationError, match="0001_late comes before 0002_first"):
            await migrate(url, tmp_path)
        # A newer version has been here: an older one does not mind.
        (tmp_path / "0001_late.sql").unlink()
        (tmp_path / "0002_first.sql").unlink()
        assert await migrate(url, tmp_path) == ()
        with pytest.raises(MigrationError, match="no folder"):
            await migrate(url, tmp_path / "nowhere")

    run(url, work)


def test_what_fails_leaves_nothing_of_its_step(url: str, tmp_path: Path) -> None:
    async def work(connection: asyncpg.Connection) -> None:
        write(tmp_path, "0001_first", FIRST)
        write(tmp_path, "0002_bad", "CREATE TABLE half (id int);\nSELECT 1 / 0;")
        with pytest.raises(MigrationError, match="0002_bad failed"):
            await migrate(url, tmp_path)
        assert await connection.fetchval("SELECT to_regclass('half')") is None
        assert await connection.fetchval("SELECT count(*) FROM pets") == 1
        write(tmp_path, "0002_bad", "CREATE TABLE half (id int);")
        assert [each.name for each in await migrate(url, tmp_path)] == ["0002_bad"]

    run(url, work)


def test_it_waits_for_a_lock_without_holding_up_the_others(url: str, tmp_path: Path) -> None:
    async def work(connection: asyncpg.Connection) -> None:
        write(tmp_path, "0001_first", FIRST)
        await migrate(url, tmp_path)
        write(tmp_path, "0002_add", "ALTER TABLE pets ADD COLUMN age int;")
        said: list[str] = []
        async with connection.transaction():
            await connection.execute("SELECT * FROM pets")
            running = asyncio.create_task(migrate(url, tmp_path, tell=said.append))
            async with asyncio.timeout(20):
                while not any("waits for others" in each for each in said):
                    await asyncio.sleep(0.05)
        assert [each.name for each in await running] == ["0002_add"]

    run(url, work)


def test_an_index_is_built_beside_the_writers_and_a_broken_one_is_built_anew(url: str, tmp_path: Path) -> None:
    async def work(connection: asyncpg.Connection) -> None:
        write(tmp_path, "0001_first", FIRST + "INSERT INTO pets VALUES (2, 'twin'), (3, 'twin');\n")
        index = 'CREATE UNIQUE INDEX CONCURRENTLY "Pets_name" ON pets (name)'
        write(
            tmp_path,
            "0002_index",
            f"-- migrate, alone: Finds pets by name.\n{index};\nUPDATE pets SET name = upper(name);",
        )
        with pytest.raises(MigrationError, match="0002_index failed"):
            await migrate(url, tmp_path)
        valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('\"Pets_name\"')"
        assert await connection.fetchval(valid) is False
        await connection.execute("DELETE FROM pets WHERE id = 3")
        assert [each.name for each in await migrate(url, tmp_path)] == ["0002_index"]
        assert await connection.fetchval(valid) is True
        assert await connection.fetchval("SELECT name FROM pets WHERE id = 2") == "TWIN"

    run(url, work)


def test_a_backfill_that_was_stopped_goes_on(url: str, tmp_path: Path) -> None:
    async def work(connection: asyncpg.Connection) -> None:
        write(tmp_path, "0001_first", "CREATE TABLE pets (id int PRIMARY KEY, size int);\n"
              "INSERT INTO pets SELECT generate_series(1, 50);")  # fmt: skip
        await migrate(url, tmp_path)
        batch = (
            "DO $$\nBEGIN\n    LOOP\n        UPDATE pets SET size = 100 / (id - 30) WHERE ctid = ANY (ARRAY(\n"
            "            SELECT ctid FROM pets WHERE size IS NULL ORDER BY id LIMIT 10\n        ));\n"
            "        EXIT WHEN NOT FOUND;\n        COMMIT;\n    END LOOP;\nEND\n$$;"
        )
        write(tmp_path, "0002_fill", f"-- migrate, alone: Fills.\nINSERT INTO pets VALUES (99, 1);\n{batch}\n")
        with pytest.raises(MigrationError):
            await migrate(url, tmp_path)
        assert await connection.fetchval("SELECT count(*) FROM pets WHERE size IS NOT NULL") == 21
        await connection.execute("DELETE FROM pets WHERE id = 30")
        # What was done is not done again: the row 99 would be refused.
        assert [each.name for each in await migrate(url, tmp_path)] == ["0002_fill"]
        assert await connection.fetchval("SELECT count(*) FROM pets WHERE size IS NULL") == 0

    run(url, work)


def test_another_migration_that_never_ends_is_told(url: str, tmp_path: Path) -> None:
    async def work(connection: asyncpg.Connection) -> None:
        from nines_runtime.data.migrations import LOCK  # noqa: PLC0415 -- Only this test plays the other one.

        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        with pytest.raises(MigrationError, match="Another migration"):
            await migrate(url, tmp_path, wait_s_max=0.5)

    run(url, work)


def test_a_database_that_is_not_there_is_told(tmp_path: Path, url: str) -> None:
    async def work() -> None:
        with pytest.raises(MigrationError, match="cannot be reached"):
            await migrate("postgresql://127.0.0.1:9/none", tmp_path, wait_s_max=0.5)
        with pytest.raises(MigrationError, match="refuses"):
            await migrate(url + "_not", tmp_path, wait_s_max=0.5)

    asyncio.run(work())


@pytest.mark.parametrize(
    ("script", "statements"),
    [
        ("SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]),
        ("-- only this; and that\n;;\n", []),
        ("SELECT 'a;b'; SELECT \"c;d\"", ["SELECT 'a;b'", 'SELECT "c;d"']),
        ("SELECT 'it''s;'; x", ["SELECT 'it''s;'", "x"]),
        (r"SELECT E'a\';b'; x", [r"SELECT E'a\';b'", "x"]),
        (r"SELECT 'a\'; x", [r"SELECT 'a\'", "x"]),
        ("DO $$ BEGIN a; b; END $$; x", ["DO $$ BEGIN a; b; END $$", "x"]),
        ("DO $f$ a; $$ b; $$ $f$; x", ["DO $f$ a; $$ b; $$ $f$", "x"]),
        ("/* a; /* b; */ c; */ x; y", ["/* a; /* b; */ c; */ x", "y"]),
        ("SELECT 1 -- it's\n; y", ["SELECT 1 -- it's", "y"]),
        ("SELECT $1; y", ["SELECT $1", "y"]),
    ],
)
def test_statements_are_told_apart(script: str, statements: list[str]) -> None:
    assert list(statements_of(script)) == statements


PARTS: Any = st.sampled_from(
    ["SELECT 1", "'a;b'", '"c;d"', "$$ x; y $$", "$t$ $$; $t$", "-- c;\n", "/* ; */", "e'\\';'", " "]
)


@given(st.lists(st.lists(PARTS, min_size=1, max_size=4), max_size=4))
def test_a_semicolon_outside_of_everything_is_the_only_end(script: list[list[str]]) -> None:
    wanted = [" ".join(["SELECT", *parts]) for parts in script]
    assert [each.split() for each in statements_of(" ;\n".join(wanted))] == [each.split() for each in wanted]


def test_a_role_that_owns_nothing_may_use_what_another_one_made(url: str, tmp_path: Path) -> None:
    write(tmp_path, "0001_first", FIRST)
    write(
        tmp_path,
        "0002_count",
        "CREATE SEQUENCE numbers;\nCREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';",
    )

    async def work(connection: asyncpg.Connection) -> None:
        database = await connection.fetchval("SELECT current_database()")
        service, owner = f"service_{database}", f"owner_{database}"
        for role in (service, owner):
            await connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'secret'")
        schema = await connection.fetchval("SELECT quote_ident(current_schema())")
        await connection.execute(f"GRANT USAGE, CREATE ON SCHEMA {schema} TO {owner} WITH GRANT OPTION")
        parts = urlsplit(url)
        its = parts._replace(netloc=f"{service}:secret@{parts.hostname}:{parts.port}").geturl()
        try:
            told: list[str] = []
            await migrate(its, tmp_path, user=owner, password="secret", tell=told.append)
            assert told[-1] == "the role of the service may use every table, and change none"
            theirs = await asyncpg.connect(its)
            try:
                await theirs.execute("UPDATE pets SET name = 'b'")
                assert await theirs.fetchval("SELECT nextval('numbers') + one()") == 2
                for refused in ("DROP TABLE pets", "ALTER TABLE pets ADD COLUMN x int", "TRUNCATE pets"):
                    with pytest.raises(asyncpg.InsufficientPrivilegeError):
                        await theirs.execute(refused)
            finally:
                await theirs.close()
        finally:
            await connection.execute(f"DROP OWNED BY {owner}, {service}")
            await connection.execute(f"DROP ROLE {owner}, {service}")

    run(url, work)

"""What schedules delete: nothing too early, everything in the end, in small transactions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from nines_runtime import Deadline, purge_expired, purge_old, roll_partitions
from nines_runtime.data.database import Database
from nines_runtime.data.identifiers import first_identifier

LIMIT_S = 30.0
DAY = timedelta(days=1)
OLD = """\
WITH old AS (
    SELECT id FROM things WHERE id < $1 AND id > $2 ORDER BY id LIMIT 2
), gone AS (
    DELETE FROM things USING old WHERE things.id = old.id AND NOT things.is_needed
)
SELECT (SELECT id FROM old ORDER BY id DESC LIMIT 1) AS last"""


def run(url: str, work: Callable[[Database], Awaitable[None]]) -> None:
    async def scenario() -> None:
        database = Database(url)
        try:
            await work(database)
        finally:
            await database.close()

    asyncio.run(scenario())


def test_what_is_over_goes_however_many_there_are(url: str) -> None:
    statement = "DELETE FROM things WHERE ctid = ANY (ARRAY(SELECT ctid FROM things WHERE ends_at < now() LIMIT 2))"

    async def work(database: Database) -> None:
        await database.execute(
            Deadline.after(LIMIT_S),
            "CREATE TABLE things AS SELECT now() + n * interval '1 hour' AS ends_at FROM generate_series(-5, 3) n",
        )
        schedule = purge_expired("purgeThings", database, statement)
        await schedule.run(Deadline.after(LIMIT_S))
        assert (schedule.name, schedule.every_s) == ("purgeThings", 3_600.0)
        left = await database.fetchrow(Deadline.after(LIMIT_S), "SELECT count(*) AS left FROM things")
        assert left is not None
        assert left["left"] == 3

    run(url, work)


def test_what_is_old_goes_and_what_is_needed_is_passed_once(url: str) -> None:
    async def work(database: Database) -> None:
        deadline = Deadline.after(LIMIT_S)
        await database.execute(deadline, "CREATE TABLE things (id uuid PRIMARY KEY, is_needed boolean)")
        ages = [timedelta(days=days) for days in (9, 8, 7, 6, 5)]
        for number, age in enumerate([*ages, timedelta()]):
            await database.execute(
                deadline, "INSERT INTO things VALUES ($1, $2)", first_identifier(age), number in (0, 1, 3)
            )
        await purge_old("purgeThings", database, OLD, DAY, allow="SELECT 1", every_s=5).run(deadline)
        rows = await database.fetch(deadline, "SELECT is_needed FROM things ORDER BY id")
        assert [row["is_needed"] for row in rows] == [True, True, True, False]

    run(url, work)


def test_a_statement_may_ask_for_how_long_nobody_changed_a_row(url: str) -> None:
    statement = OLD.replace("ORDER BY id LIMIT", "AND changed_at < now() - $3::interval ORDER BY id LIMIT")

    async def work(database: Database) -> None:
        deadline = Deadline.after(LIMIT_S)
        await database.execute(
            deadline,
            "CREATE TABLE things (id uuid PRIMARY KEY, is_needed boolean DEFAULT false, changed_at timestamptz)",
        )
        for days in (9, 3):
            sent = "INSERT INTO things (id, changed_at) VALUES ($1, now() - $2::interval)"
            await database.execute(deadline, sent, first_identifier(10 * DAY + days * DAY), days * DAY)
        await purge_old("purgeThings", database, statement, 5 * DAY, unchanged_for=5 * DAY).run(deadline)
        rows = await database.fetch(deadline, "SELECT id FROM things")
        assert len(rows) == 1

    run(url, work)


def test_partitions_are_made_before_others_are_dropped(url: str) -> None:
    async def work(database: Database) -> None:
        deadline = Deadline.after(LIMIT_S)
        await database.execute(deadline, "CREATE TABLE told (number serial, said text)")
        make = "INSERT INTO told (said) VALUES ('made')"
        drop = "INSERT INTO told (said) VALUES ('dropped: ' || $1::interval)"
        await roll_partitions("rollThings", database, make, drop, DAY).run(deadline)
        rows = await database.fetch(deadline, "SELECT said FROM told ORDER BY number")
        assert [row["said"] for row in rows] == ["made", "dropped: 1 day"]

    run(url, work)

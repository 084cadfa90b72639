"""Group commit: nobody is answered before it is durable, a bad row fails alone, and keys hold as they do elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from nines_runtime import (
    Accepting,
    Answer,
    Batch,
    Conflict,
    Database,
    Deadline,
    EmbeddedServer,
    Keys,
    Problem,
    Unavailable,
    Violated,
    Violation,
    keyed_insert,
    new_id,
)
from nines_runtime.data.batch import LANE_ROWS
from nines_runtime.data.pacing import Pace

from .requests import Request, same, soon

TABLES = """
CREATE TABLE things (
    id uuid PRIMARY KEY,
    name text NOT NULL CONSTRAINT things_name_key UNIQUE,
    size int NOT NULL CONSTRAINT things_size_check CHECK (size > 0),
    flush bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint
)"""
SLOWLY = """
CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.02); RETURN NULL; END $$
"""
INSERT = """
WITH asked AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[]) WITH ORDINALITY AS asked (id, name, size, place)
), written AS (
    INSERT INTO things (id, name, size) SELECT id, name, size FROM asked ON CONFLICT (id) DO NOTHING RETURNING id
)
SELECT asked.place, asked.id FROM written JOIN asked USING (id)"""
CONSTRAINTS = {
    "things_name_key": Violation("already-exists"),
    "things_size_check": Violation("invariant-broken"),
}
KEYED = keyed_insert("things", {"id": "uuid", "name": "text", "size": "int"})


def run(url: str, work: Callable[[Database], Awaitable[None]]) -> None:
    async def scenario() -> None:
        database = Database(url, size_max=4, constraints=CONSTRAINTS)
        try:
            await database.execute(soon(), TABLES)
            await work(database)
        finally:
            await database.close()

    asyncio.run(scenario())


async def added(batch: Batch, *arguments: Any, alone: str | None = None) -> Any:
    try:
        return await batch.add(soon(), arguments, alone=alone)
    except (Problem, asyncpg.PostgresError, asyncpg.DataError) as error:
        return error


def test_requests_that_come_together_share_statements(url: str) -> None:
    async def work(database: Database) -> None:
        batch = Batch(database, INSERT)
        ids = [new_id() for _ in range(200)]
        found = await asyncio.gather(*(added(batch, id, id.hex, 1) for id in ids))
        assert [row["id"] for row in found] == ids
        rows = await database.fetch(soon(), "SELECT flush, count(*) FROM things GROUP BY flush")
        assert sum(row["count"] for row in rows) == 200
        assert len(rows) < 20
        # A conflict writes nothing.
        assert await added(batch, ids[0], "another", 1) is None
        await batch.close()

    run(url, work)


@pytest.mark.parametrize("lanes", [1, 2])
def test_nobody_is_forgotten_between_two_statements(url: str, lanes: int) -> None:
    async def work(database: Database) -> None:
        batch = Batch(database, INSERT, lanes=lanes)

        async def caller() -> None:
            for _ in range(10):
                id = new_id()
                assert await batch.add(soon(5), (id, id.hex, 1)) is not None

        async with asyncio.timeout(15):
            await asyncio.gather(*(caller() for _ in range(3 * LANE_ROWS)))
        await batch.close()
        assert await database.execute(soon(), "SELECT 1 FROM things") == 30 * LANE_ROWS

    run(url, work)


class Slow:
    """A database that notes how many statements are under way at once; the first may hang."""

    def __init__(self, hangs_s: float = 0.0) -> None:
        self.hangs_s = hangs_s
        self.pace = Pace()
        self.under_way = self.most = self.statements = 0

    async def fetch(self, deadline: Deadline, statement: str, *columns: Any) -> list[dict[str, int]]:
        self.under_way += 1
        self.statements += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(self.hangs_s if self.statements == 1 else 0.002)
        self.under_way -= 1
        return [{"place": place} for place, _ in enumerate(columns[0], 1)]


@pytest.mark.parametrize(("callers", "most"), [(LANE_ROWS // 2, 1), (8 * LANE_ROWS, 2)])
def test_two_statements_go_at_once_only_where_much_waits(callers: int, most: int) -> None:
    async def work() -> Slow:
        slow: Any = Slow()
        batch = Batch(slow, INSERT)

        async def caller() -> None:
            for _ in range(20):
                assert await batch.add(soon(5), (new_id(),)) is not None

        async with asyncio.timeout(20):
            await asyncio.gather(*(caller() for _ in range(callers)))
        await batch.close()
        found: Slow = slow
        return found

    found = asyncio.run(work())
    assert found.most == most
    assert found.statements < callers * 20


def test_who_gathers_goes_on_as_soon_as_there_is_enough() -> None:
    """With a pace of an hour: only what waits lets the next statement go, and no second one beside it."""

    class Hour(Pace):
        @property
        def gather_s(self) -> float:
            return 3_600.0

    async def work() -> None:
        slow: Any = Slow()
        slow.pace = Hour()
        batch = Batch(slow, INSERT)
        assert await batch.add(soon(5), (new_id(),)) is not None
        async with asyncio.timeout(4.0):
            found = await asyncio.gather(*(batch.add(soon(5), (new_id(),)) for _ in range(LANE_ROWS)))
        assert None not in found
        assert (slow.statements, slow.most) == (2, 1)
        async with asyncio.timeout(4.0):
            await batch.close()

    asyncio.run(work())


def test_a_statement_that_hangs_holds_up_nobody_for_long() -> None:
    async def work() -> None:
        slow: Any = Slow(hangs_s=3.0)
        batch = Batch(slow, INSERT)
        first = asyncio.create_task(batch.add(soon(5), (new_id(),)))
        await asyncio.sleep(0.01)
        async with asyncio.timeout(2.0):
            assert await batch.add(soon(5), (new_id(),)) is not None
        assert not first.done()
        assert await first is not None
        await batch.close()

    asyncio.run(work())


def test_a_bad_row_fails_alone(url: str) -> None:
    async def work(database: Database) -> None:
        batch = Batch(database, INSERT, lanes=1)
        rows: list[tuple[Any, ...]] = [(new_id(), f"thing {number}", 1) for number in range(50)]
        rows[7] = (new_id(), "too small", 0)
        rows[13] = (new_id(), "thing 12", 1)
        rows[31] = (new_id(), "not a number", "x")
        rows[44] = (new_id(), "no\x00text", 1)
        found = await asyncio.gather(*(added(batch, *row) for row in rows))
        assert isinstance(found[7], Violated)
        assert found[7].code == "invariant-broken"
        # Of two that cannot both be, one is written.
        twins = [found[12], found[13]]
        assert [isinstance(each, Violated) for each in twins].count(True) == 1
        assert isinstance(found[31], asyncpg.DataError)
        assert isinstance(found[44], asyncpg.PostgresError)
        written = [each for each in found if not isinstance(each, Exception)]
        assert len(written) == 46
        assert await database.execute(soon(), "SELECT 1 FROM things") == 46

    run(url, work)


def test_what_must_be_alone_sees_what_the_other_did(url: str) -> None:
    async def work(database: Database) -> None:
        batch = Batch(database, INSERT)
        id = new_id()
        found = await asyncio.gather(*(added(batch, id, f"n {number}", 1, alone="n") for number in range(20)))
        assert [each is None for each in found].count(False) == 1
        flushes = await database.fetch(soon(), "SELECT name FROM things")
        assert [row["name"] for row in flushes] == ["n 0"]

    run(url, work)


def test_too_many_who_wait_are_refused(url: str) -> None:
    async def work(database: Database) -> None:
        batch = Batch(database, INSERT, waiting_max=10, rows_max=5)
        found = await asyncio.gather(*(added(batch, new_id(), f"n {number}", 1) for number in range(40)))
        refused = [each for each in found if isinstance(each, Unavailable)]
        assert len(refused) == 30
        assert all(each.retry_after_s for each in refused)
        assert await database.execute(soon(), "SELECT 1 FROM things") == 10
        assert batch.waiting == 0

    run(url, work)


def test_a_deadline_that_passes_is_told_and_who_leaves_holds_up_nobody(url: str) -> None:
    async def work(database: Database) -> None:
        batch = Batch(database, INSERT, lanes=1)
        async with database.transaction(soon()) as tx:
            await tx.execute("LOCK TABLE things IN EXCLUSIVE MODE")
            flying = asyncio.create_task(added(batch, new_id(), "flying", 1))
            await asyncio.sleep(0.05)
            leaving = asyncio.create_task(added(batch, new_id(), "leaving", 1))
            staying = asyncio.create_task(added(batch, new_id(), "staying", 1))
            with pytest.raises(Unavailable):
                await batch.add(soon(0.1), (new_id(), "hurried", 1))
            leaving.cancel()
        assert (await flying)["place"] == 1
        assert (await staying)["place"] == 1
        rows = await database.fetch(soon(), "SELECT name FROM things")
        assert {row["name"] for row in rows} == {"flying", "staying"}

    run(url, work)


def test_a_statement_that_others_got_in_the_way_of_is_tried_again(url: str) -> None:
    async def work(database: Database) -> None:
        await database.execute(soon(), "CREATE SEQUENCE tries")
        fails = "SELECT 1 / (CASE WHEN place < 0 THEN 0 ELSE 1 END) AS place FROM unnest($1::int[]) AS asked (place)"
        statement = "SELECT place, tried() FROM (" + fails + ") AS each"
        body = "IF nextval('tries') < 3 THEN RAISE serialization_failure; END IF; RETURN 1;"
        await database.execute(
            soon(), f"CREATE FUNCTION tried() RETURNS int LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
        )
        batch = Batch(database, statement)
        assert (await batch.add(soon(), (1,))) is not None
        await database.execute(soon(), "ALTER SEQUENCE tries RESTART WITH 1 MINVALUE -9")
        await database.execute(soon(), "SELECT setval('tries', -9)")
        with pytest.raises(Unavailable) as told:
            await batch.add(soon(), (1,))
        assert not isinstance(told.value, Conflict)

    run(url, work)


def answer_of(id: UUID) -> Answer:
    return Answer(status=202, body=b'{"id":"%s"}' % id.hex.encode(), headers=((b"location", b"/v1/things"),))


async def accept(accepting: Accepting, request: Request, *, size: int = 1, name: str = "") -> Answer:
    id = new_id()
    return await accepting.accept(
        request, answer=answer_of(id), resource_id=id, values=(id, name or id.hex, size)
    )  # fmt: skip


def test_keys_hold_in_a_group(url: str) -> None:
    async def work(database: Database) -> None:
        replays: list[str] = []
        accepting = Accepting(database, Keys(on_replay=replays.append), KEYED, operation="createThing")
        keys = [f"k-{number % 30}" for number in range(120)]
        found = await asyncio.gather(*(accept(accepting, Request(key)) for key in keys))
        first = {key: each for key, each in zip(keys, found, strict=True) if len(each.headers) == 1}
        assert len(first) == 30
        assert all(each == first[key] or same(first[key], each) for key, each in zip(keys, found, strict=True))
        assert len(replays) == 90
        assert await database.execute(soon(), "SELECT 1 FROM things") == 30
        for wrong, code in (
            (Request("k-1", body=b"[]"), "idempotency-key-reused"),
            (Request(), "idempotency-key-missing"),
        ):
            with pytest.raises(Problem) as told:
                await accept(accepting, wrong)
            assert told.value.code == code
        # The same key, claimed in an ordinary transaction, is the same key.
        async with database.transaction(soon()) as tx:
            claim = await Keys().claim(tx, Request("k-2"))
            assert claim.answer is not None
            assert same(first["k-2"], claim.answer)
        await accepting.close()

    run(url, work)


def test_a_row_that_fails_leaves_its_key_free(url: str) -> None:
    async def work(database: Database) -> None:
        accepting = Accepting(database, Keys(), KEYED, operation="createThing")
        with pytest.raises(Violated):
            await accept(accepting, Request("k"), size=0)
        assert (await accept(accepting, Request("k"))).status == 202

    run(url, work)


def test_a_key_that_expired_is_new_again(url: str) -> None:
    async def work(database: Database) -> None:
        accepting = Accepting(database, Keys(), KEYED, operation="createThing", ttl_s=0.05)
        await accept(accepting, Request("k"))
        await asyncio.sleep(0.1)
        assert len((await accept(accepting, Request("k", body=b"[]"))).headers) == 1
        assert await database.execute(soon(), "SELECT 1 FROM things") == 2

    run(url, work)


def test_with_tenants_the_rows_carry_them(url: str) -> None:
    async def work(database: Database) -> None:
        async with database.transaction(soon()) as tx:
            await tx.execute("ALTER TABLE things ADD shop_id text NOT NULL")
            await tx.execute("ALTER TABLE idempotency_keys ADD shop_id text NOT NULL")
            await tx.execute("ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_pkey")
            await tx.execute("ALTER TABLE idempotency_keys ADD PRIMARY KEY (shop_id, subject, operation, key)")
        statement = keyed_insert("things", {"id": "uuid", "name": "text", "size": "int"}, tenant="shop_id")
        accepting = Accepting(database, Keys(is_tenanted=True), statement, operation="createThing")
        for tenant in ("north", "south"):
            await accept(accepting, Request("k", tenant=tenant))
        rows = await database.fetch(soon(), "SELECT shop_id FROM things ORDER BY 1")
        assert [row["shop_id"] for row in rows] == ["north", "south"]

    run(url, work)


def test_every_answered_request_is_there_after_a_crash(server: EmbeddedServer, url: str) -> None:
    async def work(database: Database) -> None:
        # Flushes that take a while: something is under way whenever the server dies.
        await database.execute(soon(), SLOWLY)
        await database.execute(soon(), "CREATE TRIGGER slowly AFTER INSERT ON things EXECUTE FUNCTION slowly()")
        accepting = Accepting(database, Keys(), KEYED, operation="createThing")
        answered: dict[str, Answer] = {}
        refused: set[str] = set()
        is_over = asyncio.Event()

        async def client(name: int) -> None:
            number = 0
            while not is_over.is_set():
                number += 1
                key = f"{name}-{number}"
                while key not in answered:
                    try:
                        answered[key] = await accept(accepting, Request(key), name=key)
                    except Problem as problem:
                        refused.add(problem.code)
                        await asyncio.sleep(0.02)

        clients = [asyncio.create_task(client(name)) for name in range(32)]
        for _ in range(2):
            await asyncio.sleep(0.5)
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
        await asyncio.sleep(0.3)
        is_over.set()
        async with asyncio.timeout(20):
            await asyncio.gather(*clients)
        assert refused == {"unavailable"}
        rows = await database.fetch(soon(), "SELECT name FROM things")
        # Those whose answer was lost on its way were asked for again, and written once.
        assert sorted(row["name"] for row in rows) == sorted(answered)
        assert len(answered) > 100
        some = list(answered.items())[-50:]
        for key, answer in some:
            again = await accept(accepting, Request(key))
            assert again.body == answer.body

    run(url, work)


def test_the_same_keys_at_two_processes_are_done_once_and_hold_up_nobody(url: str) -> None:
    async def work(database: Database) -> None:
        other = Database(url, size_max=4, constraints=CONSTRAINTS)
        both = [Accepting(each, Keys(), KEYED, operation="createThing") for each in (database, other)]
        keys = [f"k-{number:03d}" for number in range(150)]
        forwards = [accept(both[0], Request(key)) for key in keys]
        backwards = [accept(both[1], Request(key)) for key in reversed(keys)]
        found = await asyncio.gather(*forwards, *backwards)
        for one, another in zip(found[:150], reversed(found[150:]), strict=True):
            assert one.body == another.body
            assert len(one.headers) + len(another.headers) == 3
        assert await database.execute(soon(), "SELECT 1 FROM things") == 150
        await other.close()

    run(url, work)

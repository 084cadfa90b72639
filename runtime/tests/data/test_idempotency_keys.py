"""A key is worked under once, and its answer is given again exactly, whoever asks when and whatever dies."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from nines_runtime import Answer, Database, EmbeddedServer, Keys, KeyStatements, Problem, Unavailable, new_id

from .requests import Request, same, soon

EFFECTS = "CREATE TABLE things (id uuid PRIMARY KEY, key text NOT NULL)"
CREATED = Answer(
    status=201, body=b'{"id":"t-1"}', headers=((b"location", b"/v1/things/t-1"), (b"etag", b'"1"'))
)  # fmt: skip


def run(url: str, work: Callable[[Database], Awaitable[None]], **options: float) -> None:
    async def scenario() -> None:
        database = Database(url, **options)  # type: ignore[arg-type]
        try:
            await database.execute(soon(), EFFECTS)
            await work(database)
        finally:
            await database.close()

    asyncio.run(scenario())


async def create(
    database: Database, keys: Keys, request: Request, answer: Answer = CREATED, *, pause_s: float = 0.0
) -> Answer:
    """As an operation does it."""
    async with database.transaction(request.deadline) as tx:
        claim = await keys.claim(tx, request)
        if claim.answer is not None:
            return claim.answer
        id = new_id()
        await tx.execute("INSERT INTO things VALUES ($1, $2)", id, claim.key)
        await asyncio.sleep(pause_s)
        await keys.finish(tx, claim, answer, id)
    return answer


async def count(database: Database) -> int:
    row = await database.fetchrow(soon(), "SELECT count(*) FROM things")
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize(
    "answer",
    [
        CREATED,
        Answer(status=202, body=b'{"id":"t-1"}'),
        Answer(status=204),
        Answer(status=422, body=b'{"type":"/problems/declined"}', media_type="application/problem+json"),
        Answer(status=200, body=b"\x00raw", media_type="application/octet-stream"),
        Answer(status=200, body=b"\x00not wrapped by us"),
    ],
)
def test_the_same_request_gets_the_same_answer(url: str, answer: Answer) -> None:
    async def work(database: Database) -> None:
        replays: list[str] = []
        keys = Keys(on_replay=replays.append)
        assert await create(database, keys, Request("k"), answer) == answer
        again = await create(database, keys, Request("k"), Answer(status=500))
        assert same(answer, again)
        assert replays == ["createThing"]
        assert await count(database) == 1

    run(url, work)


def test_another_request_under_the_key_is_refused(url: str) -> None:
    async def work(database: Database) -> None:
        keys = Keys()
        await create(database, keys, Request("k"))
        for other in (Request("k", body=b"[]"), Request("k", path="/v1/things/7")):
            with pytest.raises(Problem) as told:
                await create(database, keys, other)
            assert told.value.code == "idempotency-key-reused"
        # Keys belong to a caller and an operation.
        await create(database, keys, Request("k", subject="sub-2"))
        await create(database, keys, Request("k", operation="other"))
        await create(database, keys, Request())
        await create(database, keys, Request())
        assert await count(database) == 5

    run(url, work)


def test_whoever_comes_while_it_is_done_waits_for_the_answer_or_is_told(url: str) -> None:
    async def work(database: Database) -> None:
        keys = Keys()
        first = asyncio.create_task(create(database, keys, Request("k"), pause_s=0.1))
        await asyncio.sleep(0.03)
        assert same(CREATED, await create(database, keys, Request("k")))
        await first

        slow = asyncio.create_task(create(database, keys, Request("slow"), pause_s=1.0))
        await asyncio.sleep(0.03)
        with pytest.raises(Problem) as told:
            await create(database, keys, Request("slow"))
        assert told.value.code == "idempotency-key-in-use"
        assert told.value.retry_after_s
        await slow
        assert await count(database) == 2

    run(url, work, lock_s_max=0.4)


def test_of_many_at_once_one_works(url: str) -> None:
    async def work(database: Database) -> None:
        keys = Keys()
        found = await asyncio.gather(*(create(database, keys, Request("k"), pause_s=0.01) for _ in range(40)))
        assert [each == CREATED for each in found].count(True) == 1
        assert all(each == CREATED or same(CREATED, each) for each in found)
        assert await count(database) == 1

    run(url, work, size_max=8)


def test_what_failed_leaves_the_key_free(url: str) -> None:
    async def work(database: Database) -> None:
        keys = Keys()
        with pytest.raises(Problem):
            async with database.transaction(soon()) as tx:
                await keys.claim(tx, Request("k"))
                raise Problem("not-found")
        assert await create(database, keys, Request("k")) == CREATED

    run(url, work)


def test_an_attempt_that_died_is_taken_over_after_its_lease(url: str) -> None:
    async def work(database: Database) -> None:
        keys = Keys(lease_s=0.2)
        async with database.transaction(soon()) as tx:
            claim = await keys.claim(tx, Request("k"))
            assert claim.answer is None
        # It committed what it reserved and died; until its lease ends nobody knows that.
        with pytest.raises(Problem) as told:
            await create(database, keys, Request("k"))
        assert told.value.code == "idempotency-key-in-use"
        await asyncio.sleep(0.25)
        assert await create(database, keys, Request("k")) == CREATED
        # It was not dead after all: its answer comes too late to change what was told.
        async with database.transaction(soon()) as tx:
            await keys.finish(tx, claim, Answer(status=500, body=b"late"))
        assert same(CREATED, await create(database, keys, Request("k")))

    run(url, work)


def test_a_job_that_settles_later_answers_the_key(url: str) -> None:
    async def work(database: Database) -> None:
        keys = Keys()
        async with database.transaction(soon()) as tx:
            claim = await keys.claim(tx, Request("k"))
            await tx.execute("CREATE TABLE pending (request jsonb)")
            await tx.execute("INSERT INTO pending VALUES ($1)", claim.remembered(amount=7))
        row = await database.fetchrow(soon(), "SELECT request FROM pending")
        assert row is not None
        assert row["request"]["amount"] == 7
        async with database.transaction(soon()) as tx:
            await keys.finish(tx, keys.recalled(row["request"]), CREATED, "t-1")
        assert same(CREATED, await create(database, keys, Request("k")))
        # A request without a key leaves nothing to answer.
        async with database.transaction(soon()) as tx:
            await keys.finish(tx, keys.recalled((await keys.claim(tx, Request())).remembered()), CREATED)
            await keys.finish(tx, keys.recalled(None), CREATED)

    run(url, work)


def test_whoever_takes_a_key_over_learns_which_row_was_made(url: str) -> None:
    async def work(database: Database) -> None:
        keys = Keys(lease_s=0.1)
        async with database.transaction(soon()) as tx:
            claim = await keys.claim(tx, Request("k"))
            assert claim.resource_id is None
            await keys.remember(tx, claim, "t-7")
        await asyncio.sleep(0.15)
        async with database.transaction(soon()) as tx:
            assert (await keys.claim(tx, Request("k"))).resource_id == "t-7"
            await keys.remember(tx, await keys.claim(tx, Request()), "nothing is kept without a key")

    run(url, work)


def test_a_key_that_expired_is_new_again(url: str) -> None:
    async def work(database: Database) -> None:
        keys = Keys()
        async with database.transaction(soon()) as tx:
            claim = await keys.claim(tx, Request("k"), ttl_s=0.05)
            await keys.finish(tx, claim, CREATED, "t-1")
        await asyncio.sleep(0.1)
        other = Answer(status=202, body=b"{}")
        assert await create(database, keys, Request("k", body=b"[]"), other) == other

    run(url, work)


@pytest.mark.parametrize("key", ["x" * 256, "a\nb", "a\x00b"])
def test_a_key_that_cannot_be_kept_is_refused(url: str, key: str) -> None:
    async def work(database: Database) -> None:
        with pytest.raises(Problem) as told:
            await create(database, Keys(), Request(key))
        assert told.value.code == "invalid-parameter"

    run(url, work)


def test_with_tenants_each_has_its_own_keys(url: str) -> None:
    async def work(database: Database) -> None:
        await database.execute(soon(), "ALTER TABLE idempotency_keys ADD shop_id text NOT NULL DEFAULT ''")
        await database.execute(
            soon(),
            "ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_pkey,"
            " ADD PRIMARY KEY (shop_id, subject, operation, key)",
        )
        plain = KeyStatements()
        keys = Keys(
            KeyStatements(
                claim=_shifted(plain.claim, 6).replace("(subject, operation", "(shop_id, subject, operation")
                .replace("VALUES (", "VALUES ($1, "),
                read=_shifted(plain.read, 3) + " AND shop_id = $1",
                finish=plain.finish.replace("$6", "$7").replace("$5", "$6")
                .replace("subject = $4", "shop_id = $4 AND subject = $5"),
            ),
            is_tenanted=True,
        )  # fmt: skip
        for tenant in ("north", "south"):
            assert await create(database, keys, Request("k", tenant=tenant)) == CREATED
            assert same(CREATED, await create(database, keys, Request("k", tenant=tenant)))
        assert await count(database) == 2

    run(url, work)


def _shifted(statement: str, last: int) -> str:
    for number in range(last, 0, -1):
        statement = statement.replace(f"${number}", f"${number + 1}")
    return statement


def test_no_crash_of_the_server_loses_or_repeats_what_was_answered(server: EmbeddedServer, url: str) -> None:
    """Clients repeat under their key until they are answered; the server is killed twice meanwhile."""

    async def work(database: Database) -> None:
        keys = Keys(lease_s=0.5)
        answered: dict[str, Answer] = {}
        refusals: set[str] = set()
        is_over = asyncio.Event()

        async def client(name: int) -> None:
            number = 0
            while not is_over.is_set():
                number += 1
                key = f"{name}-{number}"
                answer = Answer(status=201, body=f'{{"key":"{key}"}}'.encode())
                while key not in answered:
                    try:
                        answered[key] = await create(database, keys, Request(key), answer)
                    except Problem as problem:
                        refusals.add(problem.code)
                        await asyncio.sleep(0.05)

        clients = [asyncio.create_task(client(name)) for name in range(8)]
        for _ in range(2):
            await asyncio.sleep(0.7)
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
        await asyncio.sleep(0.5)
        is_over.set()
        async with asyncio.timeout(20):
            await asyncio.gather(*clients)
        rows = await database.fetch(soon(), "SELECT key FROM things")
        assert sorted(row["key"] for row in rows) == sorted(answered)
        assert len(answered) > 20
        assert "unavailable" in refusals <= {"unavailable", "idempotency-key-in-use"}
        for key, answer in list(answered.items())[:50]:
            again = await create(database, keys, Request(key))
            assert (again.status, again.body) == (answer.status, answer.body)

    run(url, work)


def test_an_outage_says_so(server: EmbeddedServer, url: str) -> None:
    async def work(database: Database) -> None:
        await asyncio.to_thread(server.kill)
        try:
            with pytest.raises(Unavailable):
                await create(database, Keys(), Request("k"))
        finally:
            await asyncio.to_thread(server.start)

    run(url, work)

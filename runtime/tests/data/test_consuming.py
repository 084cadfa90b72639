"""Events of others are taken once, in the transaction of what they cause, whatever is delivered again or never fits."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from nines_runtime import Database, EmbeddedServer, GiveUp
from nines_runtime.data import brokers, consuming
from nines_runtime.data.consuming import Consumer, Delivery, Source, Told, told_in
from nines_runtime.data.database import Connection
from nines_runtime.data.kafka import KafkaSource
from nines_runtime.data.nats import NatsSource
from nines_runtime.data.redis_streams import RedisSource

from . import brokers_running
from .requests import soon

TAKEN = "CREATE TABLE taken (subject text NOT NULL, number int NOT NULL, id text NOT NULL, at serial)"


def event(number: int, subject: str = "ord_1", **more: Any) -> bytes:
    found = {"specversion": "1.0", "id": f"e{subject}{number}", "source": "/shop", "type": "shop.order.placed.v1"}
    return json.dumps({**found, "subject": subject, "data": {"number": number}, **more}).encode()


async def take(tx: Connection, told: Told) -> None:
    await tx.execute(
        "INSERT INTO taken (subject, number, id) VALUES ($1, $2, $3)", told.subject, told.data["number"], told.id
    )


class Given:
    """A source that hands out what it was given, and again what was not acknowledged."""

    def __init__(self, *documents: bytes) -> None:
        self.waiting = [Delivery(document=each, token=number) for number, each in enumerate(documents)]
        self.acknowledged: list[Any] = []
        self.held: list[Any] = []

    async def fetch(self, limit: int, wait_s: float) -> Sequence[Delivery]:
        found, self.waiting = self.waiting[:limit], self.waiting[limit:]
        if not found:
            await asyncio.sleep(min(wait_s, 0.02))
        return found

    async def hold(self, under_way: Sequence[Delivery]) -> None:
        self.held += [each.token for each in under_way]

    async def acknowledge(self, done: Sequence[Delivery]) -> None:
        self.acknowledged += [each.token for each in done]

    async def lag(self) -> int:
        return len(self.waiting)

    async def close(self) -> None:
        self.waiting = []


def run(url: str, work: Callable[[Database], Awaitable[None]]) -> None:
    async def scenario() -> None:
        database = Database(url, size_max=6)
        try:
            await database.execute(soon(), TAKEN)
            await work(database)
        finally:
            await database.close()

    asyncio.run(scenario())


async def until(found: Callable[[], Awaitable[Any]], limit_s: float = 30) -> Any:
    async with asyncio.timeout(limit_s):
        while not (value := await found()):
            await asyncio.sleep(0.05)
        return value


@asynccontextmanager
async def consuming_from(source: Source, database: Database, handle: Any = take, **more: Any) -> AsyncIterator[None]:
    consumer = Consumer("billing", source, database, handle, **more)
    consumer.start()
    try:
        yield
    finally:
        await consumer.stop(5)


def test_what_comes_twice_is_taken_once(url: str) -> None:
    async def work(database: Database) -> None:
        source = Given(event(1), event(2), event(1), event(1, "ord_2"), event(2))
        lags: list[int] = []
        async with consuming_from(source, database, on_lag=lags.append):
            await until(lambda: done(source, 5))
        rows = await database.fetch(soon(), "SELECT subject, number FROM taken ORDER BY at")
        assert sorted(map(tuple, rows)) == [("ord_1", 1), ("ord_1", 2), ("ord_2", 1)]
        assert [row["number"] for row in rows if row["subject"] == "ord_1"] == [1, 2]
        assert lags[0] == 5

    async def done(source: Given, count: int) -> bool:
        return len(source.acknowledged) == count

    run(url, work)


def test_what_never_fits_is_kept_with_its_reason_and_holds_up_nobody(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consuming, "_AGAIN_S", 0.01)
    attempts: dict[str, int] = defaultdict(int)

    async def handle(tx: Connection, told: Told) -> None:
        attempts[told.id] += 1
        await take(tx, told)
        if told.data["number"] == 2:
            raise KeyError("secret")
        if told.data["number"] == 3:
            raise GiveUp("There is no such order.")
        if told.data["number"] == 4 and attempts[told.id] < 3:
            raise ConnectionResetError

    async def work(database: Database) -> None:
        source = Given(*(event(number) for number in range(1, 6)), b"no json", b'{"id": 5}', event(6, "ord_2"))
        async with consuming_from(source, database, handle):
            await until(lambda: acknowledged(source))
        taken = await database.fetch(soon(), "SELECT number FROM taken ORDER BY at")
        assert sorted(row["number"] for row in taken) == [1, 4, 5, 6]
        dead = await database.fetch(
            soon(), "SELECT id, reason, attempts, document FROM dead_events WHERE source > '' ORDER BY id"
        )
        assert [(row["id"], row["reason"], row["attempts"]) for row in dead] == [
            ("eord_12", "KeyError", 5),
            ("eord_13", "There is no such order.", 1),
        ]
        assert dead[0]["document"] == event(2)
        unread = await database.fetch(soon(), "SELECT reason FROM dead_events WHERE source = ''")
        assert [row["reason"] for row in unread] == 2 * ["no CloudEvent 1.0 in JSON"]
        assert attempts == {"eord_11": 1, "eord_12": 5, "eord_13": 1, "eord_14": 3, "eord_15": 1, "eord_26": 1}

    async def acknowledged(source: Given) -> bool:
        return len(source.acknowledged) == 8

    run(url, work)


def test_an_outage_of_the_database_is_no_attempt(server: EmbeddedServer, url: str) -> None:
    async def work(database: Database) -> None:
        source = Given(*(event(number) for number in range(200)))
        async with consuming_from(source, database, attempts_max=1):
            await asyncio.sleep(0.05)
            await asyncio.to_thread(server.kill)
            await asyncio.sleep(0.5)
            await asyncio.to_thread(server.start)
            await until(lambda: acknowledged(source), 60)
        rows = await database.fetch(soon(), "SELECT count(*) AS taken, count(DISTINCT id) AS ids FROM taken")
        assert (rows[0]["taken"], rows[0]["ids"]) == (200, 200)
        assert not await database.fetch(soon(), "SELECT 1 FROM dead_events")

    async def acknowledged(source: Given) -> bool:
        return len(source.acknowledged) == 200

    run(url, work)


def test_what_is_no_event_is_told_from_what_is() -> None:
    for wrong in (b"", b"[]", b"\xff", b'{"id": "", "source": "/s", "type": "t"}', event(1, id="x" * 300)):
        assert told_in(wrong) is None
    assert told_in(event(1, unknown=1, time="2030-01-31T12:00:00Z")) is not None


@pytest.mark.parametrize("kind", ["nats", "redis", "kafka"])
def test_a_consumer_that_is_cut_loses_nothing(kind: str, url: str, tmp_path: Path) -> None:
    """With the broker as it runs; the first consumer is cut between its commits and its acknowledgements."""

    async def work(database: Database) -> None:
        running = {"nats": nats, "redis": redis, "kafka": kafka}[kind]
        async with running(tmp_path) as (send, source):
            for number in range(60):
                await send(f"ord_{number % 6}", event(number, f"ord_{number % 6}"))
            first = source()

            async def lost(_: Sequence[Delivery]) -> None:
                await asyncio.sleep(60)

            first.acknowledge = lost
            consumer = Consumer("billing", first, database, take)
            consumer.start()
            await until(lambda: count(database, 1))
            await consumer.stop(0.1)
            async with consuming_from(source(), database):
                await until(lambda: count(database, 60), 90)
        rows = await database.fetch(soon(), "SELECT subject, number FROM taken ORDER BY at")
        assert len(rows) == 60
        for subject in {row["subject"] for row in rows}:
            numbers = [row["number"] for row in rows if row["subject"] == subject]
            assert numbers == sorted(numbers)

    async def count(database: Database, least: int) -> bool:
        return int((await database.fetch(soon(), "SELECT count(*) FROM taken"))[0][0]) >= least

    run(url, work)


Sending = tuple[Callable[[str, bytes], Awaitable[Any]], Callable[[], Any]]


@asynccontextmanager
async def nats(folder: Path) -> AsyncIterator[Sending]:
    client = pytest.importorskip("nats")
    with brokers_running.nats(folder) as running:
        address = brokers.address_of(f"nats://127.0.0.1:{running.port}", 4222)
        connection = await client.connect(f"nats://127.0.0.1:{running.port}")
        stream = connection.jetstream()
        await stream.add_stream(name="SHOP", subjects=["shop.>"])

        async def send(_: str, document: bytes) -> None:
            await stream.publish("shop.order.placed.v1", document)

        yield send, lambda: NatsSource(address, stream="SHOP", subject="shop.>", name="billing")
        await connection.close()


@asynccontextmanager
async def redis(folder: Path) -> AsyncIterator[Sending]:
    client = pytest.importorskip("redis.asyncio")
    with brokers_running.redis(folder) as running:
        address = brokers.address_of(f"redis://127.0.0.1:{running.port}", 6379)
        connection = client.Redis(port=running.port)

        async def send(_: str, document: bytes) -> None:
            await connection.xadd("shop.order", {"event": document})

        yield send, lambda: RedisSource(address, stream="shop.order", group="billing", member="one")
        await connection.aclose()


@asynccontextmanager
async def kafka(_folder: Path) -> AsyncIterator[Sending]:
    client = pytest.importorskip("aiokafka")
    with brokers_running.kafka() as address:
        producer = client.AIOKafkaProducer(bootstrap_servers=address)
        await producer.start()

        async def send(subject: str, document: bytes) -> None:
            await producer.send_and_wait("shop.order", document, subject.encode())

        where = brokers.address_of(f"kafka://{address}", 9092)
        yield send, lambda: KafkaSource(where, topics=["shop.order"], group="billing")
        await producer.stop()

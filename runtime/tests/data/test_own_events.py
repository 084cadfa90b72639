"""A service takes its own events from its outbox, each once; dead letters are taken once more when somebody says so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from nines_runtime import Database, GiveUp, Here, NotNow, Outbox, Receiver, Task, data_of, new_id, source_at
from nines_runtime.calls.deadline import Deadline
from nines_runtime.data import consuming
from nines_runtime.data.brokers import Nothing
from nines_runtime.data.consuming import Consumer, Delivery, Told
from nines_runtime.data.database import Connection
from nines_runtime.data.kafka import KafkaSource
from nines_runtime.data.nats import NatsSource
from nines_runtime.data.redis_streams import RedisSource
from nines_runtime.data.relay import Event
from nines_runtime.data.tasks import Away

from .requests import soon

TAKEN = "CREATE TABLE taken (id text NOT NULL, name text NOT NULL)"


class Placed(msgspec.Struct):
    number: int


def run(url: str, work: Callable[[Database], Awaitable[None]]) -> None:
    async def scenario() -> None:
        database = Database(url, size_max=4)
        try:
            await database.execute(soon(), TAKEN)
            await work(database)
        finally:
            await database.close()

    asyncio.run(scenario())


def told(destination: str, attempt: int = 1, **data: Any) -> Event:
    return Event(
        id=new_id(), type="shop.order.placed.v1", source="/shop", subject="ord_1", time=datetime.now(UTC), data=data,
        destination=destination, attempt=attempt,
    )  # fmt: skip


def here(database: Database, others: list[Event], handle: Any, done: Callable[[], None] = lambda: None) -> Here:
    async def deliver(event: Event, deadline: Deadline) -> None:
        del deadline
        others.append(event)

    receiver = Receiver(name="ship", event="order.placed", handle=handle, attempts_max=2, done=done)
    return Here(lambda: (receiver,), database, destinations=lambda _: ("bus",), deliver=deliver)


async def take(tx: Connection, event: Told) -> None:
    number = data_of(event, Placed).number
    if number < 0:
        raise NotNow("There is no such order yet.")
    await tx.execute("INSERT INTO taken (id, name) VALUES ($1, 'ship')", event.id)


def test_its_own_event_is_told_to_others_and_taken_here_once(url: str) -> None:
    async def work(database: Database) -> None:
        others: list[Event] = []
        woken: list[int] = []
        receiving = here(database, others, take, lambda: woken.append(1))
        outbox = Outbox(destinations=receiving.destinations)
        async with database.transaction(soon()) as tx:
            await outbox.add(tx, Task(operation="placeOrder"), "order.placed", "ord_1", {"number": 1})
            await outbox.add(tx, Task(operation="placeOrder"), "order.paid", "ord_1", {"number": 1})
        rows = await database.fetch(soon(), "SELECT event, destination FROM outbox ORDER BY event, destination")
        assert list(map(tuple, rows)) == [
            ("order.paid", "bus"),
            ("order.placed", "bus"),
            ("order.placed", "here:ship"),
        ]
        event = told("here:ship", number=1)
        await receiving.deliver(event, soon())
        await receiving.deliver(event, soon())
        await receiving.deliver(told("bus"), soon())
        assert len(await database.fetch(soon(), "SELECT id FROM taken")) == 1
        assert len(others) == 1
        assert woken

    run(url, work)


def test_what_cannot_be_taken_is_tried_again_and_given_up_with_its_reason(url: str) -> None:
    async def work(database: Database) -> None:
        receiving = here(database, [], take)
        with pytest.raises(NotNow):
            await receiving.deliver(told("here:ship", number=-1), soon())
        with pytest.raises(GiveUp, match="no such order yet"):
            await receiving.deliver(told("here:ship", attempt=2, number=-1), soon())
        with pytest.raises(GiveUp, match=r"at `\$.number`"):
            await receiving.deliver(told("here:ship", number="secret"), soon())
        with pytest.raises(Away):
            await receiving.deliver(told("here:of another version", number=1), soon())
        assert await database.fetch(soon(), "SELECT id FROM inbox") == []

    run(url, work)


class Once:
    """A source that hands out one event."""

    def __init__(self, document: bytes) -> None:
        self._waiting = [Delivery(document=document)]

    async def fetch(self, limit: int, wait_s: float) -> Sequence[Delivery]:
        del limit
        found, self._waiting = self._waiting, []
        await asyncio.sleep(0 if found else min(wait_s, 0.02))
        return found

    async def hold(self, under_way: Sequence[Delivery]) -> None: ...
    async def acknowledge(self, done: Sequence[Delivery]) -> None: ...
    async def lag(self) -> int:
        return 0

    async def close(self) -> None: ...


def test_a_dead_letter_is_taken_once_more_when_somebody_says_so(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consuming, "AGAIN_EVERY_S", 0.1)

    async def work(database: Database) -> None:
        is_there = False

        async def handle(tx: Connection, event: Told) -> None:
            if not is_there:
                raise NotNow("There is no such order yet.")
            await take(tx, event)

        document = told("", number=1).document()
        consumer = Consumer("ship", Once(document), database, handle, attempts_max=1, types=("shop.order.placed.v1",))
        consumer.start()
        try:
            await _until(database, "SELECT 1 FROM dead_events WHERE reason = 'There is no such order yet.'")
            await database.execute(soon(), "UPDATE dead_events SET again_at = now()")
            await _until(database, "SELECT 1 FROM dead_events WHERE again_at IS NULL AND attempts = 2")
            is_there = True
            await database.execute(soon(), "UPDATE dead_events SET again_at = now()")
            await _until(database, "SELECT 1 FROM taken")
            assert await database.fetch(soon(), "SELECT 1 FROM dead_events") == []
        finally:
            await consumer.stop(5)

    run(url, work)


async def _until(database: Database, query: str) -> None:
    async with asyncio.timeout(30):
        while not await database.fetch(soon(), query):
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("nats://bus:4222?stream=SHOP", NatsSource),
        ("kafka+tls://one:1,two:2", KafkaSource),
        ("redis://cache", RedisSource),
        ("log://events", Nothing),
    ],
)
def test_the_address_tells_what_is_asked(url: str, kind: type) -> None:
    assert isinstance(source_at(url, address="shop.order", name="ship", environment="local"), kind)


@pytest.mark.parametrize("url", ["amqp://bus", "log://events", "nats://"])
def test_an_address_that_leads_nowhere_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"address of a broker|ENVIRONMENT"):
        source_at(url, address="shop.order", name="ship")

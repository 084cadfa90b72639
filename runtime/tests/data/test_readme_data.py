"""The examples of README.md's section Data do what they say."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from nines_runtime import (
    Answer,
    Call,
    Caller,
    Consumer,
    Database,
    Deadline,
    Metrics,
    Problem,
    Task,
    balances,
    new_id,
)

from . import brokers_running
from .requests import same, soon

README = Path(__file__).parents[2] / "README.md"


def example(with_text: str) -> dict[str, Any]:
    """What the example that holds this text defines."""
    sources = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(next(each for each in sources if with_text in each), names)
    return names


def call(key: str, body: bytes = b"{}") -> Call:
    return Call(
        operation="createPayment",
        method="POST",
        path="/v1/payments",
        deadline=Deadline.after(10.0),
        headers={"idempotency-key": key},
        body=body,
        caller=Caller(subject="ada"),
    )


def test_a_payment_is_made_posted_and_told_once(url: str) -> None:
    async def scenario() -> None:
        payments = example("class Payments")["Payments"](url)
        database: Database = payments.database
        await database.execute(
            soon(),
            "CREATE TABLE payments (id uuid PRIMARY KEY,"
            " reference text CONSTRAINT payments_reference_key UNIQUE, amount_minor bigint)",
        )
        first: Answer = await payments.create(call("k"), "r-1", 500)
        assert first.status == 201
        assert same(first, await payments.create(call("k"), "r-1", 500))
        with pytest.raises(Problem) as told:
            await payments.create(call("other"), "r-1", 500)
        assert (told.value.code, told.value.errors[0][0]) == ("already-exists", "/reference")
        assert [each.minor for each in await balances(database, soon())] == [500, -500]
        assert len(await database.fetch(soon(), "SELECT 1 FROM outbox")) == 1
        names = example("def jobs_of")
        jobs = names["jobs_of"](database, payments.outbox)
        jobs.start()
        await jobs.stop(1)
        await names["subscribers"].close()
        await database.close()

    asyncio.run(scenario())


def test_many_requests_share_a_statement(url: str) -> None:
    async def scenario() -> None:
        database = Database(url)
        await database.execute(soon(), "CREATE TABLE pushes (id uuid PRIMARY KEY, device text, title text)")
        send = example("def sending")["sending"](database)
        calls = [call(f"k-{number}") for number in range(50)]
        found = await asyncio.gather(*(send(each, "device", "title") for each in calls))
        assert {each.status for each in found} == {202}
        assert len(await database.fetch(soon(), "SELECT 1 FROM pushes")) == 50
        await database.close()

    asyncio.run(scenario())


def test_many_changes_share_a_commit(url: str) -> None:
    async def scenario() -> None:
        database = Database(url)
        await database.execute(
            soon(), "CREATE TABLE pushes (id uuid PRIMARY KEY, title text, status text DEFAULT 'sent')"
        )
        ids = [new_id() for _ in range(30)]
        await database.execute(
            soon(), "INSERT INTO pushes (id, title) SELECT id, id::text FROM unnest($1::uuid[]) id", ids
        )
        confirm = example("async def confirm")["confirm"]
        calls = [structs.replace(call(""), parameters={"push_id": str(id)}) for id in ids]
        assert await asyncio.gather(*(confirm(database, each) for each in calls)) == [str(id) for id in ids]
        with pytest.raises(Problem, match="state-conflict"):
            await confirm(database, calls[0])
        await database.close()

    asyncio.run(scenario())


def test_events_leave_and_those_of_others_are_taken_once(url: str, tmp_path: Path) -> None:
    """With a NATS as it runs."""
    client = pytest.importorskip("nats")
    names = example("async def relaying")
    taking = example("def billing")

    async def scenario(bus: str) -> None:
        database = Database(url)
        await database.execute(soon(), "CREATE TABLE invoices (order_id text PRIMARY KEY)")
        connection = await client.connect(bus)
        await connection.jetstream().add_stream(name="SHOP", subjects=["shop.>"])
        metrics = Metrics()
        consumer: Consumer = taking["billing"](database, bus, metrics)
        consumer.start()
        async with names["relaying"](database, bus):
            async with database.transaction(soon()) as tx:
                for number in (1, 2, 2):
                    await names["outbox"].add(tx, Task(operation="placeOrder"), "order.placed", f"ord_{number}", {})
            async with asyncio.timeout(30):
                while len(await database.fetch(soon(), "SELECT 1 FROM invoices")) < 2:
                    await asyncio.sleep(0.05)
                while await database.fetch(soon(), "SELECT 1 FROM outbox"):
                    await asyncio.sleep(0.05)
        await consumer.stop(5)
        assert b"consumer_lag_events" in metrics.text()
        await connection.close()
        await database.close()

    with brokers_running.nats(tmp_path) as running:
        asyncio.run(scenario(f"nats://127.0.0.1:{running.port}"))

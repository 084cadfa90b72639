"""A built service takes events of others while it is killed again and again: none is lost, and none acts twice."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from nats.aio.client import Client

from nines_runtime import EmbeddedServer, identifier_text
from tests.verbs.services import written

BLUEPRINT = (Path(__file__).parent / "orders.yaml").read_text()
ORDERS = 40
KILLS = int(os.environ.get("KILLS", "1"))
WAIT_S = 60.0
MISSING = UUID("00000000-0000-7000-8000-000000000000")
PLACED = """\
INSERT INTO orders (id, owner_id, total_amount_minor, total_currency, ship_to) VALUES ($1, 'u', 5, 'EUR', 's')"""


def event(kind: str, number: int, **data: Any) -> bytes:
    told = {
        "specversion": "1.0",
        "id": f"{kind}-{number}",
        "source": "/payments",
        "type": f"payments.payment.{kind}.v1",
    }
    return json.dumps(told | {"subject": str(number), "data": data}).encode()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def nats_server(folder: Path) -> Iterator[int]:
    program = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin:/usr/local/bin")
    if program is None:
        pytest.skip("nats-server is not installed")
    port = free_port()
    process = subprocess.Popen(
        [program, "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield port
    finally:
        process.kill()
        process.wait()


@asynccontextmanager
async def bus(port: int) -> AsyncIterator[Any]:
    """With the streams that the services on it need."""
    client = Client()
    await client.connect(f"nats://127.0.0.1:{port}", max_reconnect_attempts=50, reconnect_time_wait=1)
    stream = client.jetstream()
    for name in ("payments", "orders", "warehouse"):
        await stream.add_stream(name=name, subjects=[f"{name}.>"])
    try:
        yield stream
    finally:
        await client.close()


class Service:
    def __init__(self, folder: Path, database: str, bus_url: str) -> None:
        self._folder = folder
        path = os.pathsep.join(filter(None, (str(folder / "src"), os.environ.get("PYTHONPATH", ""))))
        self._environment = {
            **os.environ,
            "PYTHONPATH": path,
            "ENVIRONMENT": "laboratory",
            "DB_URL": database,
            "DB_MIGRATION_URL": database,
            "BUS_URL": bus_url,
            "OIDC_ISSUER": "https://issuer.invalid",
            "LOCAL_ISSUER_SEED": "a seed of a laboratory that is long enough",
            "CURSOR_KEY": "c" * 64,
            "DRAIN_S": "0",
        }

    def run(self, *words: str) -> None:
        done = subprocess.run(
            [sys.executable, *words], cwd=self._folder, env=self._environment, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()[-3_000:] + done.stdout.decode()[-3_000:]

    def start(self) -> subprocess.Popen[bytes]:
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "orders", "--port", str(free_port())],
                cwd=self._folder,
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def said(self) -> str:
        return (self._folder / "log").read_text()[-3_000:]


async def count(database: asyncpg.Connection[Any], what: str) -> int:
    return int(await database.fetchval(f"SELECT count(*) FROM {what}"))


async def until(database: asyncpg.Connection[Any], what: str, wanted: int, service: Service) -> None:
    try:
        async with asyncio.timeout(WAIT_S):
            while await count(database, what) < wanted:  # noqa: ASYNC110 -- another process counts
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"{await count(database, what)} of {wanted} {what}: {service.said()}")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "orders"
    written(folder, BLUEPRINT)
    return folder


def test_events_act_once_whatever_is_killed(built: Path, tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / "database")
    server.start()
    try:
        with nats_server(tmp_path / "streams") as port:
            asyncio.run(_taken(built, server.url(), port))
    finally:
        server.kill()


async def _taken(built: Path, url: str, port: int) -> None:
    service = Service(built, url, f"nats://127.0.0.1:{port}")
    service.run("-m", "orders.migrate")
    database = await asyncpg.connect(url)
    ids = [UUID(int=(0x0190 << 112) + (7 << 76) + (2 << 62) + number) for number in range(ORDERS)]
    await database.executemany(
        PLACED,
        [(each,) for each in ids],
    )
    names = [identifier_text(each, "ord") for each in ids]
    async with bus(port) as stream:
        process = service.start()
        try:
            await _told(stream, names)
            for number in range(KILLS):
                # Somewhere on the way: what is under way is cut.
                await until(database, "orders WHERE status = 'paid'", 1 + number * ORDERS // (KILLS + 2), service)
                process.kill()
                process.wait()
                process = service.start()
            await until(database, "orders WHERE status = 'paid'", ORDERS, service)
            await until(database, "shipments", ORDERS, service)
            await until(database, "refunds", ORDERS // 2, service)
            await until(database, "dead_events", 3, service)
            await _nothing_twice(database, stream, names)
            await _taken_again(database, service)
        finally:
            process.kill()
            process.wait()
            await database.close()


async def _told(stream: Any, names: list[str]) -> None:
    """Everything twice, and three that never fit: no order, an order that was never there, data of another kind."""
    for number, name in enumerate(names):
        for _ in range(2):
            captured = event("captured", number, order_id=name, id=f"pay_{number}", amount_minor=5, more="passed over")
            await stream.publish("payments.payment.captured.v1", captured)
            if number % 2:
                amount = {"amount_minor": 1, "currency": "EUR"}
                refunded = event("refunded", number, order_id=name, refund_ref=f"r{number}", amount=amount)
                await stream.publish("payments.payment.refunded.v1", refunded)
    nobody = identifier_text(MISSING, "ord")
    strange = (
        event("captured", 1_000, order_id=nobody, id="pay", amount_minor=5),
        event("captured", 1_001, order_id=names[0], id="pay", amount_minor="five"),
        b"no event",
    )
    for each in strange:
        await stream.publish("payments.payment.captured.v1", each)


async def _nothing_twice(database: asyncpg.Connection[Any], stream: Any, names: list[str]) -> None:
    assert await count(database, "orders WHERE version = 2 AND captured_minor = 5") == ORDERS
    assert await count(database, "shipments") == ORDERS
    assert await count(database, "refunds") == ORDERS // 2
    assert await count(database, "audit_log WHERE operation = 'payOrder'") == ORDERS
    reasons = {each["reason"] for each in await database.fetch("SELECT reason FROM dead_events")}
    assert reasons == {
        "There is no such order yet.",
        "Its data is not what was expected at `$.amount_minor`.",
        "no CloudEvent 1.0 in JSON",
    }
    async with asyncio.timeout(WAIT_S):
        while await count(database, "outbox"):  # noqa: ASYNC110 -- another process empties it
            await asyncio.sleep(0.05)
    told = await stream.subscribe("orders.order.paid.v1", ordered_consumer=True)
    kept = (await stream.stream_info("orders")).state.messages
    found = [json.loads((await told.next_msg(timeout=5)).data) for _ in range(kept)]
    assert {each["subject"] for each in found} == set(names)
    assert len({each["id"] for each in found}) == ORDERS


async def _taken_again(database: asyncpg.Connection[Any], service: Service) -> None:
    """The order comes after all, and somebody has the dead letter taken once more."""
    await database.execute(
        PLACED,
        MISSING,
    )
    await database.execute("UPDATE dead_events SET again_at = now() WHERE reason LIKE 'There is no%'")
    await until(database, "orders WHERE status = 'paid'", ORDERS + 1, service)
    assert await count(database, "dead_events") == 2

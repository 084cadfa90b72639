"""A built service and a broker as it runs: no event is lost, those of an object keep their order, nobody waits."""

from __future__ import annotations

import asyncio
import json
import os
import random
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from runtime.tests.data import brokers_running

from tests.building.resources.running import Reply, Running, built, database, eventually

pytestmark = pytest.mark.lab
BLUEPRINT = Path(__file__).with_name("fleet.yaml")
KILLS = int(os.environ.get("NINES_KILLS", "2"))
ORDER = ["fleet.trip.planned.v1", "fleet.trip.started.v1", "fleet.trip.ended.v1"]
Event = dict[str, Any]


class Bus:
    """A broker, where it is, and all that it was told so far."""

    def __init__(self, kind: str, url: str, read: Callable[[], list[Event]], process: Any = None) -> None:
        self.kind, self.url, self.read, self.process = kind, url, read, process


class Fleet:
    def __init__(self, service: Running, bus: Bus) -> None:
        self.service, self.bus = service, bus
        self.token = service.token("ada", "driver", "dispatcher", tenant="c1")
        self.done: dict[str, list[str]] = defaultdict(list)
        self.slowest_s = 0.0

    def ask(self, path: str, body: Any = None) -> Reply:
        """Asked under one key until there is an answer, whatever dies in between."""
        key = uuid.uuid4().hex
        until_s = time.monotonic() + 60
        while time.monotonic() < until_s:
            begun_s = time.monotonic()
            try:
                reply = self.service.ask("POST", path, body, token=self.token, key=key)
            except (OSError, ValueError):
                time.sleep(0.05)
                continue
            if reply.status not in (409, 429, 503):
                self.slowest_s = max(self.slowest_s, time.monotonic() - begun_s)
                return reply
            time.sleep(0.05)
        raise AssertionError(f"no answer: {self.service.log()}")

    def trip(self) -> None:
        made = self.ask("/v1/trips", {"lorry": "l-1", "load_kg": 12})
        assert made.status == 201, made.body
        id = made.json["id"]
        self.done[id].append(ORDER[0])
        for verb, event in zip(("start", "end"), ORDER[1:], strict=True):
            reply = self.ask(self.path(id, verb))
            # An answer that was lost with its process is given again under the key.
            assert reply.status == 200, reply.body
            self.done[id].append(event)

    def path(self, id: str, verb: str) -> str:
        found = json.loads((self.service.folder / "src/fleet/_generated/openapi.json").read_text())["paths"]
        path = next(each for each, item in found.items() if item.get("post", {}).get("operationId") == f"{verb}Trip")
        return str(path).replace("{trip_id}", id)

    def told(self) -> dict[str, list[Event]]:
        """By object, in the order of the broker."""
        found: dict[str, list[Event]] = defaultdict(list)
        for event in self.bus.read():
            found[event["subject"]].append(event)
        return found

    def is_complete(self) -> bool:
        told = self.told()
        return all(set(events) <= {each["type"] for each in told[id]} for id, events in self.done.items())

    def check(self) -> int:
        """That nothing is lost, repetitions are the same, and the order is kept; how many were repeated."""
        eventually(self.is_complete, "every event was told", limit_s=90)
        told = self.told()
        repeated = 0
        for id, events in self.done.items():
            kinds = [each["type"] for each in told[id]]
            assert list(dict.fromkeys(kinds)) == events, kinds
            for kind in events:
                same = [each for each in told[id] if each["type"] == kind]
                repeated += len(same) - 1
                assert len({each["id"] for each in same}) == 1
            times = [next(each["time"] for each in told[id] if each["type"] == kind) for kind in events]
            assert all(a <= b for a, b in pairwise(times))
        return repeated


@contextmanager
def nats(folder: Path) -> Iterator[Bus]:
    client = pytest.importorskip("nats")
    with brokers_running.nats(folder) as running:
        url = f"nats://127.0.0.1:{running.port}"

        async def prepare() -> None:
            connection = await client.connect(url)
            await connection.jetstream().add_stream(name="FLEET", subjects=["fleet.>"])
            await connection.close()

        async def read() -> list[Event]:
            connection = await client.connect(url)
            stream = connection.jetstream()
            last = (await stream.stream_info("FLEET")).state.last_seq
            found = [await stream.get_msg("FLEET", number) for number in range(1, last + 1)]
            await connection.close()
            return [json.loads(each.data) for each in found]

        asyncio.run(prepare())
        yield Bus("nats", url, lambda: asyncio.run(read()), running)


@contextmanager
def redis(folder: Path) -> Iterator[Bus]:
    client = pytest.importorskip("redis")
    with brokers_running.redis(folder) as running:
        url = f"redis://127.0.0.1:{running.port}"

        def read() -> list[Event]:
            with client.Redis.from_url(url) as connection:
                return [json.loads(each[b"event"]) for _, each in connection.xrange("fleet.trip")]

        yield Bus("redis", url, read, running)


@contextmanager
def kafka(_folder: Path) -> Iterator[Bus]:
    client = pytest.importorskip("aiokafka")
    with brokers_running.kafka() as address:

        async def read() -> list[Event]:
            found: list[Event] = []
            consumer = client.AIOKafkaConsumer(
                "fleet.trip", bootstrap_servers=address, auto_offset_reset="earliest", enable_auto_commit=False
            )
            await consumer.start()
            try:
                while batches := await consumer.getmany(timeout_ms=500):
                    for batch in batches.values():
                        assert all(each.key.decode() == json.loads(each.value)["subject"] for each in batch)
                        found += [json.loads(each.value) for each in batch]
            finally:
                await consumer.stop()
            return found

        yield Bus("kafka", f"kafka://{address}", lambda: asyncio.run(read()))


BUSES = {"nats": nats, "redis": redis, "kafka": kafka}


@pytest.fixture(params=BUSES)
def fleet(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fleet]:
    (tmp_path / "bus").mkdir()
    source = tmp_path / "blueprint.yaml"
    source.write_text(BLUEPRINT.read_text().replace("type: nats", f"type: {request.param}"))
    with ExitStack() as stack:
        bus = stack.enter_context(BUSES[request.param](tmp_path / "bus"))
        url = stack.enter_context(database())
        folder = tmp_path / "fleet"
        yield Fleet(stack.enter_context(built(source, folder, {"DB_URL": url, "BUS_URL": bus.url})), bus)


def test_nothing_is_lost_when_the_service_is_killed_and_the_order_is_kept(fleet: Fleet) -> None:
    is_over = threading.Event()
    failed: list[BaseException] = []

    def drive() -> None:
        try:
            while not is_over.is_set():
                fleet.trip()
        except BaseException as error:
            failed.append(error)

    drivers = [threading.Thread(target=drive) for _ in range(4)]
    for each in drivers:
        each.start()
    for _ in range(KILLS):
        time.sleep(random.uniform(0.3, 1.2))
        fleet.service.kill()
        fleet.service.start()
    time.sleep(0.5)
    is_over.set()
    for each in drivers:
        each.join()
    assert not failed, failed
    repeated = fleet.check()
    told = sum(map(len, fleet.done.values()))
    print(f"{fleet.bus.kind}: {told} events in {KILLS} kills, {repeated} repeated, slowest {fleet.slowest_s:.2f} s")


def test_a_broker_that_is_away_holds_up_no_request_and_is_told_everything_later(fleet: Fleet) -> None:
    if fleet.bus.process is None:
        pytest.skip("what this broker holds is gone with it")
    fleet.trip()
    fleet.check()
    fleet.bus.process.pause()
    try:
        for _ in range(10):
            fleet.trip()
        assert fleet.service.ask("GET", "/health/ready").status == 200
        assert fleet.slowest_s < 5
    finally:
        fleet.bus.process.go_on()
    fleet.check()
    fleet.bus.process.kill()
    for _ in range(10):
        fleet.trip()
    assert fleet.service.ask("GET", "/health/ready").status == 200
    fleet.bus.process.start()
    fleet.check()
    assert "Traceback" not in fleet.service.log()

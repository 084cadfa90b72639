"""What a broker is told, and that it is asked for before it is needed by nobody."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from types import ModuleType, SimpleNamespace
from uuid import UUID

import msgspec
import pytest

from nines_runtime import Event
from nines_runtime.data.brokers import KafkaBroker, NatsBroker

from .requests import soon

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
EVENT = Event(
    id=UUID("01b8e094-9b2e-7a2b-a072-519a6d1b2b1b"),
    type="shop.order.placed.v1",
    source="/shop",
    subject="ord_1",
    time=datetime(2030, 1, 31, 12, tzinfo=UTC),
    data={"id": "ord_1"},
    destination="",
    trace_parent=TRACE,
)


class Stream:
    """As JetStream, and as a producer of Kafka."""

    def __init__(self) -> None:
        self.said: list[tuple[str, bytes, dict[str, str]]] = []
        self.hangs = False

    async def publish(self, subject: str, payload: bytes, timeout: float, headers: dict[str, str]) -> object:  # noqa: ASYNC109
        assert timeout > 0
        self.said.append((subject, payload, headers))
        return None

    async def send_and_wait(
        self, topic: str, value: bytes, key: bytes, headers: Sequence[tuple[str, bytes]]
    ) -> object:  # fmt: skip
        if self.hangs:
            await asyncio.sleep(60)
        self.said.append((topic, value, {"key": key.decode()} | {name: each.decode() for name, each in headers}))
        return None


def test_nats_is_told_the_event_and_its_id() -> None:
    stream = Stream()
    asyncio.run(NatsBroker("nats://127.0.0.1:9", stream=stream).deliver(EVENT, soon()))
    subject, payload, headers = stream.said[0]
    assert subject == "shop.order.placed.v1"
    assert headers == {
        "Nats-Msg-Id": str(EVENT.id),
        "Content-Type": "application/cloudevents+json",
        "traceparent": TRACE,
    }
    assert msgspec.json.decode(payload)["time"] == "2030-01-31T12:00:00.000Z"
    assert msgspec.json.decode(payload)["traceparent"] == TRACE


def test_kafka_is_told_the_event_under_its_subject() -> None:
    stream = Stream()
    event = msgspec.structs.replace(EVENT, destination="orders", trace_parent="")
    asyncio.run(KafkaBroker(["127.0.0.1:9"], producer=stream).deliver(event, soon()))
    assert stream.said[0][0] == "orders"
    assert stream.said[0][2] == {"key": "ord_1", "content-type": "application/cloudevents+json"}


def test_a_broker_that_hangs_holds_up_nobody_for_longer_than_the_deadline() -> None:
    stream = Stream()
    stream.hangs = True
    with pytest.raises(TimeoutError):
        asyncio.run(KafkaBroker(["127.0.0.1:9"], producer=stream).deliver(EVENT, soon(0.05)))


def test_a_connection_is_made_once_and_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    stream, happened = Stream(), []

    async def drain() -> None:
        happened.append("drained")

    async def connect(url: str, **options: object) -> object:
        happened.append(url)
        if len(happened) == 1:
            raise OSError
        assert options["user"] == "shop"
        return SimpleNamespace(jetstream=lambda: stream, drain=drain)

    module = ModuleType("nats")
    module.connect = connect  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "nats", module)

    async def scenario() -> None:
        broker = NatsBroker("nats://bus:4222", user="shop", password="secret")
        with pytest.raises(OSError, match=r"^$"):
            await broker.deliver(EVENT, soon())
        await asyncio.gather(*(broker.deliver(EVENT, soon()) for _ in range(3)))
        await broker.close()

    asyncio.run(scenario())
    assert happened == ["nats://bus:4222", "nats://bus:4222", "drained"]
    assert len(stream.said) == 3

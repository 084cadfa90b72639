"""Events to a broker, for a relay: nothing here is imported before a service names one, and none is a dependency.

    broker = NatsBroker("nats://bus:4222")             # pip install nats-py
    broker = KafkaBroker(("bus-1:9092", "bus-2:9092"))  # pip install aiokafka
    jobs = Jobs(database, queues=[relay_queue(outbox, broker.deliver, service="shop")])

A topic is the type of its events (shop.order.placed.v1) where the outbox writes no other destination: its
`destinations` are then `everywhere("")`. A broker
has taken an event when it says that it is stored; until then the outbox keeps it."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from nines_runtime.calls.deadline import Deadline
from nines_runtime.data.relay import Event

CONNECT_S_MAX = 5.0
MEDIA_TYPE = "application/cloudevents+json"


class JetStream(Protocol):
    """What of nats-py is used."""

    async def publish(self, subject: str, payload: bytes, timeout: float, headers: dict[str, str]) -> object: ...  # noqa: ASYNC109


class Producer(Protocol):
    """What of aiokafka is used."""

    async def send_and_wait(
        self, topic: str, value: bytes, key: bytes, headers: Sequence[tuple[str, bytes]]
    ) -> object: ...


class _Broker:
    """Connects when the first event is to be delivered; `close` is for the end of the process."""

    def __init__(self) -> None:
        self._client: Any = None
        self._connecting = asyncio.Lock()
        self._close: Callable[[], Awaitable[object]] | None = None

    async def close(self) -> None:
        if self._close is not None:
            await self._close()
        self._client = self._close = None

    async def _connected(self) -> Any:
        async with self._connecting:
            if self._client is None:
                async with asyncio.timeout(CONNECT_S_MAX):
                    self._client, self._close = await self._connect()
            return self._client

    async def _connect(self) -> tuple[Any, Callable[[], Awaitable[object]]]:
        raise NotImplementedError


class NatsBroker(_Broker):
    """JetStream of NATS: a stream must hold the subjects; an event that comes twice within its window is kept once."""

    def __init__(self, url: str, *, user: str = "", password: str = "", stream: JetStream | None = None) -> None:
        super().__init__()
        self._url, self._client = url, stream
        self._credential = {"user": user, "password": password} if user else {}

    async def deliver(self, event: Event, deadline: Deadline) -> None:
        stream: JetStream = await self._connected()
        headers = {"Nats-Msg-Id": str(event.id), "Content-Type": MEDIA_TYPE}
        if event.trace_parent:
            headers["traceparent"] = event.trace_parent
        await stream.publish(topic_of(event), event.document(), timeout=max(0.001, deadline.left_s), headers=headers)

    async def _connect(self) -> tuple[JetStream, Callable[[], Awaitable[object]]]:
        nats = importlib.import_module("nats")
        client = await nats.connect(
            self._url, connect_timeout=CONNECT_S_MAX, max_reconnect_attempts=-1, **self._credential
        )
        return client.jetstream(), client.drain


class KafkaBroker(_Broker):
    """Kafka: acknowledged by all replicas in sync; events of one subject keep their order within an attempt."""

    def __init__(self, servers: Sequence[str], *, producer: Producer | None = None, **options: Any) -> None:
        super().__init__()
        self._servers, self._options, self._client = tuple(servers), options, producer

    async def deliver(self, event: Event, deadline: Deadline) -> None:
        producer: Producer = await self._connected()
        headers = [("content-type", MEDIA_TYPE.encode())]
        if event.trace_parent:
            headers.append(("traceparent", event.trace_parent.encode()))
        async with asyncio.timeout(deadline.left_s):
            await producer.send_and_wait(topic_of(event), event.document(), event.subject.encode(), headers=headers)

    async def _connect(self) -> tuple[Producer, Callable[[], Awaitable[object]]]:
        kafka = importlib.import_module("aiokafka")
        producer = kafka.AIOKafkaProducer(
            bootstrap_servers=list(self._servers), acks="all", enable_idempotence=True, **self._options
        )
        await producer.start()
        return producer, producer.stop


def topic_of(event: Event) -> str:
    """The destination that the outbox wrote, or the type of the event where that is empty."""
    return event.destination or event.type

"""Events to and from Kafka (extra `kafka`): kept by all replicas in sync, those of one subject under one key."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol
from uuid import UUID

from nines_runtime.calls.deadline import Deadline
from nines_runtime.data.brokers import CLOSE_S_MAX, MEDIA_TYPE, Address, Connection, quietly, topic_of
from nines_runtime.data.consuming import ACKNOWLEDGE_S_MAX, Delivery
from nines_runtime.data.relay import DELIVER_S_MAX, Event
from nines_runtime.data.tasks import Away, GiveUp

REQUEST_S_MAX = 0.8 * DELIVER_S_MAX
"""Of the client's own waits: below the time for one event, which is far below the lease of its row."""
UNDER_WAY_MAX = 1_000
"""Events that the client holds and no broker has acknowledged."""
SASL = "SCRAM-SHA-512"
_REFUSED = ("MessageSizeTooLargeError", "RecordListTooLargeError", "InvalidTopicError", "CorruptRecordException")
"""Errors of aiokafka that tell of the event, and not of the broker."""


class Producer(Protocol):
    """What of aiokafka is used."""

    async def send(
        self, topic: str, value: bytes, key: bytes, headers: Sequence[tuple[str, bytes]]
    ) -> asyncio.Future[Any]: ...


class KafkaBroker:
    """One producer, which repeats by itself what was not acknowledged, without doubling or changing the order.

    An event whose acknowledgement is late is still the client's: its next attempt waits for the same one."""

    def __init__(self, address: Address, *, service: str = "", producer: Producer | None = None) -> None:
        if address.options.get("sasl") == "PLAIN" and address.scheme == "kafka" and not address.is_local:
            raise ValueError("A password is told to Kafka in plain text only over TLS: kafka+tls://")
        self._address, self._service, self._producer = address, service, producer
        self._connection = Connection(self._connect)
        self._under_way: dict[UUID, asyncio.Future[Any]] = {}

    async def deliver(self, event: Event, deadline: Deadline) -> None:
        try:
            async with asyncio.timeout(deadline.left_s):
                # Shielded: a late acknowledgement is one all the same.
                await asyncio.shield(self._under_way.get(event.id) or await self._sent(event))
        except TimeoutError:
            raise Away("Kafka did not acknowledge in time.") from None
        except Away:
            raise
        except Exception as error:
            self._under_way.pop(event.id, None)
            raise _meaning(error) from error
        self._under_way.pop(event.id, None)

    async def _sent(self, event: Event) -> asyncio.Future[Any]:
        if len(self._under_way) >= UNDER_WAY_MAX:
            raise Away("Kafka acknowledges too slowly.")
        producer: Producer = self._producer or await self._connection.client()
        headers = [("content-type", MEDIA_TYPE.encode())]
        if event.trace_parent:
            headers.append(("traceparent", event.trace_parent.encode()))
        sent = await producer.send(topic_of(event), event.document(), event.subject.encode(), headers=headers)
        self._under_way[event.id] = sent
        return sent

    async def close(self) -> None:
        await self._connection.close()
        for each in self._under_way.values():
            each.cancel()
        self._under_way.clear()

    async def _connect(self) -> tuple[Producer, Callable[[], Awaitable[object]]]:
        kafka = importlib.import_module("aiokafka")
        producer = kafka.AIOKafkaProducer(
            bootstrap_servers=[f"{host}:{port}" for host, port in self._address.hosts],
            client_id=self._service or "nines",
            acks="all",
            enable_idempotence=True,
            request_timeout_ms=int(1_000 * REQUEST_S_MAX),
            **security(self._address),
        )

        async def stop() -> None:
            # It waits for what is not acknowledged, for as long as it takes; the outbox has all of that.
            stopping = asyncio.create_task(producer.stop())
            await asyncio.wait((stopping,), timeout=0.5 * CLOSE_S_MAX)
            if not stopping.done():
                stopping.cancel()
                await producer.client.close()

        try:
            await producer.start()
        except BaseException:
            with quietly():
                await stop()
            raise
        return producer, stop


class KafkaSource:
    """A member of a group: each partition is one member's, and what it has taken is told after it was taken."""

    def __init__(self, address: Address, *, topics: Sequence[str], group: str) -> None:
        self._address, self._topics, self._group = address, tuple(topics), group
        # To be let into a group takes as long as its other members take for what they have in hand.
        self._connection = Connection(self._connect, limit_s=ACKNOWLEDGE_S_MAX)

    async def fetch(self, limit: int, wait_s: float) -> Sequence[Delivery]:
        consumer = await self._connection.client()
        found = await consumer.getmany(timeout_ms=int(1_000 * wait_s), max_records=limit)
        return [
            Delivery(document=each.value or b"", token=(partition, each.offset))
            for partition, records in found.items()
            for each in records
        ]

    async def hold(self, under_way: Sequence[Delivery]) -> None:
        """The group is told by the client itself, which knows nothing of single events."""

    async def acknowledge(self, done: Sequence[Delivery]) -> None:
        consumer = await self._connection.client()
        mine = consumer.assignment()
        ends: dict[Any, int] = {}
        for each in done:
            partition, offset = each.token
            if partition in mine:
                ends[partition] = max(ends.get(partition, 0), offset + 1)
        if not ends:
            return
        try:
            await consumer.commit(ends)
        except Exception as error:
            if type(error).__name__ not in ("CommitFailedError", "IllegalStateError", "RebalanceInProgressError"):
                raise
            # Another member has the partition now, and drops by its inbox what was taken here.

    async def lag(self) -> int:
        consumer = await self._connection.client()
        found = 0
        for partition in consumer.assignment():
            end = (await consumer.end_offsets([partition]))[partition]
            taken = await consumer.committed(partition)
            begun = 0 if taken is not None else (await consumer.beginning_offsets([partition]))[partition]
            found += max(0, end - (begun if taken is None else taken))
        return found

    async def close(self) -> None:
        await self._connection.close()

    async def _connect(self) -> tuple[Any, Callable[[], Awaitable[object]]]:
        kafka = importlib.import_module("aiokafka")
        consumer = kafka.AIOKafkaConsumer(
            *self._topics,
            bootstrap_servers=[f"{host}:{port}" for host, port in self._address.hosts],
            client_id=self._group,
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_interval_ms=int(1_000 * ACKNOWLEDGE_S_MAX),
            **security(self._address),
        )
        try:
            await consumer.start()
        except BaseException:
            with quietly():
                await consumer.stop()
            raise
        return consumer, consumer.stop


def security(address: Address) -> dict[str, Any]:
    """What a client of aiokafka is told of TLS and of SASL."""
    has_tls, has_login = address.scheme == "kafka+tls", bool(address.user)
    protocol = f"{'SASL_' if has_login else ''}{'SSL' if has_tls else 'PLAINTEXT'}"
    found: dict[str, Any] = {"security_protocol": protocol}
    if has_tls:
        found["ssl_context"] = address.trust()
    if has_login:
        found["sasl_mechanism"] = address.options.get("sasl", SASL)
        found["sasl_plain_username"], found["sasl_plain_password"] = address.user, address.password
    return found


def _meaning(error: Exception) -> Exception:
    kind = type(error).__name__
    if kind in _REFUSED:
        return GiveUp(f"Kafka refused it: {kind}")
    is_away = isinstance(error, OSError) or getattr(error, "retriable", False)
    return Away(f"Kafka: {kind}") if is_away or kind in _NOT_THERE else error


_NOT_THERE = ("KafkaConnectionError", "KafkaTimeoutError", "NoBrokersAvailable", "ProducerClosed")

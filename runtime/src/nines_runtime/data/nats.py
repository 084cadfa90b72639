"""Events to and from JetStream of NATS (extra `nats`), which keeps one that comes twice within its window once."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from nines_runtime.calls.deadline import Deadline
from nines_runtime.data.brokers import CONNECT_S_MAX, MEDIA_TYPE, Address, Connection, quietly, topic_of
from nines_runtime.data.consuming import BATCH_MAX, LENT_S, Delivery
from nines_runtime.data.relay import Event
from nines_runtime.data.tasks import Away, GiveUp

_RECONNECT_S = 0.5
_logger = logging.getLogger("nines_runtime.events")


class JetStream(Protocol):
    """What of nats-py is used."""

    async def publish(self, subject: str, payload: bytes, timeout: float, headers: dict[str, str]) -> object: ...  # noqa: ASYNC109


class NatsBroker:
    """A stream must hold the subjects; the id of an event is its message's, so that JetStream drops a repetition."""

    def __init__(self, address: Address, *, service: str = "", stream: JetStream | None = None) -> None:
        self._address, self._service, self._stream = address, service, stream
        self._connection = Connection(self._connect)

    async def deliver(self, event: Event, deadline: Deadline) -> None:
        headers = {"Nats-Msg-Id": str(event.id), "Content-Type": MEDIA_TYPE}
        if event.trace_parent:
            headers["traceparent"] = event.trace_parent
        try:
            async with asyncio.timeout(deadline.left_s):
                stream = self._stream or await self._connected()
            await stream.publish(
                topic_of(event), event.document(), timeout=max(0.001, deadline.left_s), headers=headers
            )
        except Away:
            raise
        except Exception as error:
            raise _meaning(error, topic_of(event)) from error

    async def close(self) -> None:
        await self._connection.close()

    async def _connected(self) -> JetStream:
        client = await self._connection.client()
        if not client.is_connected:
            # It would keep the message until it is connected again, when nobody waits for it any more.
            raise Away("NATS: not connected")
        stream: JetStream = client.jetstream()
        return stream

    async def _connect(self) -> tuple[Any, Callable[[], Awaitable[object]]]:
        client = await connected(self._address, self._service)
        return client, client.drain


def options(address: Address, service: str) -> dict[str, Any]:
    """What a client of nats-py is told: it connects again for as long as the process lives."""
    found: dict[str, Any] = {
        "servers": [f"nats://{host}:{port}" for host, port in address.hosts],
        "name": service or None,
        "connect_timeout": CONNECT_S_MAX,
        "allow_reconnect": True,
        "max_reconnect_attempts": -1,
        "reconnect_time_wait": _RECONNECT_S,
        "error_cb": _noted,
    }
    if address.scheme == "tls":
        found["tls"] = address.trust()
        found["servers"] = [f"tls://{host}:{port}" for host, port in address.hosts]
    if address.password:
        found |= {"user": address.user, "password": address.password}
    elif address.user:
        found["token"] = address.user
    return found


class NatsSource:
    """A durable consumer of a stream. Several processes share it: the order of a subject is then that of one batch.

    Without a name the stream is the one that holds the subject."""

    def __init__(self, address: Address, *, subject: str, name: str, stream: str = "") -> None:
        self._address, self._stream, self._subject, self._name = address, stream, subject, name
        self._connection = Connection(self._connect)

    async def fetch(self, limit: int, wait_s: float) -> Sequence[Delivery]:
        _, pulled = await self._connection.client()
        try:
            found = await pulled.fetch(limit, timeout=wait_s)
        except TimeoutError:
            return ()
        return [Delivery(document=each.data, token=each) for each in found]

    async def hold(self, under_way: Sequence[Delivery]) -> None:
        for each in under_way:
            await each.token.in_progress()

    async def acknowledge(self, done: Sequence[Delivery]) -> None:
        for each in done:
            await each.token.ack()

    async def lag(self) -> int:
        client, _ = await self._connection.client()
        found = await client.jetstream().consumer_info(self._stream, self._name)
        return int((found.num_pending or 0) + (found.num_ack_pending or 0))

    async def close(self) -> None:
        await self._connection.close()

    async def _connect(self) -> tuple[Any, Callable[[], Awaitable[object]]]:
        client = await connected(self._address, self._name)
        try:
            # No more than a batch is anybody's at a time, so that two processes do not work on one subject.
            config = importlib.import_module("nats.js.api").ConsumerConfig(ack_wait=LENT_S, max_ack_pending=BATCH_MAX)
            stream = client.jetstream()
            self._stream = self._stream or await stream.find_stream_name_by_subject(self._subject)
            pulled = await stream.pull_subscribe(self._subject, durable=self._name, stream=self._stream, config=config)
        except BaseException:
            with quietly():
                await client.close()
            raise
        # Nothing is drained: what was given and not acknowledged comes again.
        return (client, pulled), client.close


async def connected(address: Address, name: str) -> Any:
    """A client, with nothing left open where it fails."""
    client = importlib.import_module("nats.aio.client").Client()
    try:
        await client.connect(**options(address, name))
    except BaseException:
        with quietly():
            await client.close()
        raise
    return client


async def _noted(error: Exception) -> None:
    """Each attempt to connect again: the relay tells what becomes of the events."""
    _logger.info("the connection to NATS failed", extra={"error": type(error).__name__})


def _meaning(error: Exception, subject: str) -> Exception:
    kind = type(error).__name__
    if kind == "MaxPayloadError":
        return GiveUp("NATS takes no message of this size.")
    if kind == "NoStreamResponseError":
        return Away(f"NATS: no stream holds the subject {subject}")
    is_away = isinstance(error, OSError) or type(error).__module__.startswith("nats.")
    return Away(f"NATS: {kind}") if is_away else error

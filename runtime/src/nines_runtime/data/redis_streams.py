"""Events to and from streams of Redis (extra `redis`): as durable as its append-only file, and of bounded length."""

from __future__ import annotations

import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from nines_runtime.calls.deadline import Deadline
from nines_runtime.data.brokers import CONNECT_S_MAX, Address, Connection, quietly, topic_of
from nines_runtime.data.consuming import LENT_S, Delivery
from nines_runtime.data.relay import DELIVER_S_MAX, Event
from nines_runtime.data.tasks import Away

STREAM_LENGTH_MAX = 1_000_000
"""Of one stream, about: a reader that is further behind than this has lost events."""
CONNECTIONS_MAX = 16


class Streams(Protocol):
    """What of redis is used."""

    async def xadd(self, name: str, fields: dict[str, Any], *, maxlen: int, approximate: bool) -> object: ...


class RedisBroker:
    """Each entry has the members `id` and `event`; an entry that is added twice has the same id."""

    def __init__(
        self, address: Address, *, length_max: int = STREAM_LENGTH_MAX, streams: Streams | None = None
    ) -> None:
        self._address, self._length_max, self._streams = address, length_max, streams
        self._connection = Connection(self._connect)

    async def deliver(self, event: Event, deadline: Deadline) -> None:
        del deadline
        fields = {"id": str(event.id), "event": event.document()}
        try:
            streams: Streams = self._streams or await self._connection.client()
            await streams.xadd(topic_of(event), fields, maxlen=self._length_max, approximate=True)
        except Exception as error:
            raise _meaning(error) from error

    async def close(self) -> None:
        await self._connection.close()

    async def _connect(self) -> tuple[Streams, Callable[[], Awaitable[object]]]:
        client = client_at(self._address)
        return client, client.aclose


class RedisSource:
    """A group over a stream. What a process had when it died is taken over when nobody touched it for a while."""

    def __init__(self, address: Address, *, stream: str, group: str, member: str = "") -> None:
        self._address, self._stream, self._group = address, stream, group
        self._member = member or f"{socket.gethostname()}-{os.getpid()}"
        self._connection = Connection(self._connect)

    async def fetch(self, limit: int, wait_s: float) -> Sequence[Delivery]:
        client = await self._connection.client()
        # What it was given itself and never acknowledged, then what others left lying, then what is new.
        given = await client.xreadgroup(self._group, self._member, {self._stream: "0"}, count=limit)
        found = _entries(given)
        if not found:
            idle_ms = int(1_000 * LENT_S)
            left = await client.xautoclaim(self._stream, self._group, self._member, idle_ms, count=limit)
            found = left[1]
        if not found:
            streams = {self._stream: ">"}
            wait_ms = max(1, int(1_000 * wait_s))
            found = _entries(await client.xreadgroup(self._group, self._member, streams, count=limit, block=wait_ms))
        return [Delivery(document=(fields or {}).get(b"event", b""), token=id) for id, fields in found]

    async def hold(self, under_way: Sequence[Delivery]) -> None:
        client = await self._connection.client()
        ids = [each.token for each in under_way]
        await client.xclaim(self._stream, self._group, self._member, 0, ids, justid=True)

    async def acknowledge(self, done: Sequence[Delivery]) -> None:
        client = await self._connection.client()
        await client.xack(self._stream, self._group, *(each.token for each in done))

    async def lag(self) -> int:
        client = await self._connection.client()
        for each in await client.xinfo_groups(self._stream):
            if each["name"] == self._group.encode():
                return int(each["pending"]) + int(each.get("lag") or 0)
        return 0

    async def close(self) -> None:
        await self._connection.close()

    async def _connect(self) -> tuple[Any, Callable[[], Awaitable[object]]]:
        client = client_at(self._address)
        try:
            await client.xgroup_create(self._stream, self._group, id="0", mkstream=True)
        except Exception as error:
            if not str(error).startswith("BUSYGROUP"):
                with quietly():
                    await client.aclose()
                raise
        return client, client.aclose


def _entries(answer: Any) -> list[Any]:
    """Of the one stream that was asked for; the older protocol answers with pairs, the newer with a mapping."""
    if isinstance(answer, dict):
        return [entry for found in answer.values() for part in found for entry in part]
    return [entry for _, found in answer or () for entry in found]


def client_at(address: Address) -> Any:
    """A client that waits for a connection rather than opening one for each that asks, and repeats nothing itself."""
    from redis.asyncio import BlockingConnectionPool, Redis, SSLConnection  # noqa: PLC0415 -- Of the extra `redis`.
    from redis.asyncio.retry import Retry  # noqa: PLC0415
    from redis.backoff import NoBackoff  # noqa: PLC0415

    host, port = address.hosts[0]
    number = address.path.strip("/")
    options: dict[str, Any] = {}
    if address.scheme == "rediss":
        options = {"connection_class": SSLConnection, "ssl_ca_certs": address.ca or None}
    pool = BlockingConnectionPool(
        max_connections=CONNECTIONS_MAX,
        timeout=DELIVER_S_MAX,
        host=host,
        port=port,
        db=int(number) if number.isdecimal() else 0,
        username=address.user or None,
        password=address.password or None,
        socket_timeout=DELIVER_S_MAX,
        socket_connect_timeout=CONNECT_S_MAX,
        retry=Retry(NoBackoff(), 0),
        **options,
    )
    return Redis.from_pool(pool)


_NOT_READY = ("BusyLoadingError", "ReadOnlyError", "OutOfMemoryError", "ClusterDownError", "AuthenticationError")


def _meaning(error: Exception) -> Exception:
    kind = type(error).__name__
    names = {each.__name__ for each in type(error).__mro__}
    is_away = isinstance(error, OSError) or names & {"ConnectionError", "TimeoutError", *_NOT_READY}
    return Away(f"Redis: {kind}") if is_away else error

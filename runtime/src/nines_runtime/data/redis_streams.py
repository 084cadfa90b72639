"""Events to streams of Redis (extra `redis`): as durable as its append-only file, and no longer than their limit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from nines_runtime.calls.deadline import Deadline
from nines_runtime.data.brokers import CONNECT_S_MAX, Address, Connection, topic_of
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

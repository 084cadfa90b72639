"""Events to a broker, for a relay: nothing of a broker is imported before a service names one.

    async with broker_at(settings.bus_url, credential=settings.bus_credential) as broker:
        relay = relay_queue(outbox, broker.deliver, service="shop", in_order=True)

| address | needs | an event goes |
|---|---|---|
| nats://, tls:// | the extra `nats`; JetStream, with a stream that holds the subjects | to its destination as subject |
| kafka://, kafka+tls:// | the extra `kafka`; topics that are there | to its destination as topic, its subject as key |
| redis://, rediss:// | the extra `redis` | to its destination as stream, whose length is bounded |
| log:// | nothing; refused in production | into the log, and nowhere else |

An event without a destination goes where its type says (shop.order.placed.v1). A broker has taken an event when it
says that it is stored; until then the outbox keeps it. A broker that is away raises Away, so that no event's attempts
are used up by an outage; what it refuses for good raises GiveUp."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from nines_runtime.calls.deadline import Deadline
from nines_runtime.data.consuming import Delivery, Source
from nines_runtime.data.outbox import Destinations
from nines_runtime.data.relay import Event
from nines_runtime.running.settings import Hidden

CONNECT_S_MAX = 5.0
CLOSE_S_MAX = 3.0
MEDIA_TYPE = "application/cloudevents+json"
STAND_IN = "log"
_PORTS = {"kafka": 9092, "kafka+tls": 9093, "nats": 4222, "tls": 4222, "redis": 6379, "rediss": 6379}
_WITHOUT = ("local", "laboratory")
"""Environments in which events may end in the log."""
_SCHEMES = "The address of a broker begins with nats, tls, kafka, kafka+tls, redis, rediss or log."
_logger = logging.getLogger("nines_runtime.events")


class Broker(Protocol):
    async def deliver(self, event: Event, deadline: Deadline) -> None: ...
    async def close(self) -> None: ...


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where a broker is, and what opens it; built by `address_of`."""

    scheme: str
    hosts: tuple[tuple[str, int], ...]
    path: str = ""
    user: str = ""
    password: str = ""
    options: Mapping[str, str] = msgspec.field(default_factory=dict)
    ca: str = ""
    """A file with the authorities that its certificate is checked by; empty: those of the system."""

    @property
    def is_local(self) -> bool:
        return all(host in ("127.0.0.1", "::1", "localhost") for host, _ in self.hosts)

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca or None)

    def __repr__(self) -> str:
        return f"Address({self.scheme}://{','.join(f'{host}:{port}' for host, port in self.hosts)})"


def address_of(url: str, port: int = 0, *, credential: Hidden | str | None = None, ca: str = "") -> Address:
    """Of scheme://[user:password@]host[:port][,host[:port]...][/path][?option=value]; a credential is user:password.

    Raises ValueError, which repeats nothing of a secret."""
    parts = urlsplit(url.strip())
    login, _, hosts = parts.netloc.rpartition("@")
    told = credential.reveal() if isinstance(credential, Hidden) else credential
    user, _, password = (told.strip() if told else unquote(login)).partition(":")
    usual = port or _PORTS.get(parts.scheme, 0)
    found = tuple(_host(each, usual) for each in hosts.split(",") if each)
    if not found:
        raise ValueError("The address of a broker names at least one host.")
    options = dict(parse_qsl(parts.query))
    return Address(
        scheme=parts.scheme, hosts=found, path=parts.path, user=user, password=password, options=options, ca=ca
    )


def _host(text: str, port: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        return parts.hostname or "", parts.port or port
    except ValueError:
        raise ValueError("The address of a broker has hosts with a port each, and commas between them.") from None


def routed(topics: Mapping[str, str]) -> Destinations:
    """Each event goes to its topic."""
    return lambda event: (topics[event],)


def topic_of(event: Event) -> str:
    """The destination that the outbox wrote, or the type of the event where that is empty."""
    return event.destination or event.type


@asynccontextmanager
async def broker_at(
    url: str,
    *,
    credential: Hidden | str | None = None,
    ca: str = "",
    service: str = "",
    environment: str = "production",
) -> AsyncIterator[Broker]:
    """The broker that the address tells of, connected when the first event is to be delivered; closed in the end."""
    broker = _made(url, credential, ca, service, environment)
    try:
        yield broker
    finally:
        await broker.close()


def _made(url: str, credential: Hidden | str | None, ca: str, service: str, environment: str) -> Broker:
    # Each needs the library of an extra, which not every service has.
    scheme = urlsplit(url.strip()).scheme
    if scheme == STAND_IN:
        _refuse_in_production(environment)
        return LogBroker()
    if scheme in ("kafka", "kafka+tls"):
        from nines_runtime.data.kafka import KafkaBroker  # noqa: PLC0415

        return KafkaBroker(address_of(url, credential=credential, ca=ca), service=service)
    if scheme in ("nats", "tls"):
        from nines_runtime.data.nats import NatsBroker  # noqa: PLC0415

        return NatsBroker(address_of(url, credential=credential, ca=ca), service=service)
    if scheme in ("redis", "rediss"):
        from nines_runtime.data.redis_streams import RedisBroker  # noqa: PLC0415

        return RedisBroker(address_of(url, credential=credential, ca=ca))
    raise ValueError(_SCHEMES)


def source_at(
    url: str,
    *,
    address: str,
    name: str,
    credential: Hidden | str | None = None,
    ca: str = "",
    environment: str = "production",
) -> Source:
    """What tells the events of a topic, stream or subject to everybody of one name together; each once acknowledged.

    Connected when it is first asked. With ?stream= the address names the stream of NATS that holds the subject."""
    # Each needs the library of an extra, which not every service has.
    scheme = urlsplit(url.strip()).scheme
    if scheme == STAND_IN:
        _refuse_in_production(environment)
        return Nothing()
    broker = address_of(url, credential=credential, ca=ca)
    if scheme in ("kafka", "kafka+tls"):
        from nines_runtime.data.kafka import KafkaSource  # noqa: PLC0415

        return KafkaSource(broker, topics=(address,), group=name)
    if scheme in ("nats", "tls"):
        from nines_runtime.data.nats import NatsSource  # noqa: PLC0415

        return NatsSource(broker, subject=address, name=name, stream=broker.options.get("stream", ""))
    if scheme in ("redis", "rediss"):
        from nines_runtime.data.redis_streams import RedisSource  # noqa: PLC0415

        return RedisSource(broker, stream=address, group=name)
    raise ValueError(_SCHEMES)


def _refuse_in_production(environment: str) -> None:
    if environment not in _WITHOUT:
        raise ValueError(f"Events may end in the log only where ENVIRONMENT is one of {', '.join(_WITHOUT)}.")


class Nothing:
    """Stands in where there is no broker: nobody tells anything."""

    async def fetch(self, limit: int, wait_s: float) -> Sequence[Delivery]:
        del limit
        await asyncio.sleep(wait_s)
        return ()

    async def hold(self, under_way: Sequence[Delivery]) -> None:
        """There is nobody to tell."""

    async def acknowledge(self, done: Sequence[Delivery]) -> None:
        """There is nobody to tell."""

    async def lag(self) -> int:
        return 0

    async def close(self) -> None:
        """There is nothing to close."""


class LogBroker:
    """Stands in where there is no broker: each event becomes a line of the log, and nobody else is told."""

    async def deliver(self, event: Event, deadline: Deadline) -> None:
        del deadline
        told = {"event_type": event.type, "event_id": str(event.id), "subject": event.subject, "data": event.data}
        _logger.warning("an event that only the log is told, for there is no broker", extra=told)

    async def close(self) -> None:
        """There is nothing to close."""


class Connection:
    """Connects when it is first needed, one attempt at a time, and again after an attempt that failed."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[tuple[Any, Callable[[], Awaitable[object]]]]],
        *,
        limit_s: float = CONNECT_S_MAX,
    ) -> None:
        """`connect` returns a client and what closes it; it leaves nothing open where it fails."""
        self._connect, self._limit_s = connect, limit_s
        self._client: Any = None
        self._connecting = asyncio.Lock()
        self._close: Callable[[], Awaitable[object]] | None = None

    async def client(self) -> Any:
        if self._client is None:
            async with self._connecting:
                if self._client is None:
                    async with asyncio.timeout(self._limit_s):
                        self._client, self._close = await self._connect()
        return self._client

    async def close(self) -> None:
        """Within a limit: a broker that is away holds up no end of a process."""
        close, self._client, self._close = self._close, None, None
        if close is not None:
            with quietly():
                async with asyncio.timeout(CLOSE_S_MAX):
                    await close()


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """What goes wrong while a connection is closed is nobody's concern: what was not taken stands in the outbox."""
    try:
        yield
    except Exception as error:
        _logger.info("a broker was not closed in order", extra={"error": type(error).__name__})

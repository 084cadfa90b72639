"""One connection to the service, and where to reach it."""

from __future__ import annotations

import asyncio
import ipaddress
import select
import ssl
from functools import lru_cache
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from nines.lab.load.answer import PROTOCOL, RESET, AnswerError, AnswerReader
from nines.model.errors import LabError
from nines.model.record import Record

IDLE_REUSE_S_MAX = 0.8
"""A connection idle for longer is not used again: common servers close theirs after 1 to 5 seconds."""
_UNHANDLED = 500
_CERTAINLY_OPEN_S = 0.005


class Address(Record):
    """Where the service listens, and as which client to come."""

    host: str
    port: int
    local_host: str = ""
    """The own address, such as "127.0.0.7": to most services another address is another client."""
    is_tls: bool = False
    base_path: str = ""
    """For whoever makes the paths; nothing here adds it."""

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_tls else 80) else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self.is_tls else 'http'}://{self.host_header}"


def address_of(url: str, *, local_host: str = "") -> Address:
    """The address in "http://host:port/base"; LabError when it cannot be one."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _not_a_url(url) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise _not_a_url(url)
    is_tls = parts.scheme == "https"
    return Address(
        host=parts.hostname,
        port=port or (443 if is_tls else 80),
        local_host=local_host,
        is_tls=is_tls,
        base_path=parts.path.rstrip("/"),
    )


def _not_a_url(url: str) -> LabError:
    return LabError("this is not an address of a service", where=url[:200], hint="Write it as http://HOST:PORT.")


class Owner(Protocol):
    """Who is told what happens on a connection."""

    def answered(self, connection: Connection) -> None:
        """The answer is complete in `connection.reader`."""

    def broke(self, connection: Connection, error: str, detail: str) -> None:
        """The connection ended while an answer was awaited."""

    def closed(self, connection: Connection) -> None:
        """The connection is gone, and nothing was awaited on it."""


class Connection(asyncio.Protocol):
    """Carries one request at a time."""

    __slots__ = ("_owner", "idle_since_s", "is_busy", "is_open", "reader", "transport", "user")

    def __init__(self, owner: Owner, body_max: int) -> None:
        self._owner = owner
        self.reader = AnswerReader(body_max)
        self.transport: asyncio.Transport = cast("asyncio.Transport", None)
        self.is_open = False
        self.is_busy = False
        self.idle_since_s = 0.0
        self.user: Any = None
        """Whatever the owner wants to find again when the answer comes."""

    def expect(self, user: object, *, is_head_request: bool) -> None:
        """Awaits an answer; `write` follows."""
        self.user = user
        self.is_busy = True
        self.reader.begin(is_head_request=is_head_request)

    def write(self, data: bytes) -> None:
        self.transport.write(data)

    def abort(self) -> None:
        """Closes at once and tells nobody."""
        self.is_open = False
        self.is_busy = False
        self.user = None
        if self.transport is not None:
            self.transport.abort()

    def is_fit(self, now_s: float) -> bool:
        """Whether an idle connection can be trusted with another request."""
        if not self.is_open or self.transport.is_closing():
            return False
        idle_s = now_s - self.idle_since_s
        if idle_s < _CERTAINLY_OPEN_S:
            return True
        return idle_s < IDLE_REUSE_S_MAX and not self._has_unread()

    def _has_unread(self) -> bool:
        # On an idle connection readable means closed by the peer: the event loop has merely not looked yet.
        source = self.transport.get_extra_info("socket")
        if source is None or source.fileno() < 0:
            return True
        poll = select.poll()
        poll.register(source.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
        return bool(poll.poll(0))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        if not self.is_busy:
            # Nobody asked: a farewell such as 408, or a broken service. Either way the connection is of no further use.
            self._end()
            return
        try:
            is_complete = self.reader.feed(data)
        except AnswerError as error:
            self._break(PROTOCOL, str(error))
            return
        if is_complete:
            self.is_busy = False
            # An answer before the whole request was taken (413, 401) leaves bytes behind that nobody will read.
            # After an unhandled error common servers close a moment later, without having announced it.
            is_doubtful = self.reader.status == _UNHANDLED or not self.reader.can_reuse
            if is_doubtful or self.transport.get_write_buffer_size():
                self.is_open = False
            self._owner.answered(self)
            if not self.is_open:
                self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        was_open, self.is_open = self.is_open, False
        if self.is_busy:
            if exc is None and self.reader.finish():
                self.is_busy = False
                self._owner.answered(self)
            else:
                self._break(RESET, str(exc or "closed by the service before its answer was complete"))
        elif was_open:
            self._owner.closed(self)

    def _break(self, error: str, detail: str) -> None:
        self.is_busy = False
        self.is_open = False
        self._owner.broke(self, error, detail)
        self.transport.abort()

    def _end(self) -> None:
        if self.is_open:
            self.is_open = False
            self._owner.closed(self)
        self.transport.abort()


async def connect(address: Address, owner: Owner, *, body_max: int, timeout_s: float) -> Connection:
    """Opens a connection; OSError (TimeoutError included) when that fails."""
    loop = asyncio.get_running_loop()
    local = (address.local_host, 0) if address.local_host else None
    context = tls_context(address) if address.is_tls else None
    async with asyncio.timeout(timeout_s):
        _, connection = await loop.create_connection(
            lambda: Connection(owner, body_max), address.host, address.port, local_addr=local, ssl=context
        )
    return connection


@lru_cache(maxsize=16)
def tls_context(address: Address) -> ssl.SSLContext:
    """Verifies certificates, except on the own machine, where they are self-signed as a rule.

    Loading the trusted roots takes 10 ms, hence one context for each address."""
    context = ssl.create_default_context()
    try:
        is_own = ipaddress.ip_address(address.host).is_loopback
    except ValueError:
        is_own = address.host == "localhost"
    if is_own:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context

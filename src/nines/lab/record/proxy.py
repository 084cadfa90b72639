"""A TCP proxy in front of one dependency: it listens on loopback, records, and takes faults in and out."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self

from nines.lab.record.interference import Admission, Interference
from nines.lab.record.link import Link, reset
from nines.lab.record.recorder import Recorder
from nines.lab.record.wire import Session, Wire
from nines.model.errors import LabError

HOST = "127.0.0.1"
BACKLOG = 1024
LINKS_MAX = 4096
"""Connections at one time; more are reset."""
CONNECT_S_MAX = 10.0
STOP_S_MAX = 5.0
"""How long `stop` waits for sockets to close."""


class Proxy:
    """Listens on 127.0.0.1 at a port that stays the same for its whole life, also while it refuses connections.

    `wire` makes the reader of each connection: PostgresWire, HttpWire, RedisWire, or Wire for bytes as they are.
    The target may go away and come back; each client connection opens its own connection to it."""

    def __init__(
        self, *, dependency: str, host: str, port: int, recorder: Recorder, wire: Callable[[Session], Wire] = Wire
    ) -> None:
        self.dependency = dependency
        self.recorder = recorder
        self.interferences: tuple[Interference, ...] = ()
        self.port = 0
        self._target = (host, port)
        self._wire = wire
        self._server: asyncio.Server | None = None
        self._listener: socket.socket | None = None
        self._guard: socket.socket | None = None
        self._links: set[Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._none_left = asyncio.Event()
        self._none_left.set()
        self._numbers = 0

    async def start(self) -> None:
        """Begins to listen; `port` says where."""
        # A second socket, bound but never listening, keeps the port ours while the first is closed by REFUSE.
        self._guard = _bound(0)
        self.port = int(self._guard.getsockname()[1])
        try:
            await self._listen()
        except LabError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Closes every socket and leaves no task; a second call does nothing."""
        self._unlisten()
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        for link in tuple(self._links):
            link.reset()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S_MAX):
                await self._none_left.wait()
        if self._guard is not None:
            self._guard.close()
            self._guard = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def open_connections(self) -> int:
        """Client connections at this moment."""
        return len(self._links)

    @property
    def is_idle(self) -> bool:
        """No statement, request or command is under way on any connection."""
        return all(link.is_idle for link in self._links)

    @property
    def error_status(self) -> int | None:
        """Not None while a fault wants the proxy to answer in the dependency's place."""
        return next((s for s in (each.error_status() for each in self.interferences) if s is not None), None)

    def retarget(self, host: str, port: int) -> None:
        """New connections go there from now on."""
        self._target = (host, port)

    @contextlib.asynccontextmanager
    async def interfered(self, interference: Interference) -> AsyncIterator[Interference]:
        """The fault is on inside the block, for open and for new connections; leaving the block heals it."""
        self.interferences = (*self.interferences, interference)
        try:
            await self._admit()
            yield interference
        finally:
            self.interferences = tuple(each for each in self.interferences if each is not interference)
            await self._admit()
            for link in tuple(self._links):
                link.requests.pump()
                link.answers.pump()

    def answered_instead(self) -> None:
        """Counts a request that the proxy answered itself."""
        for each in self.interferences:
            if each.error_status() is not None:
                each.acted += 1

    def accepted(self, link: Link) -> None:
        """A client has connected; its connection to the target is made now."""
        self.recorder.opened(self.dependency)
        self._links.add(link)
        self._none_left.clear()
        if self._admission() is not Admission.TAKE or len(self._links) > LINKS_MAX:
            self._count_admission()
            link.reset()
            return
        task = asyncio.get_running_loop().create_task(self._connect(link))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def over(self, link: Link) -> None:
        """Both sockets of a connection are closed."""
        self.recorder.closed(self.dependency, link.number)
        self._links.discard(link)
        if not self._links:
            self._none_left.set()

    async def _connect(self, link: Link) -> None:
        host, port = self._target
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_S_MAX):
                if host.startswith("/"):
                    path = f"{host}/.s.PGSQL.{port}"
                    transport, _ = await loop.create_unix_connection(lambda: link.server, path)
                else:
                    transport, _ = await loop.create_connection(lambda: link.server, host, port)
        except (OSError, TimeoutError):
            self.recorder.failed(self.dependency)
            link.unreachable()
            return
        if link.client.is_lost:
            reset(transport)

    def _client(self) -> asyncio.Protocol:
        self._numbers += 1
        session = Session(dependency=self.dependency, connection=self._numbers, recorder=self.recorder)
        return Link(self, self._numbers, self._wire(session)).client

    def _admission(self) -> Admission:
        wanted = {each.admission for each in self.interferences}
        return next((kind for kind in (Admission.REFUSE, Admission.RESET) if kind in wanted), Admission.TAKE)

    def _count_admission(self) -> None:
        for each in self.interferences:
            if each.admission is not Admission.TAKE:
                each.acted += 1

    async def _admit(self) -> None:
        """Brings the listener and the open connections in line with the faults."""
        admission = self._admission()
        if admission is not Admission.TAKE:
            for link in tuple(self._links):
                self._count_admission()
                if admission is Admission.RESET:
                    link.reset()
                else:
                    link.cut("refused")
        if admission is Admission.REFUSE and self._server is not None:
            self._unlisten()
        elif admission is not Admission.REFUSE and self._server is None and self._guard is not None:
            await self._listen()

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        sock = _bound(self.port)
        try:
            self._server = await loop.create_server(self._client, sock=sock, backlog=BACKLOG)
            self._listener = sock.dup()
        except OSError as error:
            sock.close()
            raise LabError(
                f"the proxy for {self.dependency!r} cannot listen: {error}",
                where=f"{HOST}:{self.port}",
                hint="Check that the system has free ports and file descriptors.",
            ) from error

    def _unlisten(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._listener is not None:
            # The loop closes its own handle some turns later; shutting the socket down refuses from this moment on.
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None


def _bound(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((HOST, port))
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise LabError(
            f"no port can be bound for a proxy: {error}", where=f"{HOST}:{port}", hint="Free some ports and try again."
        ) from error
    return sock

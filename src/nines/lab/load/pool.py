"""The generator's connections: they grow with demand up to a limit and are used again while they are fresh."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from typing import Protocol

from nines.lab.load.answer import REFUSED, TIMEOUT
from nines.lab.load.connection import Address, Connection, Owner, connect

CONNECTIONS_MAX = 256
CONNECTIONS_MAX_MAX = 4096
CONNECT_TIMEOUT_S = 10.0
_OWN_FAULTS = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM})
"""A connection that fails for one of these failed because of this machine, not because of the service."""


class PoolOwner(Owner, Protocol):
    """An owner that also hears how opening a connection went."""

    def opened(self, connection: Connection) -> None:
        """A new connection is free, for the owner to use or to `give` back."""

    def not_opened(self, error: str, detail: str, *, is_own_fault: bool) -> None:
        """A connection could not be opened: `error` is refused or timeout."""


class Pool:
    """Free connections last in, first out, so that no more are kept warm than the load needs."""

    def __init__(
        self, address: Address, owner: PoolOwner, *, connections_max: int, body_max: int, clock: Callable[[], float]
    ) -> None:
        self._address = address
        self._owner = owner
        self._body_max = body_max
        self._clock = clock
        self._free: list[Connection] = []
        self._open: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closing = False
        self.connections_max = connections_max
        self.opened_total = 0
        self.open_max = 0

    @property
    def opening(self) -> int:
        return len(self._tasks)

    @property
    def has_room(self) -> bool:
        """Whether one more connection may be opened."""
        return not self._is_closing and len(self._open) + len(self._tasks) < self.connections_max

    def take(self, now_s: float) -> Connection | None:
        """A free connection, or None."""
        while self._free:
            connection = self._free.pop()
            if connection.is_fit(now_s):
                return connection
            self._open.discard(connection)
            connection.abort()
        return None

    def give(self, connection: Connection, now_s: float) -> None:
        """Puts a connection back."""
        if connection.is_open and not self._is_closing:
            connection.idle_since_s = now_s
            self._free.append(connection)
        else:
            self.drop(connection)

    def drop(self, connection: Connection) -> None:
        """Forgets a connection and closes it unless it is closed."""
        self._open.discard(connection)
        if connection.is_open:
            connection.abort()

    def grow(self) -> None:
        """Begins to open one connection; `opened` or `not_opened` follows."""
        task = asyncio.get_running_loop().create_task(self._connect())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def warm(self, count: int) -> None:
        """Opens connections and waits for them; a failure here is silent, the first request will meet it."""
        attempts = (
            connect(self._address, self._owner, body_max=self._body_max, timeout_s=CONNECT_TIMEOUT_S)
            for _ in range(min(count, self.connections_max))
        )
        for result in await asyncio.gather(*attempts, return_exceptions=True):
            if isinstance(result, Connection):
                self._add(result)
                self.give(result, self._clock())

    async def close(self) -> None:
        """Closes everything, and waits for what was being opened."""
        self._is_closing = True
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in tuple(self._open):
            connection.abort()
        self._open.clear()
        self._free.clear()
        # The loop needs one turn to carry out the aborts.
        await asyncio.sleep(0)

    def _add(self, connection: Connection) -> None:
        self._open.add(connection)
        self.opened_total += 1
        self.open_max = max(self.open_max, len(self._open))

    async def _connect(self) -> None:
        task = asyncio.current_task()
        try:
            connection = await connect(self._address, self._owner, body_max=self._body_max, timeout_s=CONNECT_TIMEOUT_S)
        except OSError as error:
            if task is not None:
                self._tasks.discard(task)
            kind = TIMEOUT if isinstance(error, TimeoutError) else REFUSED
            self._owner.not_opened(kind, str(error), is_own_fault=error.errno in _OWN_FAULTS)
            return
        if task is not None:
            self._tasks.discard(task)
        self._add(connection)
        self._owner.opened(connection)

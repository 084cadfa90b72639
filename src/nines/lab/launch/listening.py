"""What the servers share that stand in for the outside of a service: upstreams and the post."""

from __future__ import annotations

import abc
import asyncio

from nines.lab.launch.ports import LOOPBACK


class Listening(abc.ABC):
    """A server of the laboratory's own; its loopback port is known when it is open."""

    def __init__(self) -> None:
        self.host = LOOPBACK
        self.port = 0
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await self._listen()
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    @abc.abstractmethod
    async def _listen(self) -> asyncio.Server:
        """A server on a port that the system chose."""

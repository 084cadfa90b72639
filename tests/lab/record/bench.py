"""Real parts for the proxies' tests: a PostgreSQL behind its proxy, and an event loop like the laboratory's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncpg
import psycopg
import uvloop

from nines.lab.record.events import ConnectionEnded, StatementSeen
from nines.lab.record.postgres import postgres_wires
from nines.lab.record.proxy import Proxy
from nines.lab.record.recorder import Recorder
from nines.lab.record.wire import Session, Wire

Result = TypeVar("Result")
SCENARIO_S_MAX = 60.0


def run(scenario: Coroutine[Any, Any, Result]) -> Result:
    """Runs a scenario on uvloop, as the laboratory does, and fails when it leaves tasks or hangs."""

    async def whole() -> Result:
        result = await asyncio.wait_for(scenario, SCENARIO_S_MAX)
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        assert not left, left
        return result

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(whole())


async def until(condition: Callable[[], object], limit_s: float = 20.0) -> None:
    """Waits for what must come true; a busy machine may take its time."""
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110 -- what is waited for has no event
            await asyncio.sleep(0.005)


@dataclass(frozen=True)
class Server:
    """Where a PostgreSQL listens."""

    host: str
    port: int
    user: str


@dataclass
class Proxied:
    """A server behind its proxy."""

    server: Server
    proxy: Proxy
    recorder: Recorder

    async def asyncpg(self, **options: Any) -> Any:
        """An asyncpg connection through the proxy."""
        return await asyncpg.connect(
            host="127.0.0.1", port=self.proxy.port, user=self.server.user, database="postgres", **options
        )

    async def psycopg(self, **options: Any) -> psycopg.AsyncConnection[Any]:
        """A psycopg connection through the proxy."""
        url = f"host=127.0.0.1 port={self.proxy.port} user={self.server.user} dbname=postgres"
        return await psycopg.AsyncConnection.connect(url, **options)

    def statements(self) -> list[StatementSeen]:
        return [event for event in self.recorder.window(0.0) if isinstance(event, StatementSeen)]

    def ended(self) -> list[ConnectionEnded]:
        return [event for event in self.recorder.window(0.0) if isinstance(event, ConnectionEnded)]

    def texts(self) -> list[str]:
        return [event.text for event in self.statements()]


@contextlib.asynccontextmanager
async def proxied(
    server: Server, *, wire: Callable[[Session], Wire] | None = None, port: int = 0
) -> AsyncIterator[Proxied]:
    recorder = Recorder()
    proxy = Proxy(
        dependency="database",
        host=server.host,
        port=port or server.port,
        recorder=recorder,
        wire=wire or postgres_wires(),
    )
    async with proxy:
        yield Proxied(server, proxy, recorder)
    assert proxy.open_connections == 0
    assert recorder.tally("database").open == 0

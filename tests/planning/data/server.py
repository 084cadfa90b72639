"""A real PostgreSQL, with a database of its own for each try."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from nines.lab.launch.cleanup import Premises
from nines.lab.launch.installation import choose
from nines.lab.launch.postgres import Cluster


class Server:
    """Runs one coroutine after the other, each with a connection to a fresh database."""

    def __init__(self, runner: asyncio.Runner, cluster: Cluster) -> None:
        self._runner = runner
        self._cluster = cluster
        self._numbers = itertools.count()

    def run(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
        return self._runner.run(self._in_fresh_database(work))

    async def url(self, connection: Any) -> str:
        """Of the database that the connection is to, for a process of one's own."""
        name = await connection.fetchval("SELECT current_database()")
        cluster = self._cluster
        return f"postgresql://{cluster.user}:{cluster.password}@{cluster.host}:{cluster.port}/{name}"

    async def beside(self, connection: Any) -> Any:
        """Another connection to the same database; whoever asks closes it."""
        return await self._cluster.connect(await connection.fetchval("SELECT current_database()"))

    async def _in_fresh_database(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
        async with self._database() as connection:
            return await work(connection)

    @asynccontextmanager
    async def _database(self) -> AsyncIterator[Any]:
        name = f"try_{next(self._numbers)}"
        await self._cluster.create(name)
        connection = await self._cluster.connect(name)
        try:
            yield connection
        finally:
            await connection.close()
            await self._cluster.drop(name)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    # Not below pytest's folder: every session that starts makes that private again, and the server is another user.
    with tempfile.TemporaryDirectory(prefix="nines-planned-") as name:
        base = Path(name)
        base.chmod(0o711)
        premises = Premises(base)
        premises.open()
        cluster = Cluster(premises, choose(()))
        with asyncio.Runner() as runner:
            runner.run(cluster.open())
            yield Server(runner, cluster)
            runner.run(cluster.close())
        premises.close()

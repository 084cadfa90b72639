"""A real PostgreSQL for the whole folder, and an empty database for each test."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

import nines_runtime.data
from nines_runtime.data.embedded import EmbeddedServer

SCHEMA = Path(nines_runtime.data.__file__).parent / "schema.sql"


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    # Not below a folder of pytest's, which the server's own user may not enter.
    folder = Path(tempfile.mkdtemp(prefix="nines-data-"))
    found = EmbeddedServer(folder)
    try:
        found.start()
        yield found
    finally:
        found.kill()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def url(server: EmbeddedServer) -> str:
    """Of a database with the empty tables of schema.sql, and nothing that another test left."""
    if not server.is_running:
        server.start()
    asyncio.run(_clear(server.url()))
    return server.url()


async def _clear(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename IS NOT NULL AND pid <> pg_backend_pid()"
        )
        await connection.execute("DROP SCHEMA public CASCADE")
        await connection.execute("CREATE SCHEMA public")
        await connection.execute(SCHEMA.read_text())
    finally:
        await connection.close()

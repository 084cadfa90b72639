"""A real PostgreSQL for the whole folder, and a database of its own for each test."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

import nines_runtime.data
from nines_runtime.data.embedded import EmbeddedServer

SCHEMA = Path(nines_runtime.data.__file__).parent / "schema.sql"
TEMPLATE = "service_template"


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    # Not below a folder of pytest's, which the server's own user may not enter.
    folder = Path(tempfile.mkdtemp(prefix="nines-data-"))
    found = EmbeddedServer(folder)
    try:
        found.start()
        asyncio.run(_carry_out(found.url(), f"CREATE DATABASE {TEMPLATE}"))
        asyncio.run(_carry_out(found.url(TEMPLATE), SCHEMA.read_text()))
        yield found
    finally:
        found.kill()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def url(server: EmbeddedServer) -> str:
    """Of a fresh database with the tables of schema.sql."""
    if not server.is_running:
        server.start()
    name = f"test_{uuid.uuid4().hex}"
    asyncio.run(_carry_out(server.url(), f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY"))
    return server.url(name)


async def _carry_out(url: str, script: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(script)
    finally:
        await connection.close()

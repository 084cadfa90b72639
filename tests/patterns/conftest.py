"""A PostgreSQL for the examples whose point is SQL: one server for all, a database for each."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.examples.stage import Cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    # Not below pytest's own folder: each run of pytest closes that to the user under which the server runs.
    with tempfile.TemporaryDirectory(prefix="nines-patterns-") as folder:
        server = Cluster(Path(folder))
        server.start()
        yield server
        server.stop()


@pytest.fixture
def database_url(cluster: Cluster) -> Iterator[str]:
    """An empty database; what an example left connected to it is thrown out."""
    url = cluster.create()
    yield url
    name = url.rpartition("/")[2]
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

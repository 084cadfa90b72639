"""One PostgreSQL for all tests of the proxies."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from nines.lab.launch.cleanup import Premises
from nines.lab.launch.installation import choose
from nines.lab.launch.postgres import Cluster
from tests.lab.record.bench import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    base = tmp_path_factory.mktemp("proxied")
    _open_to_walkers(base)
    premises = Premises(base)
    premises.open()
    cluster = Cluster(premises, choose(()))
    with asyncio.Runner() as runner:
        runner.run(cluster.open())
        yield Server(cluster.host, cluster.port, cluster.user)
        runner.run(cluster.close())
    premises.close()


def _open_to_walkers(base: Path) -> None:
    # The server's user must be able to walk to the run's directory, and pytest keeps its own private.
    for folder in (base, *base.parents):
        if folder == base or "pytest" in folder.name:
            folder.chmod(0o711)

"""One PostgreSQL for all tests of the proxies."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from nines.lab.launch.cleanup import Premises
from nines.lab.launch.installation import choose
from nines.lab.launch.postgres import Cluster
from tests.lab.record.bench import Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    # Not below pytest's folder: every session that starts makes that private again, and the server is another user.
    with tempfile.TemporaryDirectory(prefix="nines-proxied-") as name:
        base = Path(name)
        base.chmod(0o711)
        premises = Premises(base)
        premises.open()
        cluster = Cluster(premises, choose(()))
        with asyncio.Runner() as runner:
            runner.run(cluster.open())
            yield Server(cluster.host, cluster.port, cluster.user)
            runner.run(cluster.close())
        premises.close()

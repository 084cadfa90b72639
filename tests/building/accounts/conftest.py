"""One login for all tests of accounts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nines_runtime import EmbeddedServer
from tests.building.accounts.serving import Login, Process


@pytest.fixture(scope="session")
def login(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Login]:
    folder = tmp_path_factory.mktemp("login")
    folder.chmod(0o755)
    server = EmbeddedServer(Path(folder) / "database")
    server.start()
    built = Login(folder, server)
    try:
        yield built
    finally:
        built.mailbox.close()
        server.stop()


@pytest.fixture(scope="session")
def process(login: Login) -> Iterator[Process]:
    with login.process() as started:
        yield started

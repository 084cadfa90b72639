"""A PostgreSQL of one's own: its data is found again, and nothing is left when its folder is gone."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import asyncpg
import pytest

from nines_runtime import EmbeddedServer
from nines_runtime.data import embedded


def test_its_data_is_found_again_and_belongs_to_one_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = Path("/var/tmp") / f"test-nines-{os.getpid()}"
    elsewhere.mkdir(mode=0o711)
    monkeypatch.setattr(embedded, "ELSEWHERE", elsewhere)
    folder = tmp_path / "database"
    server = EmbeddedServer(folder)
    try:
        server.start()
        again = EmbeddedServer(folder)
        with pytest.raises(RuntimeError, match="Another server works on"):
            again.start()
        server.kill()
        assert not server.is_running
        again.start()
        again.stop()
        assert again.data == server.data
        assert (again.data / "PG_VERSION").exists()
        if again.data.parent != folder:
            # Another server's start finds that the folder has gone.
            shutil.rmtree(folder)
            embedded._clear_up()
            assert not again.data.exists()
    finally:
        server.kill()
        shutil.rmtree(elsewhere)


def test_killed_it_finishes_nothing_that_it_has_in_hand(tmp_path: Path) -> None:
    """A backend that lived on would commit: one statement after the other, for as long as it has any in hand."""

    async def scenario(server: EmbeddedServer) -> None:
        link = await asyncpg.connect(server.url())
        await link.execute("CREATE TABLE counted (number int)")
        busy = asyncio.create_task(
            link.execute("DO $$ BEGIN FOR n IN 1..200 LOOP PERFORM pg_sleep(0.01); COMMIT;"
                         " INSERT INTO counted VALUES (n); END LOOP; END $$")
        )  # fmt: skip
        await asyncio.sleep(0.3)
        backend = link.get_server_pid()
        server.kill()
        assert embedded._processes().get(backend, ("Z", 0))[0] in "ZX"
        with pytest.raises((asyncpg.PostgresError, OSError)):
            await busy
        link.terminate()

    server = EmbeddedServer(tmp_path / "database")
    try:
        server.start()
        asyncio.run(scenario(server))
        server.start()
        assert server.is_running
    finally:
        server.kill()
        shutil.rmtree(server.data.parent, ignore_errors=True)

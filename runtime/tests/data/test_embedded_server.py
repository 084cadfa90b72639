"""A PostgreSQL of one's own: its data is found again, and nothing is left when its folder is gone."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

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

"""A laptop: its database and keys are kept, and nothing runs on when the service has ended, however it ended."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from nines_runtime.running.local import kept_secret, laptop

WAIT_S = 60.0
_PROGRAM = """
import sys, time
from pathlib import Path
from nines_runtime import laptop
with laptop({"ENVIRONMENT": "local"}, folder=Path(sys.argv[1]), secrets=("CURSOR_KEY",)) as environment:
    print(environment["DB_URL"], flush=True)
    time.sleep(300)
"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    # Not below a folder of pytest's, which the server's own user may not enter.
    made = Path(tempfile.mkdtemp(prefix="nines-laptop-"))
    made.chmod(0o755)
    yield made
    for process in psutil.process_iter(["cmdline"]):
        if process.info["cmdline"] and any(str(made) in word for word in process.info["cmdline"]):
            process.kill()
    shutil.rmtree(made, ignore_errors=True)


def start(folder: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen([sys.executable, "-c", _PROGRAM, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def servers(folder: Path) -> list[int]:
    data = str(folder / "database" / "data")
    return [each.pid for each in psutil.process_iter(["cmdline"]) if data in (each.info["cmdline"] or [])]


def gone(folder: Path) -> bool:
    until_s = time.monotonic() + WAIT_S
    while servers(folder):
        if time.monotonic() > until_s:
            return False
        time.sleep(0.05)
    return True


def select(url: str, query: str) -> object:
    async def run() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(run())


@pytest.mark.lab
def test_a_database_is_kept_and_stopped_with_the_process(folder: Path) -> None:
    process, url = start(folder)
    select(url, "CREATE TABLE kept AS SELECT 7 AS n")
    with laptop({"ENVIRONMENT": "local"}, folder=folder) as environment:
        # What another process runs already is used, and goes on when this block is left.
        assert environment["DB_URL"] == url
    assert servers(folder)
    process.send_signal(signal.SIGINT)
    process.wait(WAIT_S)
    assert gone(folder)

    process, url = start(folder)
    assert select(url, "SELECT n FROM kept") == 7
    process.send_signal(signal.SIGTERM)
    assert process.wait(WAIT_S) != 0
    assert gone(folder)


@pytest.mark.lab
def test_what_a_killed_process_left_is_taken_over(folder: Path) -> None:
    process, url = start(folder)
    select(url, "CREATE TABLE left_over AS SELECT 1 AS n")
    process.kill()
    process.wait(WAIT_S)
    assert servers(folder)
    process, url = start(folder)
    assert select(url, "SELECT n FROM left_over") == 1
    process.send_signal(signal.SIGINT)
    process.wait(WAIT_S)
    assert gone(folder)


def test_only_a_laptop_gets_anything_made_up(tmp_path: Path) -> None:
    for environment in ({}, {"ENVIRONMENT": "production"}):
        with laptop(environment, folder=tmp_path / "none", secrets=("A_KEY",)) as found:
            assert found == environment
    assert not (tmp_path / "none").exists()
    given_ = {"ENVIRONMENT": "local", "DB_URL": "postgresql://x", "B_KEY_FILE": "/x"}
    with laptop(given_, folder=tmp_path, secrets=("A_KEY", "B_KEY")) as found:
        assert found == given_ | {"A_KEY": found["A_KEY"]}
        assert len(found["A_KEY"]) == 43
    with laptop(given_, folder=tmp_path, secrets=("A_KEY", "C_KEY")) as again:
        assert again["A_KEY"] == found["A_KEY"] != again["C_KEY"]
    kept = tmp_path / "secrets" / "a_key"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept_secret(tmp_path / "secrets", "A_KEY") == found["A_KEY"]
    assert sorted(each.name for each in (tmp_path / "secrets").iterdir()) == ["a_key", "c_key"]
    assert "A_KEY" not in os.environ

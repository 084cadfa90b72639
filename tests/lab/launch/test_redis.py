"""Redis: found or not, given by a URL, and never emptied when it belongs to somebody else."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from nines.lab.launch.cleanup import Premises
from nines.lab.launch.redis import Redis, find_program
from nines.model.errors import LaunchError, SettingsError

pytestmark = pytest.mark.lab

SERVER = """#!{python}
import socketserver, sys
port = int(sys.argv[sys.argv.index("--port") + 1])

class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while self.rfile.readline():
            self.rfile.readline()
            word = self.rfile.readline().strip()
            print(word.decode(), flush=True)
            self.wfile.write(b"+PONG\\r\\n" if word == b"PING" else b"+OK\\r\\n")

socketserver.ThreadingTCPServer(("127.0.0.1", port), Handler).serve_forever()
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that speaks just enough of the protocol, under the name that nines looks for."""
    folder = tmp_path / "bin"
    folder.mkdir()
    made = folder / "redis-server"
    made.write_text(SERVER.format(python=sys.executable))
    made.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin:/bin")
    return made


def test_a_server_of_the_machine_is_started_emptied_and_stopped(premises: Premises, program: Path) -> None:
    assert find_program() == str(program)

    async def scenario() -> None:
        redis = Redis(premises)
        await redis.open()
        assert redis.is_running
        assert redis.url("127.0.0.1", 1234) == "redis://127.0.0.1:1234/0"
        await redis.empty()
        await redis.close()
        assert not redis.is_running

    asyncio.run(scenario())
    assert "FLUSHALL" in (premises.directory / "redis.log").read_text()


def test_a_given_server_is_used_and_left_alone(premises: Premises, program: Path) -> None:
    async def scenario() -> None:
        own = Redis(premises)
        await own.open()
        given = Redis(premises, f"redis://user:secret@127.0.0.1:{own.port}/3")
        await given.open()
        await given.empty()
        await given.close()
        assert given.url("127.0.0.1", 1) == "redis://user:secret@127.0.0.1:1/3"
        assert own.is_running
        await own.close()

    asyncio.run(scenario())
    assert "FLUSHALL" not in (premises.directory / "redis.log").read_text()


def test_no_server_is_one_clear_error(premises: Premises, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LaunchError, match="no Redis server was found"):
        asyncio.run(Redis(premises).open())


@pytest.mark.parametrize("url", ["http://x", "redis://", "redis://host/name", "rediss://host/0"])
def test_a_url_of_something_else_is_refused(premises: Premises, url: str) -> None:
    with pytest.raises(SettingsError, match=r"redis\.url"):
        Redis(premises, url)

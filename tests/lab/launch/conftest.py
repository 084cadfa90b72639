"""Real parts for the launcher's tests: premises in a temporary directory, one PostgreSQL, one small service."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from nines.lab.launch.cleanup import Premises

APPLICATION = """
import json, os, sys

print("starting", flush=True)

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    status = 503 if scope["path"] == "/never" else 200
    body = json.dumps({"path": scope["path"], "env": {k: v for k, v in os.environ.items()}, "pid": os.getpid()})
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body.encode()})

def make():
    return app
"""


@pytest.fixture
def common_folder() -> Iterator[Path]:
    """A folder that the database server's user may enter; pytest makes its own private at the start of any session."""
    with tempfile.TemporaryDirectory(prefix="nines-test-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture
def premises(common_folder: Path) -> Iterator[Premises]:
    made = Premises(common_folder)
    made.open()
    yield made
    made.close()
    assert not made.directory.exists()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "small.py").write_text(APPLICATION)
    return root

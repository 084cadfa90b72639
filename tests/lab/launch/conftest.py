"""Real parts for the launcher's tests: premises in a temporary directory, one PostgreSQL, one small service."""

from __future__ import annotations

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
def premises(tmp_path: Path) -> Iterator[Premises]:
    # The server's user must be able to walk to the run's directory, and pytest keeps its own private.
    for folder in (tmp_path, *tmp_path.parents):
        if folder == tmp_path or "pytest" in folder.name:
            folder.chmod(0o711)
    made = Premises(tmp_path)
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

"""`tests/contract/running.py`: the service as it runs on a laptop, and somebody who asks it."""

from __future__ import annotations

from nines.building import python
from nines.building.names import package
from nines.building.project import credentials, settings
from nines.model.design import Design


def running(design: Design) -> str:
    name = package(design)
    return f'''"""The service as it runs on a laptop, and somebody who asks it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
START_S_MAX = 120.0
STOP_S_MAX = 30.0
ANSWER_S_MAX = 30.0
ATTEMPTS_MAX = 5
LARGE_BYTES = 1_000_000


class Answer:
    def __init__(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        self.status, self.headers, self.content = status, headers, content

    @property
    def body(self) -> Any:
        return json.loads(self.content) if self.content else None

    @property
    def problem(self) -> str:
        """The last part of the problem's type; empty for what is none."""
        is_problem = self.headers.get("content-type", "").startswith("application/problem+json")
        return str(self.body["type"]).rpartition("/")[2] if is_problem else ""


class Service:
    """A process with a database of its own in a folder that is gone afterwards."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = (folder / "log").open("wb")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1]){_grpc(design)}
        inherited = {{key: value for key, value in os.environ.items() if not key.endswith(("_URL", "_FILE"))}}
        self._environment = inherited | {{
            "ENVIRONMENT": "local",
            "LIMIT_FACTOR": "100000",
            "PYTHONPATH": str(ROOT / "src"),{_any_port(design)}
        }}
        command = [sys.executable, "-m", "{name}", "--port", str(self.port)]
        self._process = subprocess.Popen(
            command, cwd=folder, env=self._environment, stdout=self._log, stderr=subprocess.STDOUT
        )

    def wait(self) -> None:
        """Until it is ready; fails with what it wrote."""
        until_s = time.monotonic() + START_S_MAX
        while time.monotonic() < until_s and self._process.poll() is None:
            try:
                if self.ask("GET", "/health/ready").status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise RuntimeError((self._folder / "log").read_text()[-4_000:])

    def stop(self) -> int:
        """The exit code after SIGTERM."""
        self._process.terminate()
        try:
            return self._process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        finally:
            self._log.close()

    def ask(self, method: str, path: str, *, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """A body that is no bytes is sent as JSON."""
        given = dict(headers or {{}})
        content = body
        if body is not None and not isinstance(body, bytes):
            content = json.dumps(body).encode()
            given.setdefault("content-type", "application/json")
        for attempts_left in reversed(range(ATTEMPTS_MAX)):
            try:
                return self._asked(method, path, content, given)
            except ConnectionResetError:
                # Who refuses a large body may hang up before its answer was read.
                if len(content or b"") < LARGE_BYTES or not attempts_left:
                    raise
        raise AssertionError

    def _asked(self, method: str, path: str, content: bytes | None, given: Mapping[str, str]) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_S_MAX)
        try:
            # What is refused before it was read whole is answered all the same.
            with contextlib.suppress(BrokenPipeError):
                connection.request(method, path, content, dict(given))
            answer = connection.getresponse()
            found = {{key.lower(): value for key, value in answer.getheaders()}}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()
{_credential(design)}'''


def _any_port(design: Design) -> str:
    return '\n            "GRPC_PORT": str(self.grpc_port),' if design.protocol is not None else ""


def _grpc(design: Design) -> str:
    """Where it is asked over gRPC."""
    if design.protocol is None:
        return ""
    return """
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.grpc_port = int(free.getsockname()[1])"""


def _credential(design: Design) -> str:
    """A method that gives somebody's credentials, where the laboratory can make some."""
    if settings.has_console(design):
        return _of_console(design)
    minting = credentials.minting(design)
    if minting is None:
        return _NOBODY if credentials.is_open(design) else _SIGNING_IN
    words = credentials.somebody(design, roles=",".join(role.name for role in design.roles))
    parts = ["sys.executable", *(python.quoted(each) for each in (*minting.words, *words))]
    given = f'f"{minting.before}{{found.stdout.strip()}}"' if minting.before else "found.stdout.strip()"
    lines = python.laid(python.Group(head="", parts=tuple(parts), brackets="[]"), before="command = ", depth=2)
    command = "\n".join(lines)
    return f'''
    def credential(self) -> dict[str, str] | None:
        """Of somebody who may do everything."""
{command}
        found = subprocess.run(
            command, cwd=self._folder, env=self._environment, capture_output=True, text=True, check=True
        )
        return {{"{minting.header}": {given}}}
'''


_SIGNING_IN = '''
    def credential(self) -> dict[str, str] | None:
        """Of somebody who may do everything; None: people sign in here, which your own tests may do."""
        return None
'''
_NOBODY = '''
    def credential(self) -> dict[str, str] | None:
        """Nobody shows who it is, so there is nothing to show."""
        return {}
'''


def _of_console(design: Design) -> str:
    """Somebody whom an operator makes, with every role that there is."""
    granted = "".join(
        f'        self._people("grant", "somebody@example.com", "{role.name}")\n' for role in design.roles
    )
    printed = "{self._people('token', 'somebody@example.com')}"
    is_cookie = design.auth is not None and design.auth.scheme == "session"
    shown = f'"cookie": f"__Host-session={printed}"' if is_cookie else f'"authorization": f"Bearer {printed}"'
    return f'''
    def credential(self) -> dict[str, str] | None:
        """Of somebody who may do everything, made at the operator's console."""
        self._people("add", "somebody@example.com")
{granted}        return {{{shown}}}

    def _people(self, *words: str) -> str:
        found = subprocess.run(
            [sys.executable, "-m", "{package(design)}.people", *words],
            cwd=self._folder,
            env=self._environment | {{"NEW_PASSWORD": "correct horse battery staple"}},
            capture_output=True,
            text=True,
            check=True,
        )
        return found.stdout.strip()
'''

"""A service as it runs on a laptop, and somebody who asks it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

START_S_MAX = 120.0
STOP_S_MAX = 30.0
ANSWER_S_MAX = 30.0
COMMAND_S_MAX = 120.0
ATTEMPTS_MAX = 5
LARGE_BYTES = 1_000_000
_POLL_S = 0.05
_LOG_CHARS_MAX = 4_000


class Answer:
    """What came back."""

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


class Running:
    """A process (`python -m PACKAGE --port PORT`) with ENVIRONMENT=local, whose files lie in `folder`."""

    def __init__(self, package: str, root: Path, folder: Path, *, ports: tuple[str, ...] = ()) -> None:
        """`ports` names variables that tell it of other ports that are free."""
        self.root = root
        self.ports = {name: free_port() for name in ports}
        """By their variable."""
        self._folder, self._package = folder, package
        self._log = (folder / "log").open("wb")
        self._port = free_port()
        inherited = {key: value for key, value in os.environ.items() if not key.endswith(("_URL", "_FILE"))}
        self._environment = inherited | {
            "ENVIRONMENT": "local",
            "LIMIT_FACTOR": "100000",
            "PYTHONPATH": str(root / "src"),
            **{name: str(port) for name, port in self.ports.items()},
        }
        command = [sys.executable, "-m", package, "--port", str(self._port)]
        self._process = subprocess.Popen(  # noqa: S603 -- The service itself.
            command, cwd=folder, env=self._environment, stdout=self._log, stderr=subprocess.STDOUT
        )

    def wait(self) -> None:
        """Until it is ready; raises RuntimeError with what it wrote."""
        until_s = time.monotonic() + START_S_MAX
        while time.monotonic() < until_s and self._process.poll() is None:
            try:
                if self.ask("GET", "/health/ready").status == 200:
                    return
            except OSError:
                pass
            time.sleep(_POLL_S)
        raise RuntimeError((self._folder / "log").read_text()[-_LOG_CHARS_MAX:])

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

    def run(self, module: str, *words: str, **variables: str) -> str:
        """What a command of the service prints, with its database and keys: `run("people", "token", "ada")`."""
        found = subprocess.run(  # noqa: S603 -- A command of the service.
            [sys.executable, "-m", f"{self._package}.{module}", *words],
            cwd=self._folder,
            env=self._environment | variables,
            capture_output=True,
            text=True,
            check=True,
            timeout=COMMAND_S_MAX,
        )
        return found.stdout.strip()

    def ask(self, method: str, path: str, *, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """A body that is no bytes is sent as JSON."""
        given = dict(headers or {})
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
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_S_MAX)
        try:
            # What is refused before it was read whole is answered all the same.
            with contextlib.suppress(BrokenPipeError):
                connection.request(method, path, content, dict(given))
            answer = connection.getresponse()
            found = {key.lower(): value for key, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()


@contextlib.contextmanager
def running(package: str, root: Path, *, ports: tuple[str, ...] = ()) -> Iterator[Running]:
    """The service below `root`, ready, with a database of its own; it is stopped and everything is gone afterwards."""
    # Not below pytest's own folder, which the database's user may not enter.
    folder = Path(tempfile.mkdtemp(prefix="contract-"))
    try:
        service = Running(package, root, folder, ports=ports)
        try:
            service.wait()
            yield service
        finally:
            code = service.stop()
        if code != 0:
            raise AssertionError(f"It ended with {code} after SIGTERM.")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """One that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])

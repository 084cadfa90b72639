"""A built service that really runs: its own process, a real PostgreSQL, and others that answer as they are told."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from nines import building
from nines.model.design import Design
from nines.verbs import build
from nines_runtime import EmbeddedServer

ROOT = Path(__file__).resolve().parents[3]
START_S_MAX = 60.0
ANSWER_S_MAX = 30.0
SETTLE_S_MAX = 60.0


class Reply:
    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> str:
        return str(self.json["type"]).rpartition("/")[2]


class Stub:
    """Whoever is asked: keeps what it was asked for, and answers the same to the same key."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.answer: Callable[[str, Any], tuple[int, Any]] = lambda verb, _: (200, {"gateway_ref": f"ref-{verb}"})
        self.hangs_s = 0.0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def keys(self, verb: str) -> list[str]:
        return [key for name, key, _ in self.asked if name == verb]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"null")
                verb = self.path.strip("/")
                stub.asked.append((verb, self.headers.get("idempotency-key", ""), body))
                time.sleep(stub.hangs_s)
                status, answer = stub.answer(verb, body)
                sent = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


class Running:
    """One process of a service."""

    def __init__(self, folder: Path, package: str, environment: dict[str, str]) -> None:
        self.folder, self.package = folder, package
        self.port = free_port()
        path = os.pathsep.join([str(folder / "src"), str(ROOT / "runtime" / "src")])
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self._environment = {**kept, "PYTHONPATH": path, "ENVIRONMENT": "local", "LIMIT_FACTOR": "1000", **environment}
        self._log = (folder / "log").open("ab")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = self._run([self.package, "--port", str(self.port)])
        until_s = time.monotonic() + START_S_MAX
        while time.monotonic() < until_s:
            if self._process.poll() is not None:
                raise AssertionError(f"it ended at its start:\n{self.log()}")
            try:
                if self.ask("GET", "/health/ready").status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"it is not ready:\n{self.log()}")

    def kill(self) -> None:
        """As a crash: nothing is finished."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._log.close()

    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")[-6000:]

    def token(self, subject: str, *roles: str, tenant: str = "", factors: int = 1) -> str:
        words = [f"{self.package}.tokens", "--subject", subject, *(["--factors", str(factors)] if factors > 1 else [])]
        words += ["--tenant", tenant] if tenant else []
        words += [part for role in roles for part in ("--role", role)]
        process = subprocess.run(
            [sys.executable, "-m", *words], cwd=self.folder, env=self._environment, capture_output=True, check=False
        )
        assert process.returncode == 0, process.stderr.decode()
        return process.stdout.decode().strip()

    def somebody(self, name: str, *roles: str, tenant: str = "") -> str:
        """Made at the operator's console, where people sign in here; a token of theirs."""
        told = ["--tenant", tenant] if tenant else []
        self._people("add", name, *told)
        for role in roles:
            self._people("grant", name, role)
        return self._people("token", name)

    def _people(self, *words: str) -> str:
        environment = self._environment | {"NEW_PASSWORD": "correct horse battery staple"}
        command = [sys.executable, "-m", f"{self.package}.people", *words]
        process = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, check=False)
        assert process.returncode == 0, process.stderr.decode()
        return process.stdout.decode().strip()

    def ask(self, method: str, path: str, body: Any = None, *, token: str = "", key: str = "", **headers: str) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_S_MAX)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            given["Authorization"] = f"Bearer {token}"
        if key:
            given["Idempotency-Key"] = key
        content = None
        if body is not None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            usual = "application/merge-patch+json" if method == "PATCH" else "application/json"
            given.setdefault("Content-Type", usual)
        try:
            connection.request(method, path, content, given)
            answer = connection.getresponse()
            return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def _run(self, words: list[str]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", *words]
        return subprocess.Popen(command, cwd=self.folder, env=self._environment, stdout=self._log, stderr=self._log)


def eventually(test: Callable[[], Any], what: str, limit_s: float = SETTLE_S_MAX) -> Any:
    """What the test gives once it gives something."""
    until_s = time.monotonic() + limit_s
    while time.monotonic() < until_s:
        found = test()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"it never happened: {what}")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def database() -> Iterator[str]:
    """The address of a PostgreSQL of this test alone."""
    with tempfile.TemporaryDirectory(prefix="nines-", dir="/tmp") as folder:
        server = EmbeddedServer(Path(folder))
        server.start()
        try:
            yield server.url()
        finally:
            server.stop()


@contextmanager
def built(blueprint: Path, folder: Path, environment: dict[str, str]) -> Iterator[Running]:
    """The service of a blueprint, written and started."""
    planned = build.build(blueprint, folder, build.Wish(), today=date(2030, 1, 2)).planned
    service = Running(folder, planned.name.replace("-", "_"), environment)
    try:
        service.start()
        yield service
    finally:
        service.stop()


def written(design: Design, folder: Path) -> None:
    """The Python alone."""
    for file in building.write(design):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")

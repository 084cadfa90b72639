"""A login that was built from the shipped blueprint, on a real PostgreSQL, asked over real sockets."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg

from nines.verbs.build import Wish, build
from nines_runtime import EmbeddedServer

ROOT = Path(__file__).parents[3]
BLUEPRINT = ROOT / "examples" / "blueprints" / "login.yaml"
PASSWORD = "correct horse battery staple"
READY_S_MAX = 60.0
MAIL_S_MAX = 30.0
_FIRST_KEY = base64.urlsafe_b64encode(bytes(range(32))).decode().rstrip("=")


class Answered:
    """One answer."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes, took_s: float) -> None:
        self.status, self.headers, self.body, self.took_s = status, headers, body, took_s

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> str:
        return str(self.json["type"]).rpartition("/")[2]


class Process:
    """One replica of the service."""

    def __init__(self, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
        self.port, self._process, self.log = port, process, log

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str = "",
        address: str = "127.0.0.1",
        headers: dict[str, str] | None = None,
    ) -> Answered:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30, source_address=(address, 0))
        sent = {"authorization": f"Bearer {token}"} if token else {}
        sent |= {"content-type": "application/merge-patch+json" if method == "PATCH" else "application/json"}
        sent |= headers or {}
        began_s = time.perf_counter()
        try:
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return Answered(answer.status, told, content, time.perf_counter() - began_s)

    def register(self, email: str, password: str = PASSWORD, **more: Any) -> Answered:
        body = {"email": email, "password": password, **more}
        return self.ask("POST", "/v1/accounts", body, headers={"idempotency-key": uuid4().hex})

    def sign_in(self, email: str, password: str = PASSWORD, *, address: str = "127.0.0.1", **more: Any) -> Answered:
        return self.ask("POST", "/v1/sessions", {"email": email, "password": password, **more}, address=address)

    def refresh(self, token: str) -> Answered:
        return self.ask("POST", "/v1/tokens", {"refresh_token": token})

    def kill(self) -> None:
        """As a crash: without a chance to finish anything."""
        self._process.kill()
        self._process.wait(20)

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(20)


class Login:
    """The built files, their database and the mailbox of everybody."""

    def __init__(self, folder: Path, server: EmbeddedServer) -> None:
        self.folder, self._server = folder, server
        self.url = server.url()
        self.source = folder / "service" / "src"
        build(BLUEPRINT, folder / "service", Wish(), today=date(2030, 1, 2))
        self.mailbox = Mailbox()
        self._module("migrate", check=True)

    def environment(self, **more: str) -> dict[str, str]:
        path = os.pathsep.join([str(self.source), str(ROOT / "runtime" / "src")])
        told = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": path,
            "PYTHONDONTWRITEBYTECODE": "1",
            "ENVIRONMENT": "laboratory",
            "DB_URL": self.url,
            "LOGIN_ISSUER": "https://login.example",
            "SMTP_URL": f"smtp://127.0.0.1:{self.mailbox.port}",
            "LIMIT_FACTOR": "100000",
            "NEW_PASSWORD": PASSWORD,
            "SUBSCRIBER_SECRETS": "{}",
        }
        keys = ("TOKEN_SIGNING_KEY", "FIELD_KEYS", "CODE_KEY", "CURSOR_KEY")
        return told | dict.fromkeys(keys, _FIRST_KEY) | more

    @contextmanager
    def process(self, **more: str) -> Iterator[Process]:
        port = free_port()
        log = self.folder / f"log-{port}"
        with log.open("wb") as out:
            started = subprocess.Popen(
                [sys.executable, "-m", "login", "--host", "127.0.0.1", "--port", str(port)],
                env=self.environment(**more),
                cwd=self.folder / "service",
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        process = Process(port, started, log)
        try:
            self._until_ready(process, started)
            yield process
        finally:
            process.stop()

    def _until_ready(self, process: Process, started: subprocess.Popen[bytes]) -> None:
        until_s = time.monotonic() + READY_S_MAX
        while time.monotonic() < until_s:
            if started.poll() is not None:
                break
            try:
                if process.ask("GET", "/health/ready").status == 200:
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(process.log.read_text()[-4_000:])

    def people(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """The operator's console."""
        return self._module("people", *words, told=more)

    def _module(
        self, name: str, *words: str, check: bool = False, told: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", f"login.{name}", *words],
            env=self.environment(**(told or {})),
            cwd=self.folder / "service",
            capture_output=True,
            text=True,
            timeout=60,
            check=check,
        )

    def run(self, work: Any) -> Any:
        async def connected() -> Any:
            connection = await asyncpg.connect(self.url)
            try:
                return await work(connection)
            finally:
                await connection.close()

        return asyncio.run(connected())

    def rows(self, query: str, *arguments: Any) -> list[Any]:
        return list(self.run(lambda connection: connection.fetch(query, *arguments)))

    def verified(self, process: Process, email: str, password: str = PASSWORD) -> None:
        """Somebody who registered and showed that the address is theirs."""
        challenge = process.register(email, password).json["challenge_id"]
        code = self.mailbox.code(email)
        answer = process.ask("POST", "/v1/verifications", {"challenge_id": challenge, "code": code})
        assert answer.status == 204, answer.body


class Mailbox:
    """Takes letters by SMTP; can be closed, as a provider that is down, and opened again on the same port."""

    def __init__(self) -> None:
        self.port = free_port()
        self.letters: list[str] = []
        self._listener: socket.socket | None = None
        self.open()

    def open(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port))
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def close(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            # A thread that waits in accept() does not notice that its socket was closed.
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def to(self, email: str) -> list[str]:
        return [letter for letter in list(self.letters) if f"To: {email}" in letter]

    def wait(self, email: str, *, count: int = 1) -> str:
        """The letter with that number to somebody."""
        until_s = time.monotonic() + MAIL_S_MAX
        while time.monotonic() < until_s:
            found = self.to(email)
            if len(found) >= count:
                return found[count - 1]
            time.sleep(0.05)
        raise AssertionError(f"{len(self.to(email))} letters to {email}, {count} were expected")

    def code(self, email: str, *, count: int = 1) -> str:
        text = self.wait(email, count=count).partition("\r\n\r\n")[2]
        found = re.search(r"\b[0-9]{6}\b", text)
        assert found, text
        return found[0]

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            connection.sendall(b"220 mailbox\r\n")
            for line in lines:
                word = line[:4].upper()
                if word == b"DATA":
                    connection.sendall(b"354 go on\r\n")
                    self.letters.append(self._read(lines))
                connection.sendall(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
                if word == b"QUIT":
                    return

    def _read(self, lines: Any) -> str:
        found = []
        for line in lines:
            if line == b".\r\n":
                break
            found.append(line)
        return b"".join(found).decode()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def wrong(code: str) -> str:
    """Another code."""
    return f"{(int(code) + 1) % 1_000_000:06d}"

"""A service in a process of its own on a real socket, for tests; run as a program it is that service."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
from fastapi import Depends, FastAPI

from nines_runtime import (
    ANONYMOUS,
    Answer,
    Application,
    Call,
    Caller,
    Headers,
    Operations,
    Started,
    caller_with,
    run,
    service_of,
)

WAIT_S = 30.0


class Note(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    text: Annotated[str, msgspec.Meta(max_length=100_000)]


operations: Operations[str] = Operations()


@operations.post("/v1/notes", id="createNote", deadline_s=1.0, body_bytes_max=200_000)
async def create_note(service: str, call: Call, body: Note) -> Answer:
    return Answer.of(body, status=201)


@operations.get("/v1/slow/{tenths}", id="slow", is_public=True, deadline_s=20)
async def slow(service: str, call: Call) -> Answer:
    print("slow begun", file=sys.stderr, flush=True)
    await asyncio.sleep(int(call.parameters["tenths"]) / 10)
    return Answer.of({"service": service, "process": os.getpid()})


@operations.get("/v1/die", id="die", is_public=True)
async def die(service: str, call: Call) -> Answer:
    os.kill(os.getpid(), signal.SIGKILL)
    return Answer.nothing()


class Authenticator:
    async def authenticate(self, headers: Headers, *, address: str) -> Caller:
        return Caller(subject="s") if "authorization" in headers else ANONYMOUS


owner = FastAPI()


@owner.get("/reports/{number}")
async def report(
    number: int, service: Annotated[str, Depends(service_of)], caller: Annotated[Caller, Depends(caller_with())]
) -> dict[str, Any]:
    return {"number": number, "service": service, "subject": caller.subject}


@owner.post("/reports")
async def post_report(note: dict[str, int]) -> dict[str, int]:
    return note


@owner.get("/broken")
async def broken() -> None:
    raise RuntimeError("password=hunter2")


@owner.put("/v1/notes")
async def put_notes() -> str:
    return "the owner's"


@contextlib.asynccontextmanager
async def lifespan() -> AsyncIterator[Started[str]]:
    async def check() -> None:
        if "NOT_READY" in os.environ:
            raise ConnectionError("no database")

    if "FAILS" in os.environ:
        raise RuntimeError("password=hunter2")
    yield Started("the service", authenticator=Authenticator(), checks={"db": check})
    print("closed in order", file=sys.stderr, flush=True)


def application() -> Application[str]:
    drain_s = float(os.environ.get("DRAIN_S", "3"))
    return Application(
        "tried",
        operations,
        lifespan,
        openapi=b'{"openapi":"3.1.1"}',
        fallback=owner,
        drain_s=drain_s,
    )


class Process:
    """Its standard output is its log."""

    def __init__(self, *arguments: str, folder: Path, **environment: str) -> None:
        with socket.socket() as link:
            link.bind(("127.0.0.1", 0))
            self.port = int(link.getsockname()[1])
        self._out, self._err = folder / "out", folder / "err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.popen = subprocess.Popen(
                [sys.executable, __file__, str(self.port), *arguments],
                stdout=out,
                stderr=err,
                env={**os.environ, **environment},
            )

    def wait_ready(self) -> None:
        until_s = time.monotonic() + WAIT_S
        while time.monotonic() < until_s and self.popen.poll() is None:
            with contextlib.suppress(OSError):
                if b" 200 " in self.exchange(b"GET /health/live HTTP/1.0\r\n\r\n"):
                    return
            time.sleep(0.05)
        raise AssertionError(self.errors())

    def exchange(self, sent: bytes, *, is_half_closed: bool = False) -> bytes:
        """Everything that comes back until the other side closes."""
        with self.connect() as link:
            with contextlib.suppress(ConnectionError):
                link.sendall(sent)
                if is_half_closed:
                    link.shutdown(socket.SHUT_WR)
            return drained(link)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_S)

    def log(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(line) for line in self._out.read_bytes().splitlines()]

    def errors(self) -> str:
        return self._err.read_text()

    def wait_for(self, said: str) -> None:
        until_s = time.monotonic() + WAIT_S
        while said not in self.errors():
            assert time.monotonic() < until_s, self.errors()
            time.sleep(0.02)

    def stop(self, sig: int = signal.SIGTERM) -> int:
        if self.popen.poll() is None:
            self.popen.send_signal(sig)
        return self.popen.wait(WAIT_S)


def drained(link: socket.socket) -> bytes:
    found = b""
    with contextlib.suppress(ConnectionError):
        while piece := link.recv(65_536):
            found += piece
    return found


@contextlib.contextmanager
def served(folder: Path, *arguments: str, **environment: str) -> Iterator[Process]:
    process = Process(*arguments, folder=folder, **environment)
    try:
        process.wait_ready()
        yield process
    finally:
        if process.popen.poll() is None:
            process.popen.kill()
            process.popen.wait(WAIT_S)


if __name__ == "__main__":
    workers = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    sys.exit(run(application, port=int(sys.argv[1]), workers=workers))

"""Somebody on loopback who behaves as badly as a test wants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest


class Asked:
    """One request as it came."""

    def __init__(self, head: bytes, body: bytes) -> None:
        line, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = line.split(" ")
        self.headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in lines if each)}
        self.body = body


Behaviour = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


class Peer:
    """Speaks just enough HTTP/1.1; `asked` holds every request."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.asked: list[Asked] = []
        self.serving: set[asyncio.Task[None] | None] = set()
        self.connections = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.serving.add(asyncio.current_task())
        self.connections += 1
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"), 0
                )
                self.asked.append(Asked(head[:-4], await reader.readexactly(length)))
                await self.behaviour(self.asked[-1], writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.serving.discard(asyncio.current_task())
            writer.close()

    async def asked_times(self, times: int) -> None:
        async with asyncio.timeout(30):
            while len(self.asked) < times:  # noqa: ASYNC110 -- whoever asks is under test
                await asyncio.sleep(0.01)

    async def close(self) -> None:
        """Ends whatever it still does."""
        left = [task for task in self.serving if task is not None]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


def answer(status: int, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def says(*answers: bytes) -> Behaviour:
    """These answers in turn, the last one again and again."""
    left = list(answers)

    async def behave(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(left.pop(0) if len(left) > 1 else left[0])

    return behave


@asynccontextmanager
async def _peer(behaviour: Behaviour) -> AsyncIterator[Peer]:
    peer = Peer(behaviour)
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    peer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield peer
    finally:
        server.close()
        await peer.close()


@pytest.fixture
def peer() -> Callable[[Behaviour], AbstractAsyncContextManager[Peer]]:
    return _peer


@pytest.fixture
def http() -> Any:
    """`http.answer` and `http.says`."""
    return type("Http", (), {"answer": staticmethod(answer), "says": staticmethod(says)})


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()

"""Connections that say nothing, or too many of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from uvicorn.server import ServerState

from nines_runtime.running import protocol
from nines_runtime.running.protocol import BoundedProtocol
from nines_runtime.web.asgi import Receive, Scope, Send

WHOLE = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@asynccontextmanager
async def listening(connections_max: int | None = None, keep_alive_s: int = 5) -> AsyncIterator[int]:
    config = uvicorn.Config(
        app, log_config=None, limit_concurrency=connections_max, timeout_keep_alive=keep_alive_s, ws="none"
    )
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: BoundedProtocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nx: y", WHOLE + b"GET / HTTP"])
def test_a_head_that_does_not_come_ends_the_connection(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(protocol, "HEAD_S_MAX", 0.2)

    async def run() -> None:
        async with listening() as port, asyncio.timeout(20):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            answered = await reader.read()
            assert answered.count(b"HTTP/1.1 200 ") == sent.count(WHOLE)
            writer.close()

    asyncio.run(run())


def test_a_head_that_comes_slowly_but_in_time_is_taken() -> None:
    async def run() -> None:
        async with listening() as port, asyncio.timeout(20):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for at in range(len(WHOLE)):
                writer.write(WHOLE[at : at + 1])
                await writer.drain()
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200 ")
            writer.close()

    asyncio.run(run())


def test_too_many_connections_are_told_so() -> None:
    async def run() -> None:
        async with listening(connections_max=2) as port, asyncio.timeout(20):
            links = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
            links[2][1].write(WHOLE)
            refused = await links[2][0].read()
            assert refused.startswith(b"HTTP/1.1 503 ")
            assert b'"/problems/unavailable"' in refused
            assert b"retry-after: 2\r\n" in refused
            await asyncio.sleep(0.05)
            links[0][1].write(WHOLE)
            assert (await links[0][0].readuntil(b"ok")).startswith(b"HTTP/1.1 200 ")
            for _, writer in links:
                writer.close()

    asyncio.run(run())


def test_a_long_connection_is_not_a_long_head() -> None:
    async def run() -> None:
        async with listening() as port, asyncio.timeout(30):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for _ in range(2_000):
                writer.write(WHOLE)
                await reader.readuntil(b"ok")
            writer.close()

    asyncio.run(run())


def test_a_connection_that_says_nothing_more_is_closed_and_one_that_does_is_kept() -> None:
    async def run() -> None:
        async with listening(keep_alive_s=1) as port, asyncio.timeout(20):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            begun_s = asyncio.get_running_loop().time()
            while asyncio.get_running_loop().time() - begun_s < 1.5:
                writer.write(WHOLE)
                await reader.readuntil(b"ok")
                await asyncio.sleep(0.1)
            spoken_s = asyncio.get_running_loop().time()
            assert await reader.read() == b""
            assert asyncio.get_running_loop().time() - spoken_s > 0.5
            writer.close()

    asyncio.run(run())

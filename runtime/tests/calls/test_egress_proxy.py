"""Where a network lets nothing else out, others are asked by a proxy, and only they."""

from __future__ import annotations

import asyncio

import pytest

from nines_runtime import Client, Deadline
from nines_runtime.calls.egress import PROXY


class Proxy:
    """Answers in place of everybody, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.url = ""

    async def open(self) -> asyncio.Server:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return server

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head.split(b"\r\n", 1)[0].decode())
        body = b'{"ok":true}'
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n" + body)
        await writer.drain()
        writer.close()


def test_a_proxy_is_asked_for_what_is_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        proxy = Proxy()
        async with await proxy.open():
            monkeypatch.setenv(PROXY, proxy.url)
            client = Client("gateway", "http://gateway.example", timeout_s=5.0)
            reply = await client.get(Deadline.after(5.0), "/charges")
            await client.close()
            assert reply.status == 200
            assert proxy.asked == ["GET http://gateway.example/charges HTTP/1.1"]

    asyncio.run(scenario())


def test_what_is_inside_is_asked_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        proxy, inside = Proxy(), Proxy()
        async with await proxy.open(), await inside.open():
            monkeypatch.setenv(PROXY, proxy.url)
            client = Client("stock", inside.url, timeout_s=5.0, allows_private=True)
            reply = await client.get(Deadline.after(5.0), "/items")
            await client.close()
            assert reply.status == 200
            assert (proxy.asked, inside.asked) == ([], ["GET /items HTTP/1.1"])

    asyncio.run(scenario())

"""Real HTTP clients and servers through the proxy, in every framing that HTTP/1.1 knows."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import pytest

from nines.lab.faults import interfere
from nines.lab.record.events import RequestSeen
from nines.lab.record.http import HttpWire
from nines.lab.record.proxy import Proxy
from nines.lab.record.recorder import Recorder
from nines.model.experiment import Fault, FaultKind
from tests.lab.record.bench import run, until

pytestmark = pytest.mark.lab

BIG = 3_000_000


class Upstream:
    """A server that frames its answers as its path asks, and counts the charges that it took."""

    def __init__(self) -> None:
        self.port = 0
        self.charges = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while await self._one(reader, writer):
                await writer.drain()
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lstrip()
        method, path, _ = head.splitlines()[0].split(" ")
        fields = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in head.splitlines()[1:])}
        if path == "/early":
            writer.write(b"HTTP/1.1 413 No\r\ncontent-length: 0\r\n\r\n")
            await reader.readexactly(int(fields["content-length"]))
            return True
        if fields.get("expect") == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await self._body(reader, fields)
        self.charges += method == "POST"
        if path == "/chunked":
            writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nx: 1\r\n\r\n")
        elif path == "/until-close":
            writer.write(b"HTTP/1.1 200 OK\r\n\r\nall of it")
            return False
        elif path == "/switch":
            writer.write(b"HTTP/1.1 101 Switching\r\nupgrade: echo\r\n\r\n")
            writer.write(await reader.readexactly(5))
            return False
        elif path == "/drop":
            return False
        elif path == "/none":
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        elif path == "/big":
            writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {BIG}\r\n\r\n".encode() + b"x" * BIG)
        elif method == "HEAD":
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1234\r\n\r\n")
        else:
            writer.write(b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok")
        return True

    async def _body(self, reader: asyncio.StreamReader, fields: dict[str, str]) -> None:
        if fields.get("transfer-encoding") == "chunked":
            while (size := int(await reader.readline(), 16)) > 0:
                await reader.readexactly(size + 2)
            await reader.readline()
        else:
            await reader.readexactly(int(fields.get("content-length", "0")))


class Bench:
    def __init__(self, upstream: Upstream, proxy: Proxy, recorder: Recorder) -> None:
        self.upstream = upstream
        self.proxy = proxy
        self.recorder = recorder
        self.url = f"http://127.0.0.1:{proxy.port}"

    def requests(self) -> list[RequestSeen]:
        return [event for event in self.recorder.window(0.0) if isinstance(event, RequestSeen)]

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=20)


@contextlib.asynccontextmanager
async def bench() -> AsyncIterator[Bench]:
    upstream = Upstream()
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0)
    upstream.port = server.sockets[0].getsockname()[1]
    recorder = Recorder()
    async with Proxy(
        dependency="payments", host="127.0.0.1", port=upstream.port, recorder=recorder, wire=HttpWire
    ) as proxy:
        yield Bench(upstream, proxy, recorder)
    server.close()
    await asyncio.sleep(0.05)


def test_every_framing_is_read(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with bench() as b, b.client() as client:
            await client.post("/charges?x=1", json={"a": 1}, headers={"Idempotency-Key": "k"})
            assert (await client.get("/chunked")).text == "hello"
            assert (await client.head("/item")).headers["content-length"] == "1234"
            assert (await client.get("/none")).status_code == 204
            assert len((await client.get("/big")).content) == BIG

            async def parts() -> AsyncIterator[bytes]:
                for _ in range(3):
                    yield b"y" * 100_000

            await client.put("/item", content=parts())
            assert (await client.get("/until-close")).text == "all of it"
            await client.get("/item")
            assert [(r.method, r.path, r.status, r.has_key, r.body_bytes) for r in b.requests()] == [
                ("POST", "/charges?x=1", 201, True, 7),
                ("GET", "/chunked", 200, False, 0),
                ("HEAD", "/item", 200, False, 0),
                ("GET", "/none", 204, False, 0),
                ("GET", "/big", 200, False, 0),
                ("PUT", "/item", 201, False, 300_000),
                ("GET", "/until-close", 200, False, 0),
                ("GET", "/item", 201, False, 0),
            ]
            assert {r.connection for r in b.requests()[:7]} == {1}
            assert b.recorder.tally("payments").unreadable == 0

    run(scenario())


def test_pipelines_continues_early_answers_and_upgrades() -> None:
    async def scenario() -> None:
        async with bench() as b:
            reader, writer = await asyncio.open_connection("127.0.0.1", b.proxy.port)
            writer.write(b"GET /a HTTP/1.1\r\n\r\nGET /chunked HTTP/1.1\r\n\r\n\r\nHEAD /c HTTP/1.1\r\n\r\n")
            writer.write(b"POST /d HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n")
            await reader.readuntil(b"100 Continue\r\n\r\n")
            writer.write(b"zz")
            await reader.readuntil(b"201 Created\r\n")
            await reader.readuntil(b"ok")
            writer.write(b"POST /early HTTP/1.1\r\ncontent-length: 4\r\n\r\nzz")
            await reader.readuntil(b"413 No\r\ncontent-length: 0\r\n\r\n")
            writer.write(b"zzGET /e HTTP/1.1\r\n\r\n")
            await reader.readuntil(b"ok")
            writer.write(b"GET /switch HTTP/1.1\r\nupgrade: echo\r\n\r\n")
            await reader.readuntil(b"upgrade: echo\r\n\r\n")
            writer.write(b"\x00\x01\x02\x03\x04")
            assert await reader.read() == b"\x00\x01\x02\x03\x04"
            writer.close()
            assert [(r.method, r.path, r.status) for r in b.requests()] == [
                ("GET", "/a", 201),
                ("GET", "/chunked", 200),
                ("HEAD", "/c", 200),
                ("POST", "/d", 201),
                ("POST", "/early", 413),
                ("GET", "/e", 201),
                ("GET", "/switch", 101),
            ]

    run(scenario())


def test_an_answer_that_never_came() -> None:
    async def scenario() -> None:
        async with bench() as b, b.client() as client:
            with pytest.raises(httpx.RemoteProtocolError):
                await client.post("/drop", content=b"x")
            await until(b.requests)
            assert [(r.path, r.status, r.error, r.body_bytes) for r in b.requests()] == [("/drop", None, "lost", 1)]
            assert b.recorder.tally("payments").errors == 1

    run(scenario())


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x02", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"])
def test_what_is_no_http_passes_unread(data: bytes) -> None:
    async def scenario() -> None:
        async with bench() as b:
            _, writer = await asyncio.open_connection("127.0.0.1", b.proxy.port)
            writer.write(data)
            await until(b.recorder.blind)
            writer.close()
            assert b.recorder.tally("payments").unreadable == 1
            assert b.requests() == []

    run(scenario())


def test_an_injected_status_asks_nobody() -> None:
    async def scenario() -> None:
        fault = Fault(kind=FaultKind.ERROR, dependency="payments", status=429)
        async with bench() as b, b.client() as client:
            assert (await client.post("/charges", content=b"1")).status_code == 201
            async with interfere(b.proxy, fault) as interference:
                answer = await client.post("/charges", content=b"2" * 500_000)
                assert (answer.status_code, answer.json()["status"]) == (429, 429)
                assert (await client.head("/charges")).status_code == 429
                assert interference.acted == 2
            assert (await client.post("/charges", content=b"3")).status_code == 201
            assert b.upstream.charges == 2
            assert [r.status for r in b.requests()] == [201, 429, 429, 201]
            # The same connection serves before, during and after the fault.
            assert {r.connection for r in b.requests()} == {1}

    run(scenario())


def test_a_cut_answer_leaves_the_charge_made() -> None:
    async def scenario() -> None:
        async with bench() as b, b.client() as client:
            async with interfere(b.proxy, Fault(kind=FaultKind.CUT_REPLY, dependency="payments")) as interference:
                assert (await client.get("/rates")).status_code == 201
                with pytest.raises(httpx.TransportError):
                    await client.post("/charges", content=b"1")
                assert interference.acted == 1
            assert b.upstream.charges == 1
            assert (await client.get("/rates")).status_code == 201

    run(scenario())

"""The proxy itself: bytes unchanged, half-closes, back-pressure, resets, and a clean end, on both event loops."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import psutil
import pytest
import uvloop

from nines.lab.record.events import ConnectionEnded
from nines.lab.record.pipe import HELD_BYTES_MAX
from nines.lab.record.proxy import Proxy
from nines.lab.record.recorder import Recorder
from nines.model.errors import LabError
from tests.lab.record.bench import until

pytestmark = pytest.mark.lab

LOOPS = pytest.mark.parametrize("loop_factory", [uvloop.new_event_loop, asyncio.new_event_loop])
Loop = Callable[[], asyncio.AbstractEventLoop]
Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def run(scenario: Coroutine[Any, Any, None], loop_factory: Loop) -> None:
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(asyncio.wait_for(scenario, 30))


@contextlib.asynccontextmanager
async def before(handle: Handle) -> AsyncIterator[tuple[Proxy, Recorder]]:
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    recorder = Recorder()
    proxy = Proxy(dependency="d", host="127.0.0.1", port=server.sockets[0].getsockname()[1], recorder=recorder)
    async with proxy:
        yield proxy, recorder
    server.close()
    await asyncio.sleep(0.02)


async def digest(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers what it was sent, after the other side has ended: only a half-close makes that possible."""
    data = await reader.read(-1)
    writer.write(hashlib.sha256(data).digest() + data)
    with contextlib.suppress(OSError):
        await writer.drain()
    writer.close()


@LOOPS
def test_bytes_pass_unchanged_and_half_closed(loop_factory: Loop) -> None:
    async def scenario() -> None:
        async with before(digest) as (proxy, recorder):
            data = os.urandom(5_000_000)

            async def one() -> None:
                reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
                writer.write(data)
                writer.write_eof()
                assert await reader.read(-1) == hashlib.sha256(data).digest() + data
                writer.close()

            await asyncio.gather(*(one() for _ in range(4)))
            await until(lambda: proxy.open_connections == 0)
            tally = recorder.tally("d")
            assert (tally.connections, tally.open, tally.failed) == (4, 0, 0)

    run(scenario(), loop_factory)


@LOOPS
def test_a_slow_reader_slows_the_writer(loop_factory: Loop) -> None:
    async def scenario() -> None:
        release = asyncio.Event()

        async def sleepy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await release.wait()
            size = len(await reader.read(-1))
            writer.write(str(size).encode())
            await writer.drain()
            writer.close()

        async with before(sleepy) as (proxy, _):
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            writer.transport.set_write_buffer_limits(high=0)
            memory = psutil.Process().memory_info().rss
            sent = 0
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    while True:
                        writer.write(b"x" * 100_000)
                        sent += 100_000
                        await writer.drain()
            # What was taken is in the kernel's buffers, not in the proxy.
            assert sent < 60_000_000
            assert psutil.Process().memory_info().rss - memory < 40_000_000 + 4 * HELD_BYTES_MAX
            release.set()
            writer.write_eof()
            assert int(await reader.read()) == sent
            writer.close()

    run(scenario(), loop_factory)


@LOOPS
def test_a_reset_is_passed_on_as_a_reset(loop_factory: Loop) -> None:
    async def scenario() -> None:
        async def hostile(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            sock = writer.get_extra_info("socket")
            with socket.socket(fileno=os.dup(sock.fileno())) as same:
                same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            writer.transport.abort()

        async with before(hostile) as (proxy, recorder):
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            writer.write(b"x")
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()
            await until(lambda: recorder.window(0.0))
            ended = [event for event in recorder.window(0.0) if isinstance(event, ConnectionEnded)]
            assert [event.error for event in ended] == ["reset"]

    run(scenario(), loop_factory)


@LOOPS
def test_a_target_that_is_not_there_resets_its_clients(loop_factory: Loop) -> None:
    async def scenario() -> None:
        async with before(digest) as (proxy, recorder):
            proxy.retarget("127.0.0.1", 1)
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()
            assert recorder.tally("d").failed == 1

    run(scenario(), loop_factory)


@LOOPS
def test_a_target_may_be_a_unix_socket(loop_factory: Loop, tmp_path: Path) -> None:
    async def scenario() -> None:
        server = await asyncio.start_unix_server(digest, str(tmp_path / ".s.PGSQL.5432"))
        async with Proxy(dependency="d", host=str(tmp_path), port=5432, recorder=Recorder()) as proxy:
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            writer.write(b"x")
            writer.write_eof()
            assert await reader.read() == hashlib.sha256(b"x").digest() + b"x"
            writer.close()
        server.close()
        await asyncio.sleep(0.02)

    run(scenario(), loop_factory)


@LOOPS
def test_stopping_leaves_nothing(loop_factory: Loop) -> None:
    async def scenario() -> None:
        process = psutil.Process()
        async with before(digest) as (proxy, _):
            descriptors = process.num_fds()
            tasks = len(asyncio.all_tasks())
            second = Proxy(dependency="e", host="127.0.0.1", port=proxy.port, recorder=Recorder())
            await second.start()
            clients = [await asyncio.open_connection("127.0.0.1", second.port) for _ in range(10)]
            clients[0][1].write(b"x" * 1_000_000)
            await asyncio.sleep(0.02)
            await second.stop()
            await second.stop()
            for reader, writer in clients:
                with contextlib.suppress(ConnectionResetError):
                    await reader.read()
                writer.close()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", second.port)
            await until(lambda: process.num_fds() <= descriptors)
            await until(lambda: len(asyncio.all_tasks()) <= tasks)

    run(scenario(), loop_factory)


def test_a_proxy_that_cannot_listen_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nines.lab.record.proxy.HOST", "192.0.2.1")

    async def scenario() -> None:
        with pytest.raises(LabError, match="no port"):
            await Proxy(dependency="d", host="127.0.0.1", port=1, recorder=Recorder()).start()

    run(scenario(), asyncio.new_event_loop)

"""Brokers as they run: NATS and Redis of the machine, and for Kafka the cluster that librdkafka brings for tests."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

_READY_S_MAX = 20.0
_CLUSTER = """
import sys
from confluent_kafka import Producer
cluster = Producer({"bootstrap.servers": "nobody:1", "test.mock.num.brokers": 1, "log_level": 0})
found = cluster.list_topics(timeout=15).brokers.values()
print(",".join(f"{each.host}:{each.port}" for each in found), flush=True)
sys.stdin.read()
"""
"""A cluster within a client of librdkafka, which other clients reach by its port."""


class Running:
    """A broker's process; `pause` leaves it there and lets it answer nobody."""

    def __init__(self, command: list[str], port: int) -> None:
        self._command, self.port = command, port
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + _READY_S_MAX
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.5):
                return
            time.sleep(0.05)
        raise AssertionError(f"{self._command[0]} does not listen")

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def program(name: str) -> str:
    tools = Path(__file__).parents[3] / "tools" / "bin"
    found = shutil.which(name) or shutil.which(name, path=f"/usr/sbin:/usr/local/bin:{tools}")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@contextlib.contextmanager
def nats(folder: Path, *more: str) -> Iterator[Running]:
    """With JetStream, whose streams are kept when it is killed."""
    port = free_port()
    command = [program("nats-server"), "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(folder), *more]
    running = Running(command, port)
    try:
        yield running
    finally:
        running.kill()


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[Running]:
    port = free_port()
    keeping = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
    command = [program("redis-server"), "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), *keeping]
    running = Running(command, port)
    try:
        yield running
    finally:
        running.kill()


@contextlib.contextmanager
def kafka() -> Iterator[str]:
    """Its address; what it holds is gone when it ends."""
    if find_spec("confluent_kafka") is None:
        pytest.skip("confluent-kafka is not installed")
    command = [sys.executable, "-c", _CLUSTER]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().decode().strip()
    finally:
        process.kill()
        process.communicate()


class Gate:
    """Between a service and a broker: what comes through can be cut, held back or let go on."""

    def __init__(self, port: int) -> None:
        self._to, self.port = port, 0
        self.is_open, self.delay_s = True, 0.0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Gate:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()

    def cut(self) -> None:
        for each in self._writers:
            each.transport.abort()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        if not self.is_open:
            self.cut()
            return
        there, thither = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers.add(thither)
        await asyncio.gather(self._pass(reader, thither), self._pass(there, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                writer.write(data)
                await writer.drain()
        writer.transport.abort()

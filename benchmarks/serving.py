"""A database, services and loads for benchmarks: real processes on loopback, gone when the block is left."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import cast

import msgspec
import psutil

from nines.lab.launch.cleanup import Premises
from nines.lab.launch.installation import choose
from nines.lab.launch.ports import free_port
from nines.lab.launch.postgres import Cluster
from nines.lab.launch.process import Process, spawn
from nines.lab.load.connection import Address
from nines.lab.load.ending import Ending
from nines.lab.load.generator import OpenLoop
from nines.lab.load.plan import Plan
from nines.lab.load.request import Request

READY_S_MAX = 60.0
CONNECTIONS = 64
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@contextlib.asynccontextmanager
async def database(settings: Mapping[str, str] = MappingProxyType({})) -> AsyncIterator[tuple[Premises, Cluster]]:
    """PostgreSQL with fsync, and the premises for what else is started."""
    premises = Premises()
    premises.open()
    cluster = Cluster(premises, choose(()), settings=settings)
    try:
        await cluster.open()
        yield premises, cluster
    finally:
        await cluster.close()
        premises.close()


class Served:
    """A service in a process of its own, which may be killed and started again."""

    def __init__(self, premises: Premises, name: str, command: Sequence[str], env: Mapping[str, str], folder: Path):
        self.port = free_port()
        self.name = name
        self._premises = premises
        self._command = [part.replace("{port}", str(self.port)) for part in command]
        self._env = {**os.environ, **env}
        self._folder = folder
        self.process: Process | None = None

    async def start(self) -> float:
        """The seconds until it was ready."""
        begun = time.monotonic()
        self.process = spawn(self._premises, self.name, self._command, env=self._env, directory=self._folder)
        while time.monotonic() - begun < READY_S_MAX:
            if await is_ready(self.port):
                return time.monotonic() - begun
            if not self.process.is_running:
                break
            await asyncio.sleep(0.02)
        raise SystemExit(f"{self.name} did not become ready:\n{self.process.tail()}")

    async def kill(self) -> None:
        if self.process is not None:
            await self.process.kill()

    async def stop(self) -> None:
        if self.process is not None and await self.process.terminate(15.0) is None:
            await self.process.kill()

    def cpu_s(self) -> float:
        """Processor time of all its processes so far."""
        assert self.process is not None
        return cpu_s(self.process)


def cpu_s(process: Process) -> float:
    """Processor time that a process and its children have taken so far."""
    return sum(sum(each.cpu_times()[:2]) for each in process.tree() if each.is_running())


async def is_ready(port: int, path: str = "/health/ready") -> bool:
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 1.0)
        writer.write(f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n".encode())
        line = await asyncio.wait_for(reader.readline(), 2.0)
        writer.close()
    except (OSError, TimeoutError):
        return False
    return b" 200 " in line


async def send(port: int, request: Request) -> tuple[int, bytes]:
    """One request on a connection of its own; status and body."""
    head, body = await exchange(port, request)
    return int(head[9:12]), body


async def exchange(port: int, request: Request) -> tuple[bytes, bytes]:
    """The same; the whole head and the body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request.wire)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10.0)
    length = _LENGTH.search(head)
    body = await asyncio.wait_for(reader.readexactly(int(length[1])), 10.0) if length is not None else b""
    writer.close()
    return head, body


async def run(premises: Premises, name: str, command: Sequence[str], env: Mapping[str, str], folder: Path) -> str:
    """Runs a command to its end; its last lines."""
    process = spawn(premises, name, command, env={**os.environ, **env}, directory=folder)
    if not await process.wait(120.0):
        await process.kill()
        raise SystemExit(f"{name} did not end:\n{process.tail()}")
    if process.returncode:
        raise SystemExit(f"{name} failed:\n{process.tail()}")
    return process.tail()


class Took(msgspec.Struct):
    """What a load came to."""

    sent: int
    duration_s: float
    statuses: Counter[str]
    latencies_ms: list[float]
    reason: str = ""

    @property
    def rate_hz(self) -> float:
        return self.good / self.duration_s

    @property
    def good(self) -> int:
        return sum(count for status, count in self.statuses.items() if status.startswith("2"))

    def percentile_ms(self, percent: float) -> float:
        return percentile(self.latencies_ms, percent)

    def __str__(self) -> str:
        p50, p95, p99 = (self.percentile_ms(percent) for percent in (50, 95, 99))
        told = ", ".join(f"{status} {count:,}" for status, count in sorted(self.statuses.items()))
        return (
            f"{self.rate_hz:,.0f}/s for {self.duration_s:.1f} s, p50 {p50:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms; "
            f"{told} {self.reason}"
        ).rstrip()


def percentile(values: Sequence[float], percent: float) -> float:
    found = sorted(values)
    return found[min(len(found) - 1, int(len(found) * percent / 100))] if found else 0.0


async def open_loop(
    port: int,
    rate_hz: float,
    duration_s: float,
    make: Callable[[int], Request],
    sink: Callable[[Ending], None] | None = None,
) -> Took:
    """Every request leaves at its intended time; latencies are from that time."""
    statuses: Counter[str] = Counter()
    latencies: list[float] = []

    def ended(ending: Ending) -> None:
        statuses[str(ending.status or ending.error)] += 1
        latencies.append(ending.latency_s * 1e3)
        if sink is not None:
            sink(ending)

    plan = Plan(rate_hz=rate_hz, duration_s=duration_s, keeps_bodies=sink is not None, connections_max=256)
    load = OpenLoop(plan, Address(host="127.0.0.1", port=port), make, ended)
    await load.start()
    report = await load.finish()
    return Took(report.sent, report.duration_s, statuses, latencies, report.reason)


class _User(asyncio.Protocol):
    """Sends the next request when the last one was answered."""

    def __init__(self, owner: _Closed) -> None:
        self._owner = owner
        self._buffer = b""
        self._sent_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._send()

    def _send(self) -> None:
        wire = self._owner.following()
        if wire is None:
            self.transport.close()
            return
        self._sent_s = time.monotonic()
        self.transport.write(wire)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = _LENGTH.search(head)
        if length is not None and len(rest) < int(length[1]):
            return
        self._buffer = b""
        self._owner.ended(head[9:12].decode(), time.monotonic() - self._sent_s)
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self._owner.left(self, error)


class _Closed:
    def __init__(self, make: Callable[[int], Request], duration_s: float) -> None:
        self._make = make
        self._end_s = time.monotonic() + duration_s
        self._index = 0
        self.statuses: Counter[str] = Counter()
        self.latencies: list[float] = []
        self.users: set[_User] = set()
        self.empty = asyncio.Event()

    def following(self) -> bytes | None:
        if time.monotonic() >= self._end_s:
            return None
        self._index += 1
        return self._make(self._index).wire

    def ended(self, status: str, took_s: float) -> None:
        self.statuses[status] += 1
        self.latencies.append(took_s * 1e3)

    def left(self, user: _User, error: Exception | None) -> None:
        if error is not None:
            self.statuses[type(error).__name__] += 1
        self.users.discard(user)
        if not self.users:
            self.empty.set()


async def closed_loop(port: int, duration_s: float, make: Callable[[int], Request], users: int = CONNECTIONS) -> Took:
    """So many users, each of whom waits for its answer: what a service carries at most."""
    begun = time.monotonic()
    load = _Closed(make, duration_s)
    for _ in range(users):
        _, user = await asyncio.get_running_loop().create_connection(lambda: _User(load), "127.0.0.1", port)
        load.users.add(user)
    await asyncio.wait_for(load.empty.wait(), duration_s + 30.0)
    return Took(sum(load.statuses.values()), time.monotonic() - begun, load.statuses, load.latencies)


def machine() -> str:
    """What the figures were measured on."""
    return f"{psutil.cpu_count()} processors, Python {sys.version.split()[0]}"

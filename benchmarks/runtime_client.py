"""What a call through `nines_runtime.Client` costs, beside plain aiohttp and httpx in the same run.

    python -m benchmarks.runtime_client [--calls N] [--rounds N] [--concurrency N]

Each peer posts the same JSON over kept connections to one raw server in a process of its own, and reads status and body
of the answer; a few at a time, as a service does. Peers take turns within each round, so that a busy machine spoils
none alone; what is told is the median of the asking process's processor time over the rounds, for each call. The client
has everything switched on: deadline, retry with its budget, breaker, bulkhead, egress list, credential, trace, key.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import statistics
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from typing import cast

import aiohttp
import httpx
import msgspec
import uvloop

from nines_runtime import Breaker, Bulkhead, Client, Deadline, Retry
from nines_runtime.calls import tracing

CALLS, ROUNDS, CONCURRENCY = 2_000, 5, 8
WARM_UP = 200
OVERHEAD_LIMIT = 1.75
"""So many times plain aiohttp's processor time."""
_BODY = b'{"id":"cap_01","status":"captured","amount_minor":4200}'
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(_BODY) + _BODY
_ASKED = {"amount_minor": 4200, "currency": "EUR", "reference": "order-1"}
_encode = msgspec.json.Encoder().encode

Ask = Callable[[], Awaitable[None]]


class Raw(asyncio.Protocol):
    """Takes each segment for a whole request, which holds for small ones on loopback."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        # The head and the body may come in two segments.
        if self._received.endswith(b"}"):
            self._received = b""
            self._transport.write(ANSWER)


def serve(talk: Connection) -> None:
    async def whole() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Raw, "127.0.0.1", 0)
        talk.send(server.sockets[0].getsockname()[1])
        await loop.run_in_executor(None, talk.recv)
        server.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(whole())


async def spent_us(ask: Ask, calls: int, concurrency: int) -> tuple[float, float]:
    """Processor time and clock time for each call."""
    left = iter(range(calls))

    async def worker() -> None:
        for _ in left:
            await ask()

    processor, clock = time.process_time(), time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return (time.process_time() - processor) / calls * 1e6, (time.perf_counter() - clock) / calls * 1e6


async def measure(port: int, arguments: argparse.Namespace) -> dict[str, tuple[float, float]]:
    url = f"http://127.0.0.1:{port}"
    tracing.trace_parent.set(f"00-{'a' * 32}-{'b' * 16}-00")
    client = Client(
        "gateway",
        url,
        timeout_s=5.0,
        retry=Retry(max=2),
        breaker=Breaker(error_share=0.5, of=20, open_s=15.0),
        bulkhead=Bulkhead(64),
        credential="secret",
    )
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
    async with (
        client,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
        httpx.AsyncClient(timeout=5, limits=limits, trust_env=False) as peer,
    ):

        async def by_client() -> None:
            reply = await client.post(Deadline.after(5), "/v1/captures", _ASKED, verb="capture", key="k1")
            assert reply.body == _BODY

        async def by_aiohttp() -> None:
            headers = {"content-type": "application/json", "authorization": "Bearer secret", "idempotency-key": "k1"}
            async with session.post(f"{url}/v1/captures", data=_encode(_ASKED), headers=headers) as response:
                assert response.status == 200
                assert await response.read() == _BODY

        async def by_httpx() -> None:
            headers = {"content-type": "application/json", "authorization": "Bearer secret", "idempotency-key": "k1"}
            response = await peer.post(f"{url}/v1/captures", content=_encode(_ASKED), headers=headers)
            assert response.status_code == 200
            assert response.content == _BODY

        peers: dict[str, Ask] = {"nines_runtime.Client": by_client, "aiohttp": by_aiohttp, "httpx": by_httpx}
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in peers}
        for ask in peers.values():
            await spent_us(ask, WARM_UP, arguments.concurrency)
        for _ in range(arguments.rounds):
            for name, ask in peers.items():
                found[name].append(await spent_us(ask, arguments.calls, arguments.concurrency))
    return {
        name: (statistics.median(each[0] for each in spent), statistics.median(each[1] for each in spent))
        for name, spent in found.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--concurrency", type=int, default=CONCURRENCY)
    arguments = parser.parse_args()
    here, there = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    server.start()
    try:
        port = here.recv()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            found = runner.run(measure(port, arguments))
    finally:
        here.send(None)
        server.join(5)
        server.kill()
    base = found["aiohttp"][0]
    print(f"{'':24}{'processor µs':>14}{'x aiohttp':>11}{'clock µs':>11}   a call, {arguments.concurrency} at a time")
    for name, (processor, clock) in found.items():
        print(f"{name:24}{processor:14.0f}{processor / base:11.2f}{clock:11.0f}")
    ratio = found["nines_runtime.Client"][0] / base
    print(f"{'holds' if ratio <= OVERHEAD_LIMIT else 'broken'}: {ratio:.2f} x aiohttp, limit {OVERHEAD_LIMIT}")
    raise SystemExit(ratio > OVERHEAD_LIMIT)


if __name__ == "__main__":
    main()

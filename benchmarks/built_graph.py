"""A page of 50 objects with what each refers to: one document, against the same page and 50 reads.

    python -m benchmarks.built_graph [--seconds N] [--users N]

Both are asked of one process of the same built service, in turns, by users who each wait for their answers on one
connection that stays open. The reads of a page are sent one after the other, as a client does that has no graph."""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.built import ROOT, Built
from benchmarks.serving import Served, database, machine, percentile

BLUEPRINT = ROOT / "tests" / "building" / "graph" / "journeys.yaml"
TENANT = "one"
TRIPS, VEHICLES = 50, 50
ROUNDS = 4
QUERY = "{ listTrips(pageSize: 50) { items { id status startsAt metres vehicle { id plate kind status } } } }"
GOAL = 3.0


class Client:
    """One connection that stays open."""

    def __init__(self, token: str) -> None:
        self._head = f"host: 127.0.0.1\r\nauthorization: Bearer {token}\r\n".encode()

    async def open(self, port: int) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port)

    def close(self) -> None:
        self._writer.close()

    async def ask(self, method: str, path: str, body: Any = None, key: str = "") -> Any:
        content = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1\r\n".encode(), self._head]
        if body is not None:
            lines.append(b"content-type: application/json\r\n")
        if key:
            lines.append(f"idempotency-key: {key}\r\n".encode())
        self._writer.write(b"".join([*lines, b"content-length: %d\r\n\r\n" % len(content), content]))
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        size = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        answer = json.loads(await self._reader.readexactly(size))
        if not head.startswith(b"http/1.1 2") or "errors" in answer:
            raise SystemExit(f"{method} {path}: {head.decode()}{answer}")
        return answer


async def fill(client: Client) -> None:
    place = {"latitude_micro": 1, "longitude_micro": 1}
    depot = await client.ask("POST", "/v1/depots", {"name": "North", "place": place}, key="depot")
    driver = await client.ask("POST", "/v1/drivers", {"name": "Ada"}, key="driver")
    for number in range(VEHICLES):
        body = {"plate": f"B-{number}", "depot_id": depot["id"], "kind": "van", "bought_on": "2029-01-02"}
        body |= {"price": "10.50", "tags": [], "spare_driver_ids": []}
        made = await client.ask("POST", "/v1/vehicles", body, key=f"vehicle-{number}")
        trip = {"vehicle_id": made["id"], "driver_id": driver["id"], "starts_at": "2030-01-02T10:00:00Z"}
        await client.ask("POST", "/v1/trips", trip, key=f"trip-{number}")


async def by_graph(client: Client) -> int:
    found = await client.ask("POST", "/graphql", {"query": QUERY})
    return len({each["vehicle"]["id"] for each in found["data"]["listTrips"]["items"]})


async def by_reads(client: Client) -> int:
    page = await client.ask("GET", "/v1/trips?page_size=50")
    return len({(await client.ask("GET", f"/v1/vehicles/{each['vehicle_id']}"))["id"] for each in page["items"]})


async def one(
    service: Served, tokens: list[str], look: Callable[[Client], Awaitable[int]], seconds: float
) -> tuple[list[float], float]:
    """Milliseconds of each look, and milliseconds of the service's processor for each."""
    taken: list[float] = []

    async def user(token: str) -> None:
        client = Client(token)
        await client.open(service.port)
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            begun_s = time.monotonic()
            if await look(client) != TRIPS:
                raise SystemExit("something is missing on the page")
            taken.append((time.monotonic() - begun_s) * 1e3)
        client.close()

    before_s = service.cpu_s()
    await asyncio.gather(*map(user, tokens))
    return taken, (service.cpu_s() - before_s) * 1e3 / len(taken)


async def measure(seconds: float, users: int) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        built = Built("journeys", Path(folder) / "journeys", blueprint=BLUEPRINT)
        tokens = built.tokens(users, TENANT, "dispatcher")
        async with database() as (premises, cluster):
            service = await built.serve(premises, cluster)
            await service.start()
            client = Client(tokens[0])
            await client.open(service.port)
            await fill(client)
            client.close()
            looks: dict[str, Callable[[Client], Awaitable[int]]] = {"one document": by_graph, "51 requests": by_reads}
            found: dict[str, list[tuple[list[float], float]]] = {name: [] for name in looks}
            for _ in range(ROUNDS):
                for name, look in looks.items():
                    found[name].append(await one(service, tokens, look, seconds))
            await service.stop()
    medians, processors = {}, {}
    for name, rounds in found.items():
        taken = [each for times, _ in rounds[1:] for each in times]
        medians[name] = percentile(taken, 50)
        processors[name] = statistics.median(cpu for _, cpu in rounds[1:])
        p95 = percentile(taken, 95)
        print(f"{name}: p50 {medians[name]:.1f} ms, p95 {p95:.1f} ms, {processors[name]:.1f} ms of a processor")
    faster = medians["51 requests"] / medians["one document"]
    cheaper = processors["51 requests"] / processors["one document"]
    print(f"{machine()}; {users} users: {faster:.1f} times as fast, {cheaper:.1f} times less work")
    return faster >= GOAL


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--users", type=int, default=4)
    told = parser.parse_args()
    raise SystemExit(0 if uvloop.run(measure(told.seconds, told.users)) else 1)


if __name__ == "__main__":
    main()

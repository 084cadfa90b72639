"""What the recording proxy adds to a statement: the same `select` directly and through it, in turns, in the same run.

    python -m benchmarks.proxy [--rounds N] [--peer]

Three connections to one embedded PostgreSQL take turns, so that a busy moment of the machine falls on all alike:
direct, through a proxy that passes bytes on unread, and through one that reads and records every statement. The proxies
run in a process of their own, as far from the client as any other proxy. With --peer, HAProxy (mode tcp) stands beside
them where it is installed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import asyncpg
import uvloop

from nines.lab.launch.cleanup import Premises
from nines.lab.launch.installation import choose
from nines.lab.launch.ports import free_port
from nines.lab.launch.postgres import Cluster
from nines.lab.record.postgres import postgres_wires
from nines.lab.record.proxy import Proxy
from nines.lab.record.recorder import Recorder
from nines.lab.record.wire import Wire

BUDGET_MS = 0.3
"""The most that the recording proxy may add to the median."""
WARM_UP = 300
STATEMENT = "select $1::int + 1"


def serve(port: int, talk: Connection) -> None:
    """Runs an unread and a recording proxy until it is told to stop."""

    async def whole() -> None:
        plain = Proxy(dependency="plain", host="127.0.0.1", port=port, recorder=Recorder(), wire=Wire)
        recorder = Recorder()
        reading = Proxy(dependency="reading", host="127.0.0.1", port=port, recorder=recorder, wire=postgres_wires())
        async with plain, reading:
            talk.send((plain.port, reading.port))
            await asyncio.get_running_loop().run_in_executor(None, talk.recv)
            talk.send(recorder.tally("reading").statements)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(whole())


@contextlib.contextmanager
def served(port: int) -> Iterator[tuple[int, int, Connection]]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(port, theirs), daemon=True)
    process.start()
    try:
        plain, reading = ours.recv()
        yield plain, reading, ours
    finally:
        process.join(5)
        process.kill()


@contextlib.asynccontextmanager
async def haproxy(port: int, folder: Path, program: str | None) -> AsyncIterator[dict[str, int]]:
    """HAProxy in TCP mode, the most usual proxy of this kind; nothing without a program."""
    if program is None:
        yield {}
        return
    listen = free_port()
    file = folder / "haproxy.cfg"
    file.write_text(_CONFIGURATION.format(listen=listen, port=port))
    process = await asyncio.create_subprocess_exec(program, "-f", str(file), stderr=asyncio.subprocess.DEVNULL)
    await asyncio.sleep(1.0)
    try:
        yield {"haproxy": listen} if process.returncode is None else {}
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


_CONFIGURATION = """
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen database
  bind 127.0.0.1:{listen}
  server database 127.0.0.1:{port}
"""


async def measure(ports: dict[str, int], user: str, rounds: int) -> dict[str, list[float]]:
    """Milliseconds per statement for each way, in turns."""
    connections: dict[str, Any] = {}
    for name, port in ports.items():
        connection = await asyncpg.connect(host="127.0.0.1", port=port, user=user, database="postgres")
        connections[name] = (connection, await connection.prepare(STATEMENT))
    taken: dict[str, list[float]] = {name: [] for name in ports}
    for number in range(-WARM_UP, rounds):
        for name, (_, statement) in connections.items():
            began_s = time.perf_counter()
            await statement.fetchval(number)
            if number >= 0:
                taken[name].append((time.perf_counter() - began_s) * 1000.0)
    for connection, _ in connections.values():
        await connection.close()
    return taken


def report(taken: dict[str, list[float]], recorded: int) -> None:
    direct = statistics.median(taken["direct"])
    print(f"{'way':<12}{'median ms':>11}{'p99 ms':>9}{'added ms':>10}{'ratio':>7}")
    for name, values in taken.items():
        median, p99 = statistics.median(values), statistics.quantiles(values, n=100)[98]
        print(f"{name:<12}{median:>11.3f}{p99:>9.3f}{median - direct:>10.3f}{median / direct:>7.2f}")
    added = statistics.median(taken["recording"]) - direct
    verdict = "within" if added <= BUDGET_MS else "beyond"
    print(f"\n{recorded} statements recorded; {added:.3f} ms added is {verdict} the {BUDGET_MS} ms that are allowed")


async def main(folder: Path, rounds: int, *, with_peer: bool) -> None:
    premises = Premises(folder)
    premises.open()
    cluster = Cluster(premises, choose(()))
    await cluster.open()
    try:
        with served(cluster.port) as (plain, reading, talk):
            ways = {"direct": cluster.port, "unread": plain, "recording": reading}
            async with haproxy(cluster.port, folder, shutil.which("haproxy") if with_peer else None) as others:
                taken = await measure(ways | others, cluster.user, rounds)
            talk.send("stop")
            report(taken, talk.recv())
    finally:
        await cluster.close()
        premises.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5000)
    parser.add_argument("--peer", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        # The server's own user must be able to walk to its data.
        Path(name).chmod(0o711)
        runner.run(main(Path(name), chosen.rounds, with_peer=chosen.peer))

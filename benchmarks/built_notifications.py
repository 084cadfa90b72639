"""How many notifications a second the built service accepts durably, with database and generator on one machine.

    python -m benchmarks.built_notifications [--rate-hz N] [--seconds N] [--workers N] [--subjects N] [--whole]

An open loop: every request leaves at its intended time, with a key of its own; an answer counts when it is 202, and
what was acknowledged must stand in the tables at the end, once. PostgreSQL runs with fsync and synchronous commit, and
with the settings that the service's dossier advises for its load."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import uvloop

from benchmarks.built import Built
from benchmarks.lean import LeanLoop
from benchmarks.mix import Mix, stands
from benchmarks.serving import Served, Took, cpu_s, database, machine
from nines.lab.launch.postgres import Cluster
from nines.lab.load.request import Request
from nines.model.experiment import Call

RATE_HZ, SECONDS, P95_MS_MAX = 10_000.0, 60.0, 50.0
WHOLE_HZ, WHOLE_P95_MS_MAX = 12_500.0, 150.0
"""The blueprint's peak and budget."""
WARM_S = 5.0
TENANT = "first"
_WIRE = (
    b"POST /v1/%s HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nauthorization: Bearer %s\r\n"
    b"idempotency-key: %s-%010d\r\ncontent-length: %d\r\n\r\n%s"
)
_BODIES = (
    (b"pushes", b'{"device_token":"tok_7f3a9c51e2d04b68","title":"Two books","body":"Your order is on its way."}'),
    (b"pushes", b'{"device_token":"tok_7f3a9c51e2d04b69","title":"A book","body":"Your order has come."}'),
    (b"mails", b'{"recipient":"ada@example.com","subject":"Your order","body":"Your order is on its way."}'),
)
_TABLES = ("pushes", "mails")


def maker(tokens: list[str], run: bytes) -> Callable[[int], Request]:
    credentials = [token.encode() for token in tokens]
    call = Call(operation="send", method="POST", path="/v1/pushes")

    def make(index: int) -> Request:
        path, body = _BODIES[index % len(_BODIES)]
        wire = _WIRE % (path, credentials[index % len(credentials)], run, index, len(body), body)
        return Request(call, wire)

    return make


async def measure(rate_hz: float, seconds: float, workers: int, subjects: int) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        built = Built("notifications", Path(folder) / "notifications")
        tokens = built.tokens(subjects, TENANT, "sender")
        async with database(built.server_settings) as (premises, cluster):
            service = await built.serve(premises, cluster, workers=workers)
            await service.start()
            try:
                await LeanLoop(service.port, rate_hz / 4, WARM_S, maker(tokens, b"warm")).run()
                before = await _count(cluster, built.name)
                cpu_s = service.cpu_s()
                took = await LeanLoop(service.port, rate_hz, seconds, maker(tokens, b"load")).run()
                cpu_s = service.cpu_s() - cpu_s
                kept = await _count(cluster, built.name) - before
            finally:
                await service.stop()
    return _told(took, kept, cpu_s, workers)


async def measure_whole(rate_hz: float, seconds: float, workers: int) -> bool:
    """Every operation of the blueprint with its share, and with the limits that it names."""
    with tempfile.TemporaryDirectory() as folder:
        built = Built("notifications", Path(folder) / "notifications")
        mix = Mix(built)
        async with database(built.server_settings) as (premises, cluster):
            service = await built.serve(premises, cluster, workers=workers, LIMIT_FACTOR="1")
            await service.start()
            try:
                await mix.prepare(service.port, cluster, built.name, int(rate_hz * (seconds + WARM_S)))
                mix.start(b"warm")
                await LeanLoop(service.port, rate_hz / 4, WARM_S, mix.make).run()
                before, spent = await stands(cluster, built.name), _spent_s(service, cluster)
                mix.start(b"load")
                load = LeanLoop(service.port, rate_hz, seconds, mix.make)
                took = await load.run()
                spent = [now - then for now, then in zip(_spent_s(service, cluster), spent, strict=True)]
                kept = await stands(cluster, built.name)
            finally:
                await service.stop()
    told = {name: kept[name] - count for name, count in before.items()}
    return _whole_told(took, load.good, told, spent, workers)


def _spent_s(service: Served, cluster: Cluster) -> list[float]:
    """Processor time of the service, of the database and of this process, which makes the load."""
    assert cluster.process is not None
    return [service.cpu_s(), cpu_s(cluster.process), time.process_time()]


def _whole_told(took: Took, good: Counter[str], kept: dict[str, int], spent: list[float], workers: int) -> bool:
    # What was not answered may stand in the tables or not; what was acknowledged must, and nothing twice.
    is_whole = took.good == took.sent
    lost = {name: (good[name], n) for name, n in kept.items() if good[name] > n or (is_whole and good[name] < n)}
    held = is_whole and not lost and took.percentile_ms(95) < WHOLE_P95_MS_MAX and not took.reason
    print(f"notifications, the whole blueprint, {workers} processes, on {machine()}: {took}")
    print(f"  acknowledged {took.good:,} of {took.sent:,}; of these not in the tables, or twice: {lost or 'none'}")
    each = [1e6 * seconds / max(took.sent, 1) for seconds in spent]
    print(f"  us of a processor for each: service {each[0]:.0f}, database {each[1]:.0f}, generator {each[2]:.0f}")
    print(f"  no error, nothing lost, p95 below {WHOLE_P95_MS_MAX:.0f} ms: {'held' if held else 'MISSED'}")
    return held


async def _count(cluster: Cluster, name: str) -> int:
    counts = [await cluster.execute(name, f"SELECT count(*) FROM {table}") for table in _TABLES]
    return sum(int(rows[0][0]) for rows in counts)


def _told(took: Took, kept: int, cpu_s: float, workers: int) -> bool:
    held = took.good == took.sent == kept and took.percentile_ms(95) < P95_MS_MAX and not took.reason
    print(f"notifications, {workers} processes, on {machine()}: {took}")
    print(f"  acknowledged {took.good:,} of {took.sent:,}; in the tables {kept:,}")
    print(f"  the service took {1e6 * cpu_s / max(took.sent, 1):.0f} us of a processor for each")
    print(f"  no error, nothing lost, p95 below {P95_MS_MAX:.0f} ms: {'held' if held else 'MISSED'}")
    return held


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rate-hz", type=float, help=f"{RATE_HZ:.0f}; {WHOLE_HZ:.0f} of the whole")
    arguments.add_argument("--seconds", type=float, default=SECONDS)
    arguments.add_argument("--workers", type=int, default=1)
    arguments.add_argument("--subjects", type=int, default=32)
    arguments.add_argument("--whole", action="store_true", help="every operation with its share, at the whole peak")
    given = arguments.parse_args()
    if given.whole:
        work = measure_whole(given.rate_hz or WHOLE_HZ, given.seconds, given.workers)
    else:
        work = measure(given.rate_hz or RATE_HZ, given.seconds, given.workers, given.subjects)
    sys.exit(0 if uvloop.run(work) else 1)


if __name__ == "__main__":
    main()

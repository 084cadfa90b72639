"""How many notifications a second the built service accepts durably, with database and generator on one machine.

    python -m benchmarks.built_notifications [--rate-hz N] [--seconds N] [--workers N] [--subjects N]

An open loop: every request leaves at its intended time, with a key of its own; an answer counts when it is 202, and
what was acknowledged must stand in the tables at the end, once. PostgreSQL runs with fsync and synchronous commit, and
with the settings that the service's dossier advises for its load."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import uvloop

from benchmarks.built import Built
from benchmarks.serving import Took, database, machine, open_loop
from nines.lab.launch.postgres import Cluster
from nines.lab.load.request import Request
from nines.model.experiment import Call

RATE_HZ, SECONDS, P95_MS_MAX = 10_000.0, 60.0, 50.0
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
                await open_loop(service.port, rate_hz / 4, WARM_S, maker(tokens, b"warm"))
                before = await _count(cluster, built.name)
                cpu_s = service.cpu_s()
                took = await open_loop(service.port, rate_hz, seconds, maker(tokens, b"load"))
                cpu_s = service.cpu_s() - cpu_s
                kept = await _count(cluster, built.name) - before
            finally:
                await service.stop()
    return _told(took, kept, cpu_s, workers)


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
    arguments.add_argument("--rate-hz", type=float, default=RATE_HZ)
    arguments.add_argument("--seconds", type=float, default=SECONDS)
    arguments.add_argument("--workers", type=int, default=1)
    arguments.add_argument("--subjects", type=int, default=32)
    given = arguments.parse_args()
    sys.exit(0 if uvloop.run(measure(given.rate_hz, given.seconds, given.workers, given.subjects)) else 1)


if __name__ == "__main__":
    main()

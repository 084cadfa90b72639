"""What the load generator costs a request, and whether it tells the truth about a service that freezes.

    python -m benchmarks.load [--rate-hz N] [--seconds N] [--no-frozen]

Cost: the generator sends POSTs with a body of their own, checks status and body of every answer and keeps the record,
the histogram and the windows; the processor time of its whole process is divided by the requests. Its peers in the same
run: wrk (if it is installed; C, a closed loop, one fixed request, no check) and a loop of httpx.
Waking up costs too, and on a virtual machine a lot: what a bare timer of 1 ms takes is printed beside it.

Frozen: a service answers in about 1 ms, but stands still for 2 s of 20 s at 1,000 requests a second. The truth is
computed from the intended times and the recorded freeze; a closed loop (wrk, 10 connections) is shown what it sees.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import multiprocessing
import re
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import cast

import httpx
import uvloop

from nines.lab.load.connection import Address
from nines.lab.load.ending import Ending
from nines.lab.load.generator import OpenLoop
from nines.lab.load.plan import Plan
from nines.lab.load.request import Request, request_of
from nines.model.experiment import Call
from nines.model.history import LoadReport

BUDGET_US = 25.0
"""The most that a request may cost."""
BUDGET_SHARE = 0.10
"""The most that p95 and p99 may be off the truth."""
FROZEN_RATE_HZ, FROZEN_DURATION_S, FREEZE_AT_S, FREEZE_S = 1000.0, 20.0, 8.0, 2.0
ROUNDS = 3
_BODY = b'{"id":"0b0b2c","amount":100,"currency":"EUR","status":"created"}'
_HEAD = (
    b"HTTP/1.1 201 Created\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\nserver: raw\r\ncontent-type: application/json\r\n"
)
ANSWER = _HEAD + b"content-length: %d\r\n\r\n" % len(_BODY) + _BODY


class Raw(asyncio.Protocol):
    """Takes every end of a head for a whole request, so that the service is never the bottleneck."""

    delay_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A uvloop transport is one in all but its class.
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if b"\r\n\r\n" not in data:
            return
        if self.delay_s:
            asyncio.get_running_loop().call_later(self.delay_s, self.transport.write, ANSWER)
        else:
            self.transport.write(ANSWER)


class Slow(Raw):
    """Answers in about a millisecond."""

    delay_s = 0.001


def serve(talk: Connection, protocol: type[Raw]) -> None:
    """A service in its own process; a number on the pipe freezes it for so many seconds, None ends it."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(protocol, "127.0.0.1", 0, backlog=1024)
        ended = loop.create_future()

        def told() -> None:
            duration_s = talk.recv()
            if duration_s is None:
                ended.set_result(None)
                return
            start_s = time.monotonic()
            time.sleep(duration_s)
            talk.send((start_s, time.monotonic()))

        loop.add_reader(talk.fileno(), told)
        talk.send(server.sockets[0].getsockname()[1])
        await ended
        server.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work())


@contextlib.contextmanager
def serving(protocol: type[Raw]) -> Iterator[tuple[int, Connection]]:
    """The port of a fresh service, and the pipe to it."""
    context = multiprocessing.get_context("spawn")
    mine, its = context.Pipe()
    process = context.Process(target=serve, args=(its, protocol), daemon=True)
    process.start()
    try:
        yield mine.recv(), mine
    finally:
        mine.send(None)
        process.join(5)


def payment(index: int) -> Request:
    """A fresh request: its own body, marker and key."""
    marker = f"m{index:08d}"
    body = b'{"amount":100,"currency":"EUR","note":"%s"}' % marker.encode()
    headers = (("content-type", "application/json"), ("idempotency-key", marker))
    call = Call(
        operation="createPayment",
        method="POST",
        path="/payments",
        headers=headers,
        body=body,
        marker=marker,
        key=marker,
    )
    return request_of(call, host="127.0.0.1", credentials=(("authorization", "Bearer 0123456789"),))


async def load_on(port: int, plan: Plan, endings: list[Ending]) -> tuple[LoadReport, OpenLoop]:
    def sink(ending: Ending) -> None:
        assert not ending.status or (ending.status == 201 and b'"created"' in ending.body)
        endings.append(ending)

    load = OpenLoop(plan, Address(host="127.0.0.1", port=port), payment, sink)
    await load.start()
    return await load.finish(), load


async def ticks(seconds: float) -> int:
    """Wakes every millisecond and does nothing."""
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    start_s, count = loop.time(), 0

    def tick() -> None:
        nonlocal count
        count += 1
        if loop.time() - start_s < seconds:
            loop.call_later(0.001, tick)
        else:
            ended.set_result(None)

    tick()
    await ended
    return count


async def httpx_loop(port: int, seconds: float) -> int:
    """Sixteen users of httpx who send as fast as they are answered."""
    count, end_s = 0, time.monotonic() + seconds

    async def user(client: httpx.AsyncClient) -> None:
        nonlocal count
        while time.monotonic() < end_s:
            marker = f"m{count:08d}"
            body = b'{"amount":100,"currency":"EUR","note":"%s"}' % marker.encode()
            headers = {
                "content-type": "application/json",
                "idempotency-key": marker,
                "authorization": "Bearer 0123456789",
            }
            answer = await client.post("/payments", content=body, headers=headers)
            assert answer.status_code == 201
            assert b'"created"' in answer.content
            count += 1

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        await asyncio.gather(*(user(client) for _ in range(16)))
    return count


def cost_us(work: Callable[[], int], who: int = resource.RUSAGE_SELF) -> float:
    """Processor time, user and system, for each of what `work` counts.

    The least of three rounds: what else runs on the machine can only add to it."""
    rounds = []
    for _ in range(ROUNDS):
        before = resource.getrusage(who)
        count = work()
        after = resource.getrusage(who)
        rounds.append(1e6 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime) / max(count, 1))
    return min(rounds)


def wrk(port: int, seconds: float, connections: int) -> str:
    """What wrk prints."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "post.lua")
        body = '{"amount":100,"currency":"EUR","note":"m00000000"}'
        script.write_text(f"wrk.method='POST'\nwrk.body='{body}'\nwrk.headers['Content-Type']='application/json'\n")
        command = ["wrk", "-t1", f"-c{connections}", f"-d{math.ceil(seconds)}s", "--latency", "-s", str(script)]
        done = subprocess.run(
            [*command, f"http://127.0.0.1:{port}/payments"],
            capture_output=True,
            text=True,
            check=True,
            timeout=seconds + 30,
        )
    return done.stdout


def wrk_requests(port: int, seconds: float) -> int:
    found = re.search(r"(\d+) requests in", wrk(port, seconds, 16))
    return int(found[1]) if found else 0


def wrk_percentiles(port: int, seconds: float) -> str:
    lines = re.findall(r"^\s+(\d+)%\s+(\S+)$", wrk(port, seconds, 10), re.MULTILINE)
    return ", ".join(f"p{percent} {value}" for percent, value in lines if percent in {"75", "90", "99"})


def cost(rate_hz: float, seconds: float) -> bool:
    """Prints what a request costs; False when it is too much."""
    reports: list[LoadReport] = []

    def generate(port: int, rate: float) -> int:
        endings: list[Ending] = []
        plan = Plan(rate_hz=rate, duration_s=seconds, keeps_bodies=True)
        report, _ = uvloop.run(load_on(port, plan, endings))
        reports.append(report)
        assert len(endings) == report.sent
        return len(endings)

    with serving(Raw) as (port, _):
        own = cost_us(partial(generate, port, rate_hz))
        gentle = cost_us(partial(generate, port, 1000.0))
        bare = cost_us(lambda: uvloop.run(ticks(seconds)))
        peer = cost_us(lambda: uvloop.run(httpx_loop(port, seconds)))
        c_peer = (
            cost_us(partial(wrk_requests, port, seconds), resource.RUSAGE_CHILDREN) if shutil.which("wrk") else None
        )
    verdict = "kept" if own <= BUDGET_US else "MISSED"
    print(f"processor time a request, at most {BUDGET_US:.0f} us: {verdict}")
    print(f"  nines at {rate_hz:,.0f}/s   {own:6.1f} us")
    print(f"  nines at 1,000/s   {gentle:6.1f} us, where a bare timer of 1 ms takes {bare:.1f} us")
    print(f"  httpx, 16 users    {peer:6.1f} us   {peer / own:5.2f} x nines")
    if c_peer is not None:
        print(f"  wrk -c16           {c_peer:6.1f} us   {c_peer / own:5.2f} x nines; closed loop, no check")
    for report in reports:
        print(f"  sent {report.sent:,}, lag p99 {report.lag_ms_p99:.1f} ms {report.reason}")
    return own <= BUDGET_US


def frozen() -> bool:
    """Prints measured against true percentiles of a service that freezes; False when they are too far apart."""
    endings: list[Ending] = []

    async def measured(port: int, talk: Connection) -> tuple[LoadReport, OpenLoop]:
        asyncio.get_running_loop().call_later(FREEZE_AT_S, talk.send, FREEZE_S)
        return await load_on(
            port, Plan(rate_hz=FROZEN_RATE_HZ, duration_s=FROZEN_DURATION_S, keeps_bodies=True), endings
        )

    with serving(Slow) as (port, talk):
        report, load = uvloop.run(measured(port, talk))
        start_s, end_s = talk.recv()
    waits = sorted(Slow.delay_s + (max(end_s - e.intended_s, 0.0) if e.intended_s >= start_s else 0.0) for e in endings)
    print(f"frozen for {end_s - start_s:.2f} s of {report.duration_s:.1f} s: sent {report.sent:,}")
    kept = not report.is_spoiled
    for percent in (95, 99):
        true_ms = 1000.0 * waits[math.ceil(len(waits) * percent / 100) - 1]
        got_ms = load.tally.percentile_ms(percent)
        kept = kept and abs(got_ms / true_ms - 1.0) <= BUDGET_SHARE
        print(f"  p{percent}   measured {got_ms:7.1f} ms   true {true_ms:7.1f} ms   ratio {got_ms / true_ms:.3f}")
    print(f"  within {BUDGET_SHARE:.0%}: {'kept' if kept else 'MISSED'} {report.reason}")
    if shutil.which("wrk"):
        with serving(Slow) as (port, talk), contextlib.ExitStack() as stack:
            process = multiprocessing.get_context("spawn").Process(target=_freeze_later, args=(talk,), daemon=True)
            process.start()
            stack.callback(process.join, 5)
            print(f"  wrk with 10 connections in the same case: {wrk_percentiles(port, FROZEN_DURATION_S)}")
            talk.recv()
    return kept


def _freeze_later(talk: Connection) -> None:
    time.sleep(FREEZE_AT_S)
    talk.send(FREEZE_S)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rate-hz", type=float, default=8000.0)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--no-frozen", action="store_true")
    options = parser.parse_args()
    kept = cost(options.rate_hz, options.seconds)
    if not options.no_frozen:
        kept = frozen() and kept
    raise SystemExit(0 if kept else 1)


if __name__ == "__main__":
    main()

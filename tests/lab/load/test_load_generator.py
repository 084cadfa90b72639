from __future__ import annotations

import asyncio
import math
import socket
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import pytest
import uvloop

from nines.lab.load.client import Client
from nines.lab.load.connection import Address
from nines.lab.load.ending import Ending, exchange_of_ending
from nines.lab.load.generator import OpenLoop, background, run
from nines.lab.load.plan import Plan, plan_of
from nines.model.experiment import Load
from nines.model.history import LoadReport, Outcome
from tests.lab.load.servers import OK, Script, answering, closed_port, read_request, request, resetting, serving

T = TypeVar("T")
REQUEST = request("POST", "/pay", body=b'{"a": 1}', operation="pay", key="k")


def plan(rate_hz: float = 200, duration_s: float = 0.3, *, timeout_s: float = 10.0, **more: Any) -> Plan:
    return Plan(rate_hz=rate_hz, duration_s=duration_s, timeout_s=timeout_s, **more)


def running(work: Coroutine[Any, Any, T]) -> T:
    return uvloop.run(asyncio.wait_for(work, 60))


def loaded(script: Script, orders: Plan) -> tuple[LoadReport, list[Ending]]:
    endings: list[Ending] = []

    async def work() -> LoadReport:
        async with serving(script) as address:
            return await run(orders, address, lambda index: REQUEST, endings.append)

    return running(work()), endings


@contextmanager
def threaded(serve: Any) -> Iterator[int]:
    """A service in a thread of its own, blocking sockets and all."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        listener.settimeout(20)
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1]


def test_every_request_leaves_and_ends() -> None:
    report, endings = loaded(answering(OK), plan(keeps_bodies=True))
    assert (report.sent, report.not_sent, len(endings)) == (60, 0, 60)
    assert {(ending.status, ending.body, ending.error) for ending in endings} == {(200, b"hi", "")}
    intended = sorted(ending.intended_s for ending in endings)
    assert all(ending.intended_s <= ending.sent_s <= ending.ended_s for ending in endings)
    assert math.isclose(intended[-1] - intended[0], 59 / 200, abs_tol=1e-6)


def test_bodies_are_not_kept_unless_asked_for() -> None:
    _, endings = loaded(answering(OK), plan())
    assert {ending.body for ending in endings} == {b""}


def test_requests_do_not_wait_for_answers() -> None:
    _, endings = loaded(answering(OK, delay_s=0.5), plan(100, 0.3))
    first_end = min(ending.ended_s for ending in endings)
    assert max(ending.sent_s for ending in endings) < first_end
    assert all(ending.latency_s >= 0.49 for ending in endings)


def test_without_a_free_connection_latency_still_counts_from_the_intended_time() -> None:
    report, endings = loaded(answering(OK, delay_s=0.05), plan(100, 0.4, connections_max=2))
    assert len(endings) == 40
    # Two connections serve 40 a second, so that the last of 40 requests waits about 0.6 s.
    assert max(ending.latency_s for ending in endings) > 0.4
    assert max(ending.ended_s - ending.sent_s for ending in endings) < 0.4
    assert not report.not_sent


def test_connections_grow_only_to_their_limit() -> None:
    open_now, most = 0, 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        try:
            await answering(OK, 0.05)(reader, writer)
        finally:
            open_now -= 1

    _, endings = loaded(script, plan(400, 0.3, connections_max=5))
    assert len(endings) == 120
    assert most == 5


def test_connections_are_used_again() -> None:
    connections = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await answering(OK)(reader, writer)

    _, endings = loaded(script, plan(200, 0.5, connections_warm=2))
    assert len(endings) == 100
    assert connections < 50


def test_a_service_that_closes_after_every_answer_loses_nothing() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK.replace(b"content", b"connection: close\r\ncontent"))

    _, endings = loaded(script, plan())
    assert [ending.error for ending in endings] == [""] * 60


def test_refused_requests_failed() -> None:
    endings: list[Ending] = []
    address = Address(host="127.0.0.1", port=closed_port())
    report = running(run(plan(), address, lambda index: REQUEST, endings.append))
    assert {(ending.error, ending.outcome) for ending in endings} == {("refused", Outcome.FAILED)}
    assert (len(endings), report.sent) == (60, 0)


def test_resets_and_garbage_are_indefinite() -> None:
    _, endings = loaded(resetting(b"HTTP/1.1 200"), plan())
    assert {(ending.error, ending.outcome) for ending in endings} == {("reset", Outcome.INDEFINITE)}
    _, endings = loaded(answering(b"what?\r\n\r\n"), plan())
    assert {(ending.error, ending.outcome) for ending in endings} == {("protocol", Outcome.INDEFINITE)}


def test_timeouts_count_from_the_intended_time_and_tell_sent_from_unsent() -> None:
    _, endings = loaded(answering(OK, delay_s=30), plan(100, 0.3, timeout_s=0.3, connections_max=3))
    assert len(endings) == 30
    assert {ending.error for ending in endings} == {"timeout"}
    assert all(ending.latency_s >= 0.3 for ending in endings)
    sent = [ending for ending in endings if ending.was_sent]
    assert {ending.outcome for ending in sent} == {Outcome.INDEFINITE}
    assert {ending.outcome for ending in endings if not ending.was_sent} == {Outcome.FAILED}
    assert 3 <= len(sent) < 30


def test_beyond_the_outstanding_limit_requests_are_left_out_and_the_report_says_so() -> None:
    report, endings = loaded(answering(OK, delay_s=0.6), plan(100, 0.4, outstanding_max=10))
    assert (report.sent, report.not_sent, len(endings)) == (10, 30, 10)
    assert report.is_spoiled
    assert "30 requests were not sent" in report.reason


def test_a_generator_that_stood_still_voids_its_load() -> None:
    async def work() -> LoadReport:
        async with serving(answering(OK)) as address:
            load = OpenLoop(plan(100, 0.6), address, lambda index: REQUEST, lambda ending: None)
            await load.start()
            time.sleep(0.3)  # noqa: ASYNC251 - this is the stall.
            return await load.finish()

    report = running(work())
    assert report.is_spoiled
    assert report.lag_ms_p99 > 100
    assert "late" in report.reason


def test_an_idle_loop_that_stalls_is_noticed_between_two_requests() -> None:
    async def work() -> LoadReport:
        async with serving(answering(OK)) as address:
            load = OpenLoop(plan(1, 2.5), address, lambda index: REQUEST, lambda ending: None)
            await load.start()
            await asyncio.sleep(0.1)
            time.sleep(0.5)  # noqa: ASYNC251 - this is the stall.
            return await load.finish()

    report = running(work())
    assert report.is_spoiled
    assert "stood still" in report.reason


@pytest.mark.parametrize("culprit", ["request", "sink"])
def test_what_the_caller_raises_reaches_the_caller(culprit: str) -> None:
    def next_request(index: int) -> Any:
        if culprit == "request" and index == 3:
            raise ValueError("mine")
        return REQUEST

    def sink(ending: Ending) -> None:
        if culprit == "sink":
            raise ValueError("mine")

    async def work() -> None:
        async with serving(answering(OK)) as address:
            await run(plan(), address, next_request, sink)

    with pytest.raises(ValueError, match="mine"):
        running(work())


def test_background_stops_early_and_waits_for_what_is_in_flight() -> None:
    endings: list[Ending] = []

    async def work() -> LoadReport:
        async with serving(answering(OK, delay_s=0.2)) as address:
            async with background(plan(100, 60.0), address, lambda index: REQUEST, endings.append) as load:
                await asyncio.sleep(0.3)
            return load.report()

    report = running(work())
    assert report.sent == len(endings) < 200
    assert {ending.status for ending in endings} == {200}
    assert report.duration_s < 30


def test_a_cancelled_load_ends() -> None:
    async def work() -> None:
        async with serving(answering(OK)) as address:
            task = asyncio.create_task(run(plan(100, 60.0), address, lambda index: REQUEST, lambda ending: None))
            await asyncio.sleep(0.2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    running(work())


def test_a_block_that_is_cancelled_does_not_wait_for_a_service_that_hangs() -> None:
    ended: list[float] = []

    async def hold(address: Address) -> None:
        async with background(plan(50, 60.0), address, lambda index: REQUEST, lambda ending: None):
            await asyncio.sleep(3600)

    async def work() -> None:
        async with serving(answering(OK, delay_s=3600.0)) as address:
            task = asyncio.create_task(hold(address))
            await asyncio.sleep(0.3)
            task.cancel()
            begun_s = time.monotonic()
            with pytest.raises(asyncio.CancelledError):
                await task
            ended.append(time.monotonic() - begun_s)

    running(work())
    assert ended[0] < 5.0


def test_a_restarted_service_is_found_again() -> None:
    endings: list[Ending] = []

    async def work() -> None:
        async with serving(answering(OK)) as address:
            load = OpenLoop(plan(100, 1.2), address, lambda index: REQUEST, endings.append)
            await load.start()
            await asyncio.sleep(0.3)
        await asyncio.sleep(0.3)

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await answering(OK)(reader, writer)
            except EOFError:
                writer.close()

        server = await asyncio.start_server(connected, "127.0.0.1", address.port)
        await load.finish()
        server.close()

    running(work())
    assert len(endings) == 120
    ordered = sorted(endings, key=lambda ending: ending.intended_s)
    assert ordered[0].status == ordered[-1].status == 200
    assert any(ending.error == "refused" for ending in ordered[20:80])


def test_a_close_that_only_the_socket_knows_of_is_noticed_before_sending() -> None:
    def serve(listener: socket.socket) -> None:
        for _ in range(4):
            connection, _ = listener.accept()
            connection.recv(65_536)
            connection.sendall(OK)
            connection.close()

    async def work() -> list[str]:
        errors = []
        async with Client(Address(host="127.0.0.1", port=port)) as client:
            for _ in range(4):
                errors.append((await client.send(REQUEST)).error)
                time.sleep(0.05)  # noqa: ASYNC251 - the close arrives while the loop does not look.
        return errors

    with threaded(serve) as port:
        assert running(work()) == [""] * 4


def frozen_truth(intended: list[float], freeze: tuple[float, float], percent: float) -> float:
    """The latency that a service which answers at once, except while it is frozen, has at this percentile."""
    latencies = sorted(max(freeze[1] - at, 0.0) if at >= freeze[0] else 0.0 for at in intended)
    return latencies[math.ceil(len(latencies) * percent / 100) - 1]


class Freezing(asyncio.Protocol):
    """Answers at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A uvloop transport is one in all but its class.
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.transport.write(OK * data.count(b"\r\n\r\n"))


def frozen_load() -> tuple[LoadReport, float, float, float, float]:
    """Measured and true p95 and p99 of a service that freezes for 0.4 s of 4 s at 500 requests a second."""
    freeze: list[float] = []

    def stand_still() -> None:
        freeze.append(time.monotonic())
        time.sleep(0.4)
        freeze.append(time.monotonic())

    def serve(listener: socket.socket) -> None:
        async def work() -> None:
            server = await asyncio.get_running_loop().create_server(Freezing, sock=listener)
            asyncio.get_running_loop().call_later(1.5, stand_still)
            await asyncio.sleep(6)
            server.close()

        uvloop.run(work())

    endings: list[Ending] = []

    async def work(port: int) -> tuple[LoadReport, float, float]:
        load = OpenLoop(plan(500, 4.0), Address(host="127.0.0.1", port=port), lambda index: REQUEST, endings.append)
        await load.start()
        report = await load.finish()
        return report, load.tally.percentile_ms(95) / 1000, load.tally.percentile_ms(99) / 1000

    with threaded(serve) as port:
        report, p95, p99 = running(work(port))
    assert {ending.status for ending in endings} == {200}
    intended = [ending.intended_s for ending in endings]
    start, end = freeze
    return report, p95, p99, frozen_truth(intended, (start, end), 95), frozen_truth(intended, (start, end), 99)


def test_a_frozen_service_is_measured_as_its_users_feel_it() -> None:
    for _ in range(3):
        report, p95, p99, true_p95, true_p99 = frozen_load()
        if not report.is_spoiled and abs(p95 / true_p95 - 1) < 0.2 and abs(p99 / true_p99 - 1) < 0.2:
            break
    else:
        pytest.fail(f"p95 {p95:.3f} s for {true_p95:.3f} s, p99 {p99:.3f} s for {true_p99:.3f} s; {report.reason}")
    assert 0.1 < true_p95 < 0.4


def test_windows_count_by_the_second_in_which_requests_were_due() -> None:
    async def work() -> OpenLoop:
        async with serving(answering(OK)) as address:
            load = OpenLoop(plan(20, 2.0), address, lambda index: REQUEST, lambda ending: None)
            await load.start()
            await load.finish()
            return load

    windows = running(work()).tally.windows()
    assert [(window.start_s, window.ok, window.failed) for window in windows] == [(0.0, 20, 0), (1.0, 20, 0)]
    assert all(0 < window.latency_ms_mean <= window.latency_ms_max for window in windows)


def test_an_ending_becomes_an_exchange_on_the_experiments_clock() -> None:
    ending = Ending(REQUEST, 503, "", True, 101.0, 101.5, 102.0, b"\xff", b"text/plain")
    exchange = exchange_of_ending(ending, origin_s=100.0, phase="fault")
    assert (exchange.operation, exchange.key, exchange.phase) == ("pay", "k", "fault")
    assert (exchange.status, exchange.outcome, exchange.latency_ms) == (503, Outcome.INDEFINITE, 1000.0)
    assert (exchange.intended_s, exchange.sent_s, exchange.ended_s) == (1.0, 1.5, 2.0)
    assert (exchange.body, exchange.media_type) == ("\ufffd", "text/plain")


def test_the_models_load_becomes_a_plan() -> None:
    orders = plan_of(
        Load(rate_hz=10, duration_s=2, shares=(), timeout_s=3, keeps_bodies=True), connections_max=7, seed=5
    )
    assert (orders.rate_hz, orders.timeout_s, orders.keeps_bodies, orders.connections_max, orders.seed) == (
        10,
        3,
        True,
        7,
        5,
    )

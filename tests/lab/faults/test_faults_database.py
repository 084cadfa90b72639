"""Every kind of fault at a real PostgreSQL, for open and for new connections, and the healing after it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from nines.lab.faults import interfere
from nines.lab.record.events import StatementSeen
from nines.model.errors import LabError
from nines.model.experiment import Fault, FaultKind
from tests.lab.record.bench import Proxied, Server, proxied, run, until

pytestmark = pytest.mark.lab

LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


def fault(kind: FaultKind, **values: Any) -> Fault:
    return Fault(kind=kind, dependency="database", **values)


async def attempt(bench: Proxied, statement: str = "select 1") -> str:
    """A statement on a new connection: "ok", or the error's name."""
    try:
        connection = await bench.asyncpg(timeout=5)
    except (*LOST, TimeoutError) as error:
        return f"connect {type(error).__name__}"
    try:
        await connection.execute(statement)
    except LOST as error:
        return type(error).__name__
    finally:
        connection.terminate()
    return "ok"


def test_a_delay_is_added_to_every_answer(server: Server) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            connection = await bench.asyncpg()
            began_s = time.monotonic()
            async with interfere(bench.proxy, fault(FaultKind.DELAY, amount_s=0.15)) as interference:
                assert await connection.fetchval("select 1") == 1
                delayed_s = time.monotonic() - began_s
                assert await attempt(bench) == "ok"
            assert delayed_s >= 0.15
            acted = interference.acted
            assert acted > 0
            assert await connection.fetchval("select 2") == 2
            assert interference.acted == acted
            await connection.close()

    run(scenario())


def test_stalled_bytes_flow_on_when_it_heals(server: Server) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            connection = await bench.asyncpg()
            async with interfere(bench.proxy, fault(FaultKind.STALL)) as interference:
                old = asyncio.create_task(connection.execute("select 7"))
                new = asyncio.create_task(attempt(bench))
                await asyncio.sleep(0.2)
                assert not old.done()
                assert not new.done()
                await until(lambda: bench.proxy.open_connections == 2)
                assert bench.texts() == []
                assert interference.acted > 0
            assert await old == "SELECT 1"
            assert await new == "ok"
            assert bench.statements()[0].ended_s - bench.statements()[0].started_s >= 0.15
            await connection.close()

    run(scenario())


def test_a_stalled_statement_happens_even_when_its_client_has_left(server: Server) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            control = await bench.asyncpg()
            await control.execute("drop table if exists late; create table late (a int)")
            leaving = await bench.asyncpg()
            async with interfere(bench.proxy, fault(FaultKind.STALL)):
                task = asyncio.create_task(leaving.execute("insert into late values (1)"))
                await until(lambda: not bench.proxy.is_idle)
                task.cancel()
                leaving.terminate()
                await asyncio.sleep(0.05)
            async with asyncio.timeout(20):
                while await control.fetchval("select count(*) from late") == 0:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            assert await control.fetchval("select count(*) from late") == 1
            await control.execute("drop table late")
            await control.close()
            await asyncio.gather(task, return_exceptions=True)

    run(scenario())


@pytest.mark.parametrize(
    ("kind", "refusal"),
    [(FaultKind.RESET, "connect ConnectionResetError"), (FaultKind.REFUSE, "connect ConnectionRefusedError")],
)
def test_open_connections_end_and_new_ones_fail_until_it_heals(server: Server, kind: FaultKind, refusal: str) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            for _ in range(3):
                connection = await bench.asyncpg()
                async with interfere(bench.proxy, fault(kind)) as interference:
                    with pytest.raises(LOST):
                        await connection.fetchval("select 1")
                    assert connection.is_closed()
                    assert await attempt(bench) == refusal
                    assert await attempt(bench) == refusal
                    assert bench.proxy.open_connections == 0
                    assert interference.acted >= 1
                assert await attempt(bench) == "ok"

    run(scenario())


def test_a_reset_is_a_reset_and_no_orderly_end(server: Server) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            reader, writer = await asyncio.open_connection("127.0.0.1", bench.proxy.port)
            await until(lambda: bench.proxy.open_connections == 1)
            async with interfere(bench.proxy, fault(FaultKind.RESET)):
                with pytest.raises(ConnectionResetError):
                    await reader.read()
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", bench.proxy.port)
            await until(lambda: bench.proxy.open_connections == 1)
            async with interfere(bench.proxy, fault(FaultKind.REFUSE)):
                assert await reader.read() == b""
            writer.close()

    run(scenario())


async def write_within_a_transaction(connection: Any) -> None:
    async with connection.transaction():
        await connection.execute("insert into cut values ($1)", 1)
        assert await connection.fetchval("select count(*) from cut") == 1


async def write_alone(connection: Any) -> None:
    await connection.execute("insert into cut values ($1)", 1)


@pytest.mark.parametrize("write", [write_within_a_transaction, write_alone])
def test_a_commit_whose_answer_is_cut_has_happened(server: Server, write: Callable[[Any], Awaitable[None]]) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            control = await bench.asyncpg()
            await control.execute("drop table if exists cut; create table cut (a int)")
            connection = await bench.asyncpg()
            async with interfere(bench.proxy, fault(FaultKind.CUT_REPLY)) as interference:
                # Reads, and what is not yet committed, pass: else nothing would ever come as far as its commit.
                assert await connection.fetchval("select 1 from cut for update") is None
                with pytest.raises(LOST):
                    await write(connection)
                assert connection.is_closed()
                assert interference.acted == 1
            assert await control.fetchval("select count(*) from cut") == 1
            await control.execute("drop table cut")
            await control.close()

    run(scenario())


def test_what_changed_nothing_is_not_cut(server: Server) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            connection = await bench.asyncpg()
            await connection.execute("create temp table cut (a int)")
            async with interfere(bench.proxy, fault(FaultKind.CUT_REPLY)) as interference:
                transaction = connection.transaction()
                await transaction.start()
                await connection.execute("insert into cut values (1)")
                await transaction.rollback()
                with pytest.raises(asyncpg.UndefinedTableError):
                    await connection.execute("insert into nowhere values (1)")
                async with connection.transaction():
                    assert await connection.fetchval("select count(*) from cut") == 0
                assert interference.acted == 0
            await connection.close()

    run(scenario())


def test_a_limit_holds_the_throughput(server: Server) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            connection = await bench.asyncpg()
            size, rate = 60_000, 100_000
            began_s = time.monotonic()
            async with interfere(bench.proxy, fault(FaultKind.LIMIT, bytes_per_s=rate)) as interference:
                assert len(await connection.fetchval("select repeat('x', $1)", size)) == size
            assert time.monotonic() - began_s >= 0.8 * size / rate
            acted = interference.acted
            assert len(await connection.fetchval("select repeat('x', $1)", size)) == size
            assert interference.acted == acted
            await connection.close()

    run(scenario())


def test_errors_in_the_words_of_the_protocol(server: Server) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            connection = await bench.asyncpg()
            async with interfere(bench.proxy, fault(FaultKind.ERROR)) as interference:
                with pytest.raises(asyncpg.ConnectionDoesNotExistError) as caught:
                    await connection.fetchval("select $1::int", 1)
                assert isinstance(caught.value.__cause__, asyncpg.AdminShutdownError)
                assert connection.is_closed()
                assert await attempt(bench) == "connect TooManyConnectionsError"
                assert interference.acted == 2
            assert await attempt(bench) == "ok"
            errors = [e.error for e in bench.recorder.window(0.0) if isinstance(e, StatementSeen)]
            assert errors == ["57P01", ""]

    run(scenario())


def test_faults_add_up_and_heal_one_by_one(server: Server) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            connection = await bench.asyncpg()
            async with interfere(bench.proxy, fault(FaultKind.DELAY, amount_s=0.05)):
                async with interfere(bench.proxy, fault(FaultKind.STALL)):
                    task = asyncio.create_task(connection.fetchval("select 1"))
                    await asyncio.sleep(0.1)
                    assert not task.done()
                assert await task == 1
            assert bench.proxy.interferences == ()
            await connection.close()

    run(scenario())


def test_a_dependency_that_dies_and_comes_back(server: Server) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            bench.proxy.retarget("127.0.0.1", 1)
            assert (await attempt(bench)).startswith("connect Connection")
            assert bench.recorder.tally("database").failed == 1
            bench.proxy.retarget(server.host, server.port)
            assert await attempt(bench) == "ok"

    run(scenario())


@pytest.mark.parametrize(
    "wrong",
    [
        fault(FaultKind.DELAY),
        fault(FaultKind.DELAY, amount_s=float("nan")),
        fault(FaultKind.LIMIT, bytes_per_s=-1),
        fault(FaultKind.ERROR, status=200),
        Fault(kind=FaultKind.STALL, dependency="redis"),
    ],
)
def test_a_fault_that_cannot_be_meant_is_one_clear_error(server: Server, wrong: Fault) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            with pytest.raises(LabError):
                interfere(bench.proxy, wrong)
            assert await attempt(bench) == "ok"

    run(scenario())

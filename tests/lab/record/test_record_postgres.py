"""Real drivers through the PostgreSQL proxy: what they did is what was recorded."""

from __future__ import annotations

import asyncio
import struct

import asyncpg
import psycopg
import pytest

from nines.lab.record.observe import observe
from nines.lab.record.settle import settled
from nines.model.statement import Statement
from tests.lab.record.bench import Server, proxied, run, until

pytestmark = pytest.mark.lab


def test_a_transaction_of_asyncpg(server: Server) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            connection = await bench.asyncpg()
            async with connection.transaction():
                await connection.execute("create temp table item (id int primary key, name text)")
                await connection.execute("insert into item select $1 + n, $2 from generate_series(1, 3) n", 10, "x")
                assert len(await connection.fetch("select id from item where name = $1", "x")) == 3
            await connection.execute("update item set name = 'y' where id = 11")
            await connection.close()
            seen = bench.statements()
            assert [(s.tag, s.before, s.after, s.parameters, s.rows) for s in seen] == [
                ("BEGIN", "I", "T", 0, None),
                ("CREATE TABLE", "T", "T", 0, None),
                ("INSERT", "T", "T", 2, 3),
                ("SELECT", "T", "T", 1, 3),
                ("COMMIT", "T", "I", 0, None),
                ("UPDATE", "I", "I", 0, 1),
            ]
            assert seen[3].text == "select id from item where name = $1"
            assert all(s.started_s <= s.ended_s for s in seen)
            assert [s.is_simple for s in seen] == [True, True, False, False, True, True]

    run(scenario())


def test_errors_carry_their_sqlstate(server: Server) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            connection = await bench.asyncpg()
            with pytest.raises(asyncpg.UndefinedTableError):
                await connection.fetch("select * from nowhere where id = $1", 1)
            await connection.execute("begin")
            with pytest.raises(asyncpg.DivisionByZeroError):
                await connection.fetch("select 1 / $1::int", 0)
            with pytest.raises(asyncpg.InFailedSQLTransactionError):
                await connection.execute("select 2")
            await connection.execute("rollback")
            await connection.close()
            assert [(s.error, s.before, s.after) for s in bench.statements()] == [
                ("42P01", "I", "I"),
                ("", "I", "T"),
                ("22012", "T", "E"),
                ("25P02", "E", "E"),
                ("", "E", "I"),
            ]
            assert "nowhere" in bench.statements()[0].message
            assert bench.recorder.tally("database").errors == 3

    run(scenario())


def test_several_statements_in_one_simple_query(server: Server) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            connection = await bench.asyncpg()
            text = "begin; select ';' as \"a;b\" /* ; */; -- ;\n update pg_temp.t set a = $$;$$; commit"
            await connection.execute("create temp table t (a text); insert into t values ('x'), ('y')")
            await connection.execute(text)
            await connection.close()
            assert [(s.tag, s.before, s.after, s.rows) for s in bench.statements()] == [
                ("CREATE TABLE", "I", "I", None),
                ("INSERT", "I", "I", 2),
                ("BEGIN", "I", "T", None),
                ("SELECT", "T", "T", 1),
                ("UPDATE", "T", "T", 2),
                ("COMMIT", "T", "I", None),
            ]
            assert bench.texts()[3].startswith("select ';'")
            assert bench.texts()[4].endswith("$$;$$")

    run(scenario())


def test_psycopg_prepares_pipelines_and_copies(server: Server) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            connection = await bench.psycopg()
            await connection.execute("create temp table t (a int)")
            for number in range(7):
                await connection.execute("insert into t values (%s)", (number,))
            async with connection.pipeline():
                await connection.execute("select a from t where a = %s", (1,))
                await connection.execute("select a from t where a = %s", (2,))
            cursor = connection.cursor()
            async with cursor.copy("copy t from stdin") as copy:
                for number in range(100):
                    await copy.write_row((number,))
            async with cursor.copy("copy t to stdout") as copy:
                assert len([row async for row in copy.rows()]) == 107
            await connection.execute("select 1")
            await connection.commit()
            await connection.close()
            seen = bench.statements()
            tags = [(s.tag, s.rows, s.before, s.after) for s in seen]
            assert tags[0] == ("BEGIN", None, "I", "T")
            assert tags[2:9] == [("INSERT", 1, "T", "T")] * 7
            assert tags[9:] == [
                ("SELECT", 1, "T", "T"),
                ("SELECT", 1, "T", "T"),
                ("COPY", 100, "T", "T"),
                ("COPY", 107, "T", "T"),
                ("SELECT", 1, "T", "T"),
                ("COMMIT", None, "T", "I"),
            ]
            assert seen[9].batch == seen[10].batch
            assert {s.text for s in seen[2:9]} == {"insert into t values ($1)"}
            assert all(s.parameters == 1 for s in seen[2:9])

    run(scenario())


def test_many_inserts_of_one_executemany_share_a_batch(server: Server) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            connection = await bench.asyncpg()
            await connection.execute("create temp table t (a int)")
            await connection.executemany("insert into t values ($1)", [(n,) for n in range(50)])
            await connection.close()
            inserts = [s for s in bench.statements() if s.tag == "INSERT"]
            assert len(inserts) == 50
            assert len({s.batch for s in inserts}) == 1

    run(scenario())


def test_cursors_notices_and_notifications(server: Server) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            connection = await bench.asyncpg()
            heard: asyncio.Queue[str] = asyncio.Queue()
            await connection.add_listener("news", lambda *words: heard.put_nowait(words[-1]))
            await connection.execute("do $$ begin raise notice 'so;'; end $$")
            async with connection.transaction():
                rows = [row async for row in connection.cursor("select n from generate_series(1, 120) n", prefetch=50)]
            await connection.execute("notify news, 'hello'")
            assert await heard.get() == "hello"
            await connection.close()
            assert len(rows) == 120
            parts = [s.rows for s in bench.statements() if "generate_series" in s.text]
            assert parts == [50, 50, 20]
            assert "NOTIFY" in [s.tag for s in bench.statements()]
            assert bench.recorder.tally("database").unreadable == 0

    run(scenario())


def test_enormous_messages_pass_and_are_not_kept(server: Server) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            connection = await bench.asyncpg()
            size = 8_000_000
            assert await connection.fetchval("select length($1::text)", "x" * size) == size
            answer = await connection.fetchval("select repeat('y', $1)", size)
            literal = await connection.fetchval("select length('" + "z" * size + "')")
            await connection.close()
            assert (len(answer), literal) == (size, size)
            assert max(len(text) for text in bench.texts()) <= 16_000
            assert [s.rows for s in bench.statements()] == [1, 1, 1]

    run(scenario())


def test_an_open_transaction_that_ends_with_its_connection(server: Server) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            connection = await bench.asyncpg()
            await connection.execute("begin")
            await connection.close()
            await until(bench.ended)
            assert [(e.status, e.error) for e in bench.ended()] == [("T", "")]

    run(scenario())


def test_a_refused_login_is_an_error_of_the_connection(server: Server) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            with pytest.raises(psycopg.OperationalError, match="does not exist"):
                await psycopg.AsyncConnection.connect(
                    f"host=127.0.0.1 port={bench.proxy.port} user=nobody dbname=postgres"
                )
            await until(bench.ended)
            assert [e.error for e in bench.ended()] == ["28000"]
            assert bench.statements() == []

    run(scenario())


def test_a_cancel_request_reaches_the_server(server: Server) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            connection = await bench.asyncpg()
            with pytest.raises(asyncio.TimeoutError):
                await connection.fetch("select pg_sleep(30)", timeout=0.2)
            assert await connection.fetchval("select 1") == 1
            await connection.close()
            assert [s.error for s in bench.statements()] == ["57014", ""]
            assert bench.recorder.tally("database").unreadable == 0

    run(scenario())


def test_a_client_that_insists_on_tls_is_passed_through_unread(server: Server) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            for _ in range(3):
                with pytest.raises(psycopg.OperationalError, match="SSL"):
                    await bench.psycopg(sslmode="require")
                await until(lambda: bench.proxy.open_connections == 0)
            assert bench.recorder.tally("database").unreadable == 1
            assert "TLS" in bench.recorder.blind()[0][1]
            # A client that only prefers it goes on to be read.
            connection = await bench.psycopg(sslmode="disable", autocommit=True)
            await connection.execute("select 1")
            await connection.close()
            assert bench.texts() == ["select 1"]

    run(scenario())


def test_an_aborted_pipeline_records_what_was_executed(server: Server) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            connection = await bench.psycopg(autocommit=True)
            with pytest.raises(psycopg.errors.DivisionByZero):
                await abort_a_pipeline(connection)
            await connection.execute("select 3")
            await connection.close()
            assert [(s.text, s.error, s.after) for s in bench.statements()] == [
                ("select 1", "", "I"),
                ("select 1 / 0", "22012", "I"),
                ("select 3", "", "I"),
            ]

    run(scenario())


async def abort_a_pipeline(connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
    async with connection.pipeline():
        await connection.execute("select 1")
        await connection.execute("select 1 / 0")
        await connection.execute("select 2")


def test_a_commit_that_fails_has_rolled_back(server: Server) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            connection = await bench.asyncpg()
            await connection.execute("create temp table once (a int unique deferrable initially deferred)")
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute("insert into once values (1), (1)")
            with pytest.raises(asyncpg.UniqueViolationError):
                await transaction.commit()
            with pytest.raises(asyncpg.UniqueViolationError):
                await connection.execute("insert into once values ($1), ($1)", 2)
            await connection.close()
            seen = bench.statements()
            assert [(s.text.split()[0], s.error, s.before, s.after) for s in seen][1:] == [
                ("BEGIN", "", "I", "T"),
                ("insert", "", "T", "T"),
                ("COMMIT", "23505", "T", "I"),
                ("insert", "23505", "I", "I"),
            ]
            trace = observe(seen, lambda text: Statement(), endpoint="x", began_s=0.0)
            assert [effect.kind.value for effect in trace.effects] == [
                "database_write",
                "begin",
                "database_write",
                "rollback",
                "database_write",
            ]
            assert trace.effects[3].error.startswith("23505")

    run(scenario())


def test_savepoints_chains_and_copies_of_asyncpg(server: Server) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            connection = await bench.asyncpg()
            await connection.execute("create temp table t (a int, b text)")
            async with connection.transaction():
                inner = connection.transaction()
                await inner.start()
                await connection.copy_records_to_table("t", records=[(n, "x") for n in range(1000)])
                await inner.rollback()
                assert await connection.fetchval("select count(*) from t") == 0
            await connection.execute(
                "begin; insert into t values (1); commit and chain; insert into t values (2); commit"
            )
            await connection.close()
            seen = bench.statements()[1:]
            assert [(s.tag, s.rows, s.after) for s in seen] == [
                ("BEGIN", None, "T"),
                ("SAVEPOINT", None, "T"),
                ("COPY", 1000, "T"),
                ("ROLLBACK", None, "T"),
                ("SELECT", 1, "T"),
                ("COMMIT", None, "I"),
                ("BEGIN", None, "T"),
                ("INSERT", 1, "T"),
                ("COMMIT", None, "T"),
                ("INSERT", 1, "T"),
                ("COMMIT", None, "I"),
            ]

    run(scenario())


def test_silence_is_waited_for(server: Server) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            connection = await bench.asyncpg()
            task = asyncio.create_task(connection.execute("select pg_sleep(0.3)"))
            await until(lambda: not bench.proxy.is_idle)
            assert not await settled(bench.recorder, [bench.proxy], limit_s=0.05)
            assert await settled(bench.recorder, [bench.proxy], limit_s=10.0)
            assert task.done()
            assert bench.texts() == ["select pg_sleep(0.3)"]
            await connection.close()

    run(scenario())


def test_an_unreadable_connection_stays_a_blind_spot_while_it_is_open(server: Server) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            _, writer = await asyncio.open_connection("127.0.0.1", bench.proxy.port)
            writer.write(b"\x16\x03\x01 no start-up packet")
            await until(lambda: bench.recorder.tally("database").unreadable)
            is_open = bench.proxy.open_connections == 1
            assert len(bench.recorder.blind(bench.recorder.clock_s())) == is_open
            writer.close()
            await until(lambda: bench.proxy.open_connections == 0)
            await asyncio.sleep(0.01)
            assert bench.recorder.blind(bench.recorder.clock_s()) == ()
            assert len(bench.recorder.blind(0.0)) == 1

    run(scenario())


def test_clients_that_are_killed_while_they_connect_do_not_insist_on_tls(server: Server) -> None:
    async def scenario() -> None:
        async with proxied(server) as bench:
            connection = await bench.psycopg(autocommit=True)
            await connection.close()
            for _ in range(4):
                reader, writer = await asyncio.open_connection("127.0.0.1", bench.proxy.port)
                writer.write(struct.pack("!II", 8, 80877103))
                assert await reader.readexactly(1) == b"N"
                writer.close()
                await writer.wait_closed()
            await until(lambda: bench.proxy.open_connections == 0)
            connection = await bench.psycopg(autocommit=True)
            await connection.execute("select 1")
            await connection.close()
            assert bench.texts() == ["select 1"]
            assert not bench.recorder.blind()

    run(scenario())

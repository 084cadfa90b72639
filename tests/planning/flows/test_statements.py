"""Statements under concurrency: what two callers or workers do at once has the outcome that the flows promise."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from nines.model.blueprint import Blueprint
from nines.model.design import Design, PlannedQuery
from nines.model.design.ddl import schema_script
from nines.planning import plan
from nines.planning.flows.samples import sample
from tests.planning.data.blueprints import EXAMPLES, LOGIN, PUSHES, SHOP
from tests.planning.data.rows import fill, seed
from tests.planning.data.server import Server


class Tried:
    """A design on PostgreSQL, with as many connections as a race needs."""

    def __init__(self, design: Design, connect: Callable[[], Awaitable[Any]]) -> None:
        self.design = design
        self._connect = connect

    async def connection(self) -> Any:
        return await self._connect()

    def query(self, id: str) -> PlannedQuery:
        found = self.design.query(id)
        assert found, id
        return found

    async def send(self, connection: Any, id: str, **changed: str) -> list[Any]:
        """With the sample arguments, those given as p1, p2 ... replaced by other literals."""
        query = self.query(id)
        arguments = list(query.arguments)
        for name, literal in changed.items():
            arguments[int(name[1:]) - 1] = literal
        await connection.execute(f"PREPARE sent AS {query.text}")
        try:
            return list(
                await connection.fetch(f"EXECUTE sent({', '.join(arguments)})" if arguments else "EXECUTE sent")
            )
        finally:
            await connection.execute("DEALLOCATE sent")


def _run(server: Server, blueprint: Blueprint, work: Callable[[Any, Tried], Awaitable[None]]) -> None:
    design = plan(blueprint)

    async def prepared(connection: Any) -> None:
        await connection.execute(schema_script(design.tables))
        await connection.execute("SET session_replication_role = replica")
        for table in design.tables:
            if any(c.references == f"{table.name}.id" for other in design.tables for c in other.columns):
                await connection.execute(seed(design.tables, table))
        await connection.execute("SET session_replication_role = origin")
        await work(connection, Tried(design, lambda: server.beside(connection)))

    server.run(prepared)


def _example(name: str) -> Blueprint:
    return next(each for each in EXAMPLES if each.service.name == name)


def test_of_two_attempts_with_one_key_one_does_the_work(server: Server) -> None:
    async def work(first: Any, tried: Tried) -> None:
        second = await tried.connection()
        begun = first.transaction()
        await begun.start()
        assert len(await tried.send(first, "claim-idempotency-key")) == 1
        waiting = asyncio.ensure_future(tried.send(second, "claim-idempotency-key"))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await begun.commit()
        assert await waiting == []
        await second.close()
        assert (await tried.send(first, "read-idempotency-key", p4="'new key'"))[0]["status_code"] is None

    _run(server, _example("payments"), work)


def test_a_key_whose_holder_died_is_taken_over_and_a_finished_one_is_not(server: Server) -> None:
    async def work(connection: Any, tried: Tried) -> None:
        assert len(await tried.send(connection, "claim-idempotency-key")) == 1
        assert await tried.send(connection, "claim-idempotency-key") == []
        await connection.execute("UPDATE idempotency_keys SET locked_until = now() - interval '1 s'")
        assert len(await tried.send(connection, "claim-idempotency-key")) == 1
        await connection.execute(
            "UPDATE idempotency_keys SET locked_until = now() - interval '1 s', status_code = 201, body = ''"
        )
        assert await tried.send(connection, "claim-idempotency-key") == []
        await connection.execute("UPDATE idempotency_keys SET expires_at = now() - interval '1 s'")
        assert len(await tried.send(connection, "claim-idempotency-key")) == 1

    _run(server, _example("payments"), work)


def test_two_workers_never_hold_the_same_piece_of_work(server: Server) -> None:
    async def work(first: Any, tried: Tried) -> None:
        table = tried.design.table("orders")
        assert table
        await first.execute("SET session_replication_role = replica")
        await first.execute(fill(tried.design.tables, table, 200))
        await first.execute("UPDATE orders SET status = 'paid', next_attempt_at = now() - interval '1 minute'")
        second = await tried.connection()
        begun = first.transaction()
        await begun.start()
        mine = {row["id"] for row in await tried.send(first, "claim-for-send-orders")}
        its = {row["id"] for row in await tried.send(second, "claim-for-send-orders")}
        await begun.commit()
        await second.close()
        assert len(mine) == len(its) == 8
        assert not mine & its

    _run(server, SHOP, work)


def test_a_worker_that_was_overtaken_settles_nothing(server: Server) -> None:
    async def work(connection: Any, tried: Tried) -> None:
        await connection.execute("UPDATE orders SET status = 'paid', attempts = 2")
        id = f"'{await connection.fetchval('SELECT id FROM orders')}'"
        name = "finish-order-in-send-orders"
        assert await tried.send(connection, name, p2=id, p3="'paid'", p4="1") == []
        assert len(await tried.send(connection, name, p2=id, p3="'paid'", p4="2")) == 1
        assert await tried.send(connection, name, p2=id, p3="'paid'", p4="2") == []

    _run(server, SHOP, work)


def test_a_chain_of_audit_shows_a_change(server: Server) -> None:
    async def work(connection: Any, tried: Tried) -> None:
        for number in range(3):
            await tried.send(connection, "append-audit-entry", p1=f"'01b8e094-9b2e-7000-8000-00000000000{number}'")
        rows = await connection.fetch("SELECT * FROM audit_log ORDER BY sequence")
        assert [row["sequence"] for row in rows] == [1, 2, 3]
        before = b""
        for row in rows:
            told = [row["chain"], row["sequence"], str(row["id"]), row["merchant_id"], row["actor"], row["operation"]]
            told += [json.loads(row["changes"]), row["request_id"]]
            assert row["hash"] == hashlib.sha256(before + json.dumps(told).encode()).digest()
            before = row["hash"]

    _run(server, _example("payments"), work)


def test_a_reservation_is_settled_once_and_by_its_own_holder(server: Server) -> None:
    async def work(connection: Any, tried: Tried) -> None:
        payments = tried.design.table("payments")
        assert payments
        await connection.execute(seed(tried.design.tables, payments))
        await connection.execute("UPDATE payments SET status = 'authorized'")
        first, second = (f"'01b8e094-9b2e-7000-8000-00000000000{number}'" for number in (1, 2))
        capture = tried.query("reserve-payment")
        at = 1 + capture.arguments.index(sample(tried.design.tables, payments, "pending_id"))
        assert len(await tried.send(connection, "reserve-payment", **{f"p{at}": first})) == 1
        assert await tried.send(connection, "reserve-payment", **{f"p{at}": second}) == []
        settle = tried.query("settle-payment-as-captured")
        held = len(settle.arguments)
        assert await tried.send(connection, settle.id, **{f"p{held}": second}) == []
        before = await connection.fetchval("SELECT version FROM payments")
        assert len(await tried.send(connection, settle.id, **{f"p{held}": first})) == 1
        assert await tried.send(connection, settle.id, **{f"p{held}": first}) == []
        assert await connection.fetchval("SELECT version FROM payments") == before + 1

    _run(server, _example("payments"), work)


def test_a_refresh_token_works_once(server: Server) -> None:
    async def work(first: Any, tried: Tried) -> None:
        await tried.send(first, "insert-account-token", p3="now() + interval '1 day'")
        state = tried.query("rotate-account-token").text.partition("a.status = ")[2].partition("\n")[0]
        await first.execute(f"UPDATE accounts SET status = {state}")
        await first.execute(
            "UPDATE account_sessions SET revoked_at = NULL, expires_at = now() + interval '1 day', "
            "account_id = (SELECT id FROM accounts LIMIT 1)"
        )
        await first.execute("UPDATE account_refresh_tokens SET session_id = (SELECT id FROM account_sessions LIMIT 1)")
        second = await tried.connection()
        used = await first.fetchval("SELECT token_hash FROM account_refresh_tokens")
        argument = f"'\\x{used.hex()}'::bytea"
        both = await asyncio.gather(
            *(
                tried.send(each, "rotate-account-token", p1=argument, p2=f"sha256('{number}')")
                for number, each in enumerate((first, second))
            )
        )
        await second.close()
        (winner,) = [rows[0] for rows in both if rows]
        assert sorted(len(rows) for rows in both) == [0, 1]
        assert winner["id"] is not None
        assert await first.fetchval("SELECT count(*) FROM account_refresh_tokens WHERE used_at IS NULL") == 1

    _run(server, LOGIN, work)


def test_guessing_waits_longer_each_time(server: Server) -> None:
    async def work(connection: Any, tried: Tried) -> None:
        waits = []
        for _ in range(8):
            row = (await tried.send(connection, "count-account-failure"))[0]
            now = await connection.fetchval("SELECT now()")
            waits.append(round((row["blocked_until"] - now).total_seconds()))
        assert waits == [0, 0, 0, 0, 0, 1, 2, 4]

    _run(server, LOGIN, work)


def test_partitions_are_there_before_their_rows_and_go_as_a_whole(server: Server) -> None:
    async def work(connection: Any, tried: Tried) -> None:
        past = datetime.now(UTC) - timedelta(days=30)
        first = await connection.fetchval("SELECT first_identifier($1::timestamp)::text", past.replace(tzinfo=None))
        today = await connection.fetchval("SELECT first_identifier(now() AT TIME ZONE 'UTC')::text")
        await connection.execute(
            "CREATE TABLE pushes_p20200101 PARTITION OF pushes "
            "FOR VALUES FROM (first_identifier('2020-01-01')) TO (first_identifier('2020-01-02'))"
        )
        await connection.execute(
            "INSERT INTO pushes (id, product_id, device_token, title) "
            "SELECT id, 'p', '', '' FROM unnest($1::uuid[]) AS id",
            [first, today, "01700000-0000-7000-8000-000000000000"],
        )
        held = await connection.fetch("SELECT tableoid::regclass::text AS part FROM pushes WHERE id = $1::uuid", today)
        assert held[0]["part"].startswith("pushes_p2")
        await tried.send(connection, "make-partitions-of-pushes")
        await connection.execute("SELECT make_partitions('pushes', 'month', 1)")
        await tried.send(connection, "drop-partitions-of-pushes")
        left = {
            row[0]
            for row in await connection.fetch(
                "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'pushes'::regclass"
            )
        }
        assert "pushes_p20200101" not in left
        assert held[0]["part"] in left
        assert len([name for name in left if name.endswith("01")]) <= 3
        assert len(left) in (9, 10)

    _run(server, PUSHES, work)


def test_purging_passes_rows_that_somebody_refers_to(server: Server) -> None:
    async def work(connection: Any, tried: Tried) -> None:
        await connection.execute("SET session_replication_role = replica")
        for name, count in (("accounts", 30), ("payments", 1)):
            table = tried.design.table(name)
            assert table
            await connection.execute(fill(tried.design.tables, table, count))
        await connection.execute("UPDATE payments SET account_id = (SELECT id FROM accounts ORDER BY id LIMIT 1)")
        await connection.execute("UPDATE accounts SET updated_at = '2000-01-01'")
        await connection.execute("SET session_replication_role = origin")
        rows = await tried.send(connection, "purge-accounts", p1="'ffffffff-ffff-ffff-ffff-ffffffffffff'")
        assert rows[0]["deleted"] == 30
        assert await connection.fetchval("SELECT count(*) FROM accounts") == 1
        assert await tried.send(connection, "purge-accounts", p2=f"'{rows[0]['last']}'") == [(None, 0)]

    _run(server, _example("payments"), work)

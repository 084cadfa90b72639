"""What stands in a real PostgreSQL: refresh tokens that race, rows by rule, and fields that only the service reads."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from nines_runtime.calls.deadline import Deadline
from nines_runtime.data.embedded import EmbeddedServer
from nines_runtime.security.encryption import Cipher, Lookup, Undecipherable
from nines_runtime.security.policy import Policy, owner, role
from nines_runtime.security.refresh import RefreshTokens, Rejected, Rotated
from nines_runtime.web.caller import Caller

TABLES = """
CREATE TABLE accounts (id uuid PRIMARY KEY, status text NOT NULL DEFAULT 'active');
CREATE TABLE account_sessions (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts (id),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE TABLE account_refresh_tokens (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    session_id uuid NOT NULL REFERENCES account_sessions (id),
    used_at timestamptz,
    expires_at timestamptz NOT NULL
);
CREATE TABLE cards (
    id uuid PRIMARY KEY,
    merchant_id text NOT NULL,
    owner_id text NOT NULL,
    token bytea NOT NULL,
    token_digest bytea NOT NULL UNIQUE
);
"""
AT_ONCE = 12


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="nines-security-"))
    server = EmbeddedServer(folder)
    try:
        server.start()
        asyncio.run(_prepare(server.url()))
        yield server.url()
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


async def _prepare(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(TABLES)
    await connection.close()


@asynccontextmanager
async def pool(url: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(url, min_size=1, max_size=AT_ONCE, command_timeout=60) as found:
        yield found


async def _session(connections: asyncpg.Pool) -> UUID:
    account, session = uuid4(), uuid4()
    await connections.execute("INSERT INTO accounts (id) VALUES ($1)", account)
    ends = datetime.now(UTC) + timedelta(days=1)
    await connections.execute(
        "INSERT INTO account_sessions (id, account_id, expires_at) VALUES ($1, $2, $3)", session, account, ends
    )
    return session


class _Whole:
    """A database whose statements stand for themselves."""

    def __init__(self, connections: asyncpg.Pool) -> None:
        self._connections = connections

    async def fetchrow(self, deadline: Deadline, query: str, *arguments: Any) -> Any:
        return await self._connections.fetchrow(query, *arguments, timeout=deadline.left_s)

    @asynccontextmanager
    async def transaction(self, deadline: Deadline) -> AsyncIterator[Any]:
        async with self._connections.acquire(timeout=deadline.left_s) as connection, connection.transaction():
            yield connection


async def _rotated(
    refresh: RefreshTokens, connections: asyncpg.Pool, shown: str, *, is_whole: bool
) -> Rotated | Rejected:
    """In one statement, or step by step in a transaction."""
    if is_whole:
        return await refresh.rotate_in(_Whole(connections), Deadline.after(30.0), shown)
    async with connections.acquire() as connection, connection.transaction():
        return await refresh.rotate(connection, shown)


@pytest.mark.parametrize("is_whole", [False, True])
def test_of_many_who_show_the_same_token_one_gets_the_next_and_the_session_ends(url: str, is_whole: bool) -> None:
    async def whole() -> None:
        async with pool(url) as connections:
            refresh = RefreshTokens(3_600.0)
            session = await _session(connections)
            token = await refresh.issue(connections, session)
            ends = await asyncio.gather(
                *(_rotated(refresh, connections, token.text, is_whole=is_whole) for _ in range(AT_ONCE))
            )
            won = [end for end in ends if isinstance(end, Rotated)]
            assert len(won) <= 1
            assert {end.reused_session for end in ends if isinstance(end, Rejected)} == {session}
            assert await connections.fetchval("SELECT revoked_at FROM account_sessions WHERE id = $1", session)
            for end in won:
                assert await _rotated(refresh, connections, end.token.text, is_whole=is_whole) == Rejected()

    asyncio.run(whole())


@pytest.mark.parametrize("is_whole", [False, True])
def test_a_chain_of_tokens_goes_on_while_nobody_repeats_one(url: str, is_whole: bool) -> None:
    async def whole() -> None:
        async with pool(url) as connections:
            refresh = RefreshTokens(3_600.0)
            session = await _session(connections)
            token = await refresh.issue(connections, session)
            for _ in range(5):
                end = await _rotated(refresh, connections, token.text, is_whole=is_whole)
                assert isinstance(end, Rotated)
                assert end.session["id"] == session
                token = end.token
            for wrong in ("rt_" + "x" * 43, "other", "rt_" + "x" * 5_000):
                assert await _rotated(refresh, connections, wrong, is_whole=is_whole) == Rejected()

    asyncio.run(whole())


def test_a_next_token_never_outlives_its_session_and_a_spent_one_is_told_from_a_session_that_is_over(url: str) -> None:
    async def whole() -> None:
        async with pool(url) as connections:
            refresh = RefreshTokens(30 * 86_400.0)
            session = await _session(connections)
            token = await refresh.issue(connections, session)
            end = await _rotated(refresh, connections, token.text, is_whole=True)
            assert isinstance(end, Rotated)
            kept = await connections.fetchval(
                "SELECT expires_at FROM account_refresh_tokens WHERE token_hash = $1", end.token.digest
            )
            assert kept == end.session["expires_at"]
            await connections.execute("UPDATE account_sessions SET revoked_at = now() WHERE id = $1", session)
            assert await _rotated(refresh, connections, end.token.text, is_whole=True) == Rejected()
            reused = await _rotated(refresh, connections, token.text, is_whole=True)
            assert reused == Rejected(reused_session=session)

    asyncio.run(whole())


def test_rows_by_rule_and_fields_that_are_found_and_read_by_the_service_alone(url: str) -> None:
    async def whole() -> None:
        cipher, lookup = Cipher({1: os.urandom(32)}), Lookup(os.urandom(32))
        place = "cards.token"
        rows = [(uuid4(), merchant, person) for merchant in ("m1", "m2") for person in ("ada", "grace")]
        async with pool(url) as connections:
            for id, merchant, person in rows:
                secret = f"tok_{merchant}_{person}"
                await connections.execute(
                    "INSERT INTO cards VALUES ($1, $2, $3, $4, $5)",
                    id,
                    merchant,
                    person,
                    cipher.encrypt(secret, place, id),
                    lookup.digest(secret, place),
                )
            policy = Policy(owner() | role("support"), tenant="merchant_id")

            async def seen(caller: Caller) -> set[str]:
                where, values = policy.predicate(caller, first=2)
                query = f"SELECT id, token FROM cards WHERE id = ANY($1::uuid[]) AND {where}"
                found = await connections.fetch(query, [id for id, _, _ in rows], *values)
                return {cipher.decrypt(row["token"], place, row["id"]) for row in found}

            assert await seen(Caller(subject="ada", tenant="m1")) == {"tok_m1_ada"}
            support = Caller(subject="eve", tenant="m2", roles=frozenset({"support"}))
            assert await seen(support) == {"tok_m2_ada", "tok_m2_grace"}
            assert await seen(Caller(subject="ada")) == set()
            found = await connections.fetchrow(
                "SELECT id, token FROM cards WHERE token_digest = $1", lookup.digest("tok_m2_ada", place)
            )
            assert cipher.decrypt(found["token"], place, found["id"]) == "tok_m2_ada"
            with pytest.raises(Undecipherable):
                cipher.decrypt(found["token"], place, rows[0][0])

    asyncio.run(whole())

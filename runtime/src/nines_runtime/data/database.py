"""PostgreSQL by asyncpg: a bounded pool, a limit for every wait, and transactions that say what they are.

    database = Database(settings.db_url, size_max=10, constraints={"users_email_key": Violation("already-exists")})
    async with database.transaction(deadline) as tx:
        row = await tx.fetchrow("INSERT INTO users (id, email) VALUES ($1, $2) RETURNING id", new_id(), email)

Values of type json and jsonb go in and come out as what msgspec makes of them (dict, list, Struct), not as text."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

import asyncpg
import msgspec

from nines_runtime.calls.deadline import Deadline
from nines_runtime.calls.tracing import span
from nines_runtime.data.changing import CHANGES_MAX, Changes
from nines_runtime.data.failures import Conflict, Constraints, is_broken, problem_of
from nines_runtime.data.pacing import Pace
from nines_runtime.data.pool import Pool

Result = TypeVar("Result")
SERIALIZABLE_ATTEMPTS_MAX = 3
ROLLBACK_S_MAX = 2.0
PING_S_MAX = 1.0
_ISOLATIONS = {
    "read_committed": "BEGIN ISOLATION LEVEL READ COMMITTED",
    "repeatable_read": "BEGIN ISOLATION LEVEL REPEATABLE READ",
    "serializable": "BEGIN ISOLATION LEVEL SERIALIZABLE",
}
_JSONB_VERSION = b"\x01"


class Connection(Protocol):
    """Inside a transaction plain asyncpg is used; this names the part of it that is."""

    async def fetchrow(self, query: str, *arguments: Any) -> asyncpg.Record | None: ...
    async def fetch(self, query: str, *arguments: Any) -> Sequence[asyncpg.Record]: ...
    async def fetchval(self, query: str, *arguments: Any) -> Any: ...
    async def execute(self, query: str, *arguments: Any) -> str: ...
    async def executemany(self, query: str, arguments: Sequence[Sequence[Any]]) -> None: ...
    async def fetchmany(self, query: str, arguments: Sequence[Sequence[Any]]) -> list[asyncpg.Record]: ...


class Database:
    """Every method waits at most as long as the deadline allows and raises Problem("unavailable") beyond it, or where
    the database cannot be reached.

    The server keeps limits of its own, so that what a dead process left ends as well. `is_pooled` tells that a pooler
    such as PgBouncer hands out a connection for a transaction at a time: nothing is prepared then, and the limits are
    set within each transaction. `constraints` tells what a broken constraint means to a caller."""

    def __init__(
        self,
        url: str,
        *,
        size_max: int = 10,
        waiters_max: int = 1_000,
        wait_s_max: float = 2.0,
        connect_s_max: float = 3.0,
        statement_s_max: float = 10.0,
        lock_s_max: float = 2.0,
        idle_in_transaction_s_max: float = 10.0,
        constraints: Constraints | None = None,
        is_pooled: bool = False,
        password: str | None = None,
        application: str = "",
        on_wait: Callable[[float], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.constraints: Constraints = constraints or {}
        self.pace = Pace()
        self._changes: dict[str, Changes] = {}
        self._url, self._password, self._is_pooled = url, password, is_pooled
        self._application, self._connect_s_max = application, connect_s_max
        self._limits = {
            "statement_timeout": _milliseconds(statement_s_max),
            "lock_timeout": _milliseconds(lock_s_max),
            "idle_in_transaction_session_timeout": _milliseconds(idle_in_transaction_s_max),
        }
        own = "".join(f"; SET LOCAL {name} = {value}" for name, value in self._limits.items()) if is_pooled else ""
        self._begin = {name: begin + own for name, begin in _ISOLATIONS.items()}
        self._pool = Pool(
            self._open_one,
            size_max=size_max,
            waiters_max=waiters_max,
            wait_s_max=wait_s_max,
            on_wait=on_wait,
            clock=clock,
        )

    @property
    def in_use(self) -> int:
        """database_pool_connections_in_use"""
        return self._pool.in_use

    @property
    def size_max(self) -> int:
        """database_pool_connections_max"""
        return self._pool.size_max

    @property
    def waiting(self) -> int:
        return self._pool.waiting

    @property
    def on_wait(self) -> Callable[[float], None]:
        """Is told each wait for a connection: database_pool_wait_seconds."""
        return self._pool.on_wait

    @on_wait.setter
    def on_wait(self, observe: Callable[[float], None]) -> None:
        self._pool.on_wait = observe

    async def ping(self) -> None:
        """For readiness: raises Unavailable where no statement can be carried out now."""
        await self.fetch(Deadline.after(PING_S_MAX), "SELECT 1")

    async def close(self, grace_s: float = 5.0) -> None:
        for changes in self._changes.values():
            await changes.close()
        await self._pool.close(grace_s)

    @asynccontextmanager
    async def transaction(
        self, deadline: Deadline, *, isolation: str = "read_committed", statement_s_max: float | None = None
    ) -> AsyncIterator[Connection]:
        """Commits at the end; an error rolls back, and one of the database leaves as the Problem that it means.

        `statement_s_max` is the server's limit for each statement of this transaction, where the usual one is too
        short: for reports, never for requests."""
        connection = await self._pool.take(deadline.left_s)
        try:
            with span("db.transaction", "client"):
                async with asyncio.timeout(deadline.left_s):
                    await connection.execute(self._begin[isolation] + _limit(statement_s_max))
                    yield connection
                    ended = await connection.execute("COMMIT")
        except BaseException as error:
            await self._undo(connection, error)
            self._raise(error)
            raise
        self._pool.give_back(connection)
        if ended != "COMMIT":
            # An error inside was caught by somebody; PostgreSQL then takes COMMIT for ROLLBACK and calls it no error.
            raise RuntimeError("A statement of this transaction failed and its error was caught: nothing is committed.")

    async def serializable(self, deadline: Deadline, work: Callable[[asyncpg.Connection], Awaitable[Result]]) -> Result:
        """Runs `work` in a serializable transaction, again where the database asks for it, at most three times."""
        for attempt in range(SERIALIZABLE_ATTEMPTS_MAX):
            try:
                async with self.transaction(deadline, isolation="serializable") as connection:
                    return await work(connection)
            except Conflict:
                if attempt + 1 == SERIALIZABLE_ATTEMPTS_MAX or not deadline.left_s:
                    raise
        raise Conflict

    async def fetchrow(self, deadline: Deadline, query: str, *arguments: Any) -> asyncpg.Record | None:
        """One statement outside of a transaction; repeated once where the connection was broken and it only reads."""
        rows = await self.fetch(deadline, query, *arguments)
        return rows[0] if rows else None

    async def fetch(self, deadline: Deadline, query: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        """As fetchrow; what begins with SELECT counts as reading."""
        return await self._run(deadline, query, lambda each: each.fetch(query, *arguments))

    async def fetch_all(
        self, deadline: Deadline, query: str, arguments: Sequence[Sequence[Any]]
    ) -> list[asyncpg.Record]:
        """What a statement returns for each of these arguments, in one transaction and one round trip."""
        found: list[asyncpg.Record] = await self._run(deadline, query, lambda each: each.fetchmany(query, arguments))
        return found

    async def changed(self, deadline: Deadline, id: Hashable, query: str, *arguments: Any) -> asyncpg.Record | None:
        """The row of this id as the statement leaves it; None where it changes nothing.

        For a statement that changes that row alone and returns it, with its `id`: where many come, they share their
        commits, and nobody is answered before his is durable. `query` is a constant of the service."""
        changes = self._changes.get(query)
        if changes is None:
            changes = self._changes[query] = Changes(self, query, rows_max=CHANGES_MAX)
        return await changes.change(deadline, id, arguments)

    async def execute(self, deadline: Deadline, query: str, *arguments: Any) -> int:
        """How many rows were written."""
        ended: str = await self._run(deadline, query, lambda each: each.execute(query, *arguments))
        count = ended.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def _run(self, deadline: Deadline, query: str, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        if self._is_pooled:
            # What is prepared and what is bound must reach the same connection of the server.
            async with self.transaction(deadline) as tx:
                return await work(tx)
        may_repeat = query.lstrip()[:6].upper() == "SELECT"
        while True:
            connection = await self._pool.take(deadline.left_s)
            try:
                with span("db.statement", "client"):
                    async with asyncio.timeout(deadline.left_s):
                        found = await work(connection)
            except BaseException as error:
                self._leave(connection, error)
                if may_repeat and is_broken(error) and deadline.left_s:
                    may_repeat = False
                    continue
                self._raise(error)
                raise
            self._pool.give_back(connection)
            return found

    def _raise(self, error: BaseException) -> None:
        problem = problem_of(error, self.constraints)
        if problem is not None:
            raise problem from error

    def _leave(self, connection: asyncpg.Connection, error: BaseException) -> None:
        if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
            # The server has become a copy: the others lead to the same one, and would answer every probe.
            self._pool.drop_idle()
        if is_broken(error) or connection.is_closed():
            self._pool.drop(connection, is_sign=True)
        elif isinstance(error, asyncpg.PostgresError) and not connection.is_in_transaction():
            self._pool.give_back(connection)
        else:
            self._pool.mend(connection)

    async def _undo(self, connection: asyncpg.Connection, error: BaseException) -> None:
        """Rolled back before the caller hears of it, so that no lock outlives the answer; not where somebody left."""
        if isinstance(error, asyncio.CancelledError | TimeoutError) or is_broken(error) or connection.is_closed():
            self._leave(connection, error)
            return
        try:
            await connection.execute("ROLLBACK", timeout=ROLLBACK_S_MAX)
        except BaseException as second:
            self._leave(connection, second)
            if not isinstance(second, Exception):
                raise
        else:
            self._pool.give_back(connection)

    async def _open_one(self) -> asyncpg.Connection:
        settings: Mapping[str, str] = {} if self._is_pooled else self._limits | {"timezone": "UTC"}
        named = {"application_name": self._application} if self._application else {}
        connection = await asyncio.wait_for(
            asyncpg.connect(
                self._url,
                password=self._password,
                timeout=self._connect_s_max,
                server_settings={**settings, **named},
                statement_cache_size=0 if self._is_pooled else 500,
                max_cached_statement_lifetime=0,
                max_cacheable_statement_size=0 if self._is_pooled else 64 * 1024,
            ),
            self._connect_s_max,
        )
        try:
            async with connection.transaction():
                for name, head in (("jsonb", _JSONB_VERSION), ("json", b"")):
                    await _read_documents(connection, name, head)
            if not self._is_pooled and await connection.fetchval("SHOW synchronous_commit") == "off":
                # What is acknowledged is durable, whatever else this server is used for.
                await connection.execute("SET synchronous_commit = on")
        except BaseException:
            connection.terminate()
            raise
        return connection


async def _read_documents(connection: asyncpg.Connection, type: str, head: bytes) -> None:
    size = len(head)
    await connection.set_type_codec(
        type,
        schema="pg_catalog",
        encoder=lambda value: head + msgspec.json.encode(value),
        decoder=lambda data: msgspec.json.decode(data[size:]),
        format="binary",
    )


def _limit(statement_s_max: float | None) -> str:
    return "" if statement_s_max is None else f"; SET LOCAL statement_timeout = {_milliseconds(statement_s_max)}"


def _milliseconds(seconds: float) -> str:
    return str(max(1, round(seconds * 1_000)))

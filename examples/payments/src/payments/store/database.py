"""The connection pool, and transactions whose every wait is bounded."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import asyncpg

from payments.edge import telemetry
from payments.problems import unavailable
from payments.settings import Settings

Connection: TypeAlias = asyncpg.Connection
"""A connection that a transaction or a read holds."""

WARM_CONNECTIONS = 8
WARM_S = 1.0

log = logging.getLogger("payments.database")

AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # Shut down, crashed, or a statement cancelled by its timeout.
    asyncpg.InsufficientResourcesError,  # Out of connections, memory or disk.
    asyncpg.LockNotAvailableError,
    asyncpg.TransactionRollbackError,  # A deadlock: the caller may simply try again.
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InternalClientError,
)


class Database:
    """A pool that connects when it is first needed, so that the service starts even while PostgreSQL is away."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool: asyncpg.Pool = None

    async def open(self) -> None:
        """Makes the pool; connects to nothing yet."""
        deadline_ms = str(round(self._settings.database_deadline_s * 1000))
        self._pool = await asyncpg.create_pool(
            self._settings.database_url,
            min_size=0,
            max_size=self._settings.database_pool_max,
            max_inactive_connection_lifetime=60.0,
            timeout=self._settings.database_acquire_s,
            command_timeout=self._settings.database_deadline_s,
            # Nothing outlives a transaction in a session here, so the usual round trip that resets it is saved.
            reset=_keep,
            server_settings={
                "application_name": "payments",
                "statement_timeout": deadline_ms,
                "lock_timeout": deadline_ms,
                "idle_in_transaction_session_timeout": deadline_ms,
                "timezone": "UTC",
            },
        )

    async def warm(self) -> None:
        """Opens some connections before the first request needs them; no harm when PostgreSQL is away."""
        await asyncio.gather(
            *(self.answers(WARM_S) for _ in range(min(WARM_CONNECTIONS, self._settings.database_pool_max)))
        )

    async def close(self) -> None:
        """Closes politely for a moment, then for good."""
        try:
            async with asyncio.timeout(2.0):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Commits at the end of the block; raises a 503 problem when PostgreSQL is away or too slow.

        Only statements belong in the block: never a call to anything else."""
        async with self._connection() as connection:
            await connection.execute("BEGIN")
            yield connection
            await connection.execute("COMMIT")

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """For a single statement, which needs no transaction of its own."""
        async with self._connection() as connection:
            yield connection

    async def answers(self, deadline_s: float) -> bool:
        """Whether PostgreSQL answers within this time."""
        try:
            async with asyncio.timeout(deadline_s), self._connection() as connection:
                await connection.fetchval("SELECT 1")
        except Exception:
            log.warning("database does not answer")
            return False
        return True

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        try:
            async with asyncio.timeout(self._settings.database_deadline_s):
                connection = await self._pool.acquire(timeout=self._settings.database_acquire_s)
                try:
                    yield connection
                except Exception as error:
                    await _undo(connection, error)
                    raise
                except BaseException:
                    # Cancelled in the middle of a statement: nobody knows what the server is doing with it,
                    # and asking politely could wait for as long as the server is silent.
                    connection.terminate()
                    raise
                finally:
                    await self._pool.release(connection)
        except (*AWAY, asyncpg.InterfaceError) as error:
            if isinstance(error, ValueError):
                raise  # asyncpg's complaint about an argument is an InterfaceError too, and a defect of ours.
            telemetry.DATABASE_UNAVAILABLE.inc()
            log.warning("database unavailable", extra={"error": type(error).__name__})
            raise unavailable("The database is not available; nothing was lost, try again.") from error


async def _undo(connection: Connection, error: Exception) -> None:
    """Rolls back and keeps the connection, unless the error says that it is no good any more."""
    if isinstance(error, AWAY) or connection.is_closed():
        connection.terminate()
        return
    try:
        if connection.is_in_transaction():
            await connection.execute("ROLLBACK")
    except BaseException:
        connection.terminate()
        raise


async def _keep(connection: Connection) -> None:
    """Leaves the session as it is."""

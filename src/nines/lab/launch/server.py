"""A PostgreSQL server in which nines makes databases of its own: what every one can do, and one that was given."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any
from urllib.parse import unquote, urlsplit

import asyncpg

from nines.lab.launch.cleanup import Entry, Premises
from nines.model.errors import LabError, LaunchError, SettingsError

CONNECT_LIMIT_S = 5.0
STATEMENT_LIMIT_S = 60.0
GIVEN_LIMIT_S = 3.0
"""A server that somebody else runs is there, or it is not."""
_POLL_S = 0.02
_TEMPLATE_TRIES_MAX = 5
_NAME = re.compile(r"^[a-z_][a-z0-9_]{0,62}$")


class Server:
    """What an own cluster and a given server have in common."""

    can_be_killed = False

    def __init__(self, *, host: str, port: int, user: str, password: str, maintenance: str) -> None:
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self._maintenance = maintenance

    async def connect(self, database: str) -> Any:
        """An asyncpg connection past every proxy; raises what asyncpg raises."""
        return await asyncpg.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            database=database,
            timeout=CONNECT_LIMIT_S,
            command_timeout=STATEMENT_LIMIT_S,
        )

    async def execute(self, database: str, statement: str, *arguments: object) -> list[tuple[Any, ...]]:
        """Runs one statement past every proxy; raises LabError with the server's words."""
        try:
            connection = await self.connect(database)
            try:
                rows = await connection.fetch(statement, *arguments)
            finally:
                await connection.close(timeout=CONNECT_LIMIT_S)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            said = str(error) or type(error).__name__
            raise LabError(
                f"the database refused or did not answer: {said}", where=f"{self.host}:{self.port}"
            ) from error
        return [tuple(row) for row in rows]

    async def create(self, name: str, template: str = "") -> None:
        """A new database, empty or as a copy; a template that is still in use is waited for."""
        statement = f'CREATE DATABASE "{_checked(name)}"'
        if template:
            statement += f' TEMPLATE "{_checked(template)}"'
        for attempt in range(_TEMPLATE_TRIES_MAX):
            if template:
                await self._disconnect(template)
            try:
                await self.execute(self._maintenance, statement)
            except LabError as error:
                if "permission denied" in error.what:
                    hint = "In database.url, name a user who may create databases, or remove it for the embedded one."
                    raise LabError(error.what, where=error.where, hint=hint) from error
                if "being accessed" not in error.what or attempt == _TEMPLATE_TRIES_MAX - 1:
                    raise
                await asyncio.sleep(0.1 * (attempt + 1))
            else:
                return

    async def drop(self, name: str) -> None:
        """Drops a database with whoever is still connected to it; no error when it does not exist."""
        await self.execute(self._maintenance, f'DROP DATABASE IF EXISTS "{_checked(name)}" WITH (FORCE)')

    async def _disconnect(self, name: str) -> None:
        await self.execute(
            self._maintenance,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()",
            name,
        )

    async def ready(self, limit_s: float) -> str:
        """Waits for `select 1`; "" when it answered, else the last error."""
        until = time.monotonic() + limit_s
        said = "no attempt was made"
        while time.monotonic() < until:
            try:
                connection = await self.connect(self._maintenance)
                try:
                    await connection.fetchval("select 1")
                finally:
                    await connection.close(timeout=CONNECT_LIMIT_S)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
                said = str(error) or type(error).__name__
            else:
                return ""
            if not self.may_become_ready():
                break
            await asyncio.sleep(_POLL_S)
        return said

    def may_become_ready(self) -> bool:
        """Whether waiting on has a point."""
        return True

    async def close(self) -> None:
        """Nothing is held between statements."""


class GivenServer(Server):
    """A server that somebody else runs: nines makes databases of its own in it, and touches no other."""

    def __init__(self, premises: Premises, url: str) -> None:
        parts = urlsplit(url if "://" in url else f"postgresql://{url}")
        if not parts.scheme.startswith("postgres") or not parts.hostname:
            raise SettingsError(
                "database.url is not of the form postgresql://user:password@host:port/database",
                hint="Name the server, a user who may create databases, and a database to connect to.",
            )
        super().__init__(
            host=parts.hostname,
            port=parts.port or 5432,
            user=unquote(parts.username or "postgres"),
            password=unquote(parts.password or ""),
            maintenance=unquote(parts.path.strip("/")) or "postgres",
        )
        self._premises = premises
        self._url = f"postgresql://{parts.netloc}/{self._maintenance}"
        self._made: list[str] = []

    async def open(self) -> None:
        """Checks that the server answers."""
        said = await self.ready(GIVEN_LIMIT_S)
        if said:
            raise LaunchError(
                f"the database server does not answer: {said}",
                where=f"{self.host}:{self.port}",
                hint="Start it, correct database.url, or remove the setting to use the embedded PostgreSQL.",
            )

    async def create(self, name: str, template: str = "") -> None:
        self._premises.write(Entry(kind="database", url=self._url, name=_checked(name)))
        await super().create(name, template)
        self._made.append(name)

    async def drop(self, name: str) -> None:
        if name not in self._made:
            raise LabError(f"{name} is not a database of this run, and is left alone")
        await super().drop(name)
        self._made.remove(name)

    async def close(self) -> None:
        """Drops the databases of this run."""
        for name in list(self._made):
            await self.drop(name)


def _checked(name: str) -> str:
    if not _NAME.match(name):
        raise LabError(f"{name!r} cannot be the name of a database of nines")
    return name

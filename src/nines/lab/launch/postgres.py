"""PostgreSQL for the laboratory: a cluster of its own that can be killed, or databases of its own in a given server."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import asyncpg

from nines.lab.launch.cleanup import Entry, Premises
from nines.lab.launch.installation import Installation, lend_stand_ins, reachable, server_user
from nines.lab.launch.ports import LOOPBACK, free_port
from nines.lab.launch.process import Process, spawn, tail
from nines.model.errors import LabError, LaunchError, SettingsError

USER = "nines"
PASSWORD = "nines"  # noqa: S105 -- a throw-away server on loopback that trusts everyone
CONNECTIONS_MAX = 100
"""PostgreSQL's own default, and what a small managed database grants."""
READY_LIMIT_S = 60.0
INIT_LIMIT_S = 120.0
CONNECT_LIMIT_S = 5.0
STATEMENT_LIMIT_S = 60.0
STOP_LIMIT_S = 15.0
GIVEN_LIMIT_S = 3.0
"""A server that somebody else runs is there, or it is not."""
_POLL_S = 0.02
_TEMPLATE_TRIES_MAX = 5
_STARTS_MAX = 3
_NAME = re.compile(r"^[a-z_][a-z0-9_]{0,62}$")

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": str(CONNECTIONS_MAX),
    "shared_buffers": "128MB",
    # Durability is judged, so nothing that weakens it may be set.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # In the data directory, so that a killed cluster leaves nothing in the system's shared memory.
    "dynamic_shared_memory_type": "mmap",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    "ssl": "off",
}
"""The cluster's settings; all others are PostgreSQL's own defaults."""


class Database(Protocol):
    """A server in which databases can be made and dropped."""

    host: str
    port: int
    user: str
    password: str
    can_be_killed: bool

    async def create(self, name: str, template: str = "") -> None: ...

    async def drop(self, name: str) -> None: ...

    async def execute(self, database: str, statement: str, *arguments: object) -> list[tuple[Any, ...]]: ...

    async def close(self) -> None: ...


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


class Cluster(Server):
    """A PostgreSQL of this run alone, which may be killed."""

    can_be_killed = True

    def __init__(self, premises: Premises, installation: Installation, name: str = "database") -> None:
        super().__init__(host=LOOPBACK, port=0, user=USER, password=PASSWORD, maintenance="postgres")
        self.installation = installation
        self.name = name
        self._premises = premises
        self._folder = premises.directory / name
        self._data = self._folder / "data"
        self._process: Process | None = None
        self._user: tuple[int, int] | None = None
        self._settings = dict(SETTINGS)

    async def open(self) -> None:
        """Makes the cluster and starts it."""
        self._folder.mkdir(mode=0o711)
        self._user = server_user()
        self.installation = reachable(self.installation, self._folder)
        if self.installation.with_stand_ins:
            self._settings |= lend_stand_ins(self._folder)
        self._data.mkdir(mode=0o700)
        if self._user is not None:
            os.chown(self._data, *self._user)
        self._premises.write(Entry(kind="cluster", path=str(self._data)))
        await self._initialise()
        self.port = free_port()
        await self.start()

    async def _initialise(self) -> None:
        arguments = ["-D", str(self._data), "-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        process = self._spawn([self.installation.program("initdb"), *arguments], "initdb")
        if not await process.wait(INIT_LIMIT_S):
            await process.kill()
        if process.returncode != 0:
            raise LaunchError(
                f"initdb of {self.installation.name} failed (exit code {process.returncode})",
                where=self.name,
                detail=process.tail(),
                hint="Check the free space of the temporary directory, or set database.url.",
            )

    async def start(self) -> float:
        """Starts the server, after a crash with recovery; the seconds until it answered `select 1`.

        What a killed server leaves (its lock file, a backend that has not noticed yet) may refuse the first starts."""
        begun = time.monotonic()
        if self._process is not None and self._process.is_running:
            return 0.0
        said = ""
        for attempt in range(_STARTS_MAX):
            await asyncio.sleep(0.2 * attempt)
            self._process = self._spawn(
                [self.installation.program("postgres"), "-D", str(self._data), *_flags(self._settings, self.port)]
            )
            said = await self.ready(READY_LIMIT_S)
            if not said:
                return time.monotonic() - begun
            if self._process.is_running:
                break
        raise LaunchError(
            f"{self.installation.name} did not become ready: {said}",
            where=self.name,
            detail=self.log(),
            hint="The lines above are the server's own; set database.url to use another server.",
        )

    def may_become_ready(self) -> bool:
        return self._process is not None and self._process.is_running

    async def kill(self) -> None:
        """SIGKILL to the server and all its backends at once: what power loss or the kernel's memory killer does."""
        if self._process is not None:
            await self._process.kill()

    async def close(self) -> None:
        """Stops the server at once but in order, so that it removes what it holds of the system, and its files."""
        if self._process is None:
            return
        self._process.send(signal.SIGQUIT)
        if not await self._process.wait(STOP_LIMIT_S):
            await self._process.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def process(self) -> Process | None:
        return self._process

    def log(self) -> str:
        """The last lines of the server's log."""
        return tail(self._premises.directory / f"{self.name}.log")

    def _spawn(self, command: Sequence[str], name: str = "") -> Process:
        user, group = self._user or (None, None)
        return spawn(
            self._premises,
            name or self.name,
            command,
            env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C", "TZ": "UTC"},
            directory=self._folder,
            user=user,
            group=group,
        )


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


async def open_database(premises: Premises, url: str, installation: Installation | None) -> Cluster | GivenServer:
    """The given server when there is a URL, else a cluster of this installation."""
    if url:
        given = GivenServer(premises, url)
        await given.open()
        return given
    if installation is None:
        raise LaunchError("no PostgreSQL was chosen", where="database")
    cluster = Cluster(premises, installation)
    await cluster.open()
    return cluster


def _flags(settings: Mapping[str, str], port: int) -> list[str]:
    return [flag for name, value in {**settings, "port": str(port)}.items() for flag in ("-c", f"{name}={value}")]


def _checked(name: str) -> str:
    if not _NAME.match(name):
        raise LabError(f"{name!r} cannot be the name of a database of nines")
    return name

"""PostgreSQL for the laboratory: a cluster of its own that can be killed, unless a server was given."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from nines.lab.launch.cleanup import Entry, Premises
from nines.lab.launch.installation import Installation, lend_stand_ins, reachable, server_user
from nines.lab.launch.ports import LOOPBACK, free_port
from nines.lab.launch.process import Process, spawn, tail
from nines.lab.launch.server import GivenServer, Server
from nines.model.errors import LaunchError

USER = "nines"
PASSWORD = "nines"  # noqa: S105 -- a throw-away server on loopback that trusts everyone
CONNECTIONS_MAX = 100
"""PostgreSQL's own default, and what a small managed database grants."""
READY_LIMIT_S = 60.0
INIT_LIMIT_S = 120.0
STOP_LIMIT_S = 15.0
_STARTS_MAX = 3

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


class Cluster(Server):
    """A PostgreSQL of this run alone, which may be killed."""

    can_be_killed = True

    def __init__(
        self,
        premises: Premises,
        installation: Installation,
        name: str = "database",
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`settings` go before those of every cluster."""
        super().__init__(host=LOOPBACK, port=0, user=USER, password=PASSWORD, maintenance="postgres")
        self.installation = installation
        self.name = name
        self._premises = premises
        self._folder = premises.directory / name
        self._data = self._folder / "data"
        self._process: Process | None = None
        self._user: tuple[int, int] | None = None
        self._settings = {**SETTINGS, **settings}

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

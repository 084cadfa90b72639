"""Redis for the laboratory: a server of the machine started for this run, or one given by its URL."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
from urllib.parse import unquote, urlsplit

from nines.lab.launch.cleanup import MARK, Premises
from nines.lab.launch.ports import LOOPBACK, free_port
from nines.lab.launch.process import Process, spawn
from nines.model.errors import LaunchError, SettingsError

PROGRAMS = ("redis-server", "valkey-server", "keydb-server")
READY_LIMIT_S = 20.0
STOP_LIMIT_S = 5.0
_ANSWER_LIMIT_S = 2.0
_POLL_S = 0.02


class Redis:
    """A Redis that the service may use; one that nines did not start is never emptied nor stopped."""

    def __init__(self, premises: Premises, url: str = "") -> None:
        self._premises = premises
        self._process: Process | None = None
        self.is_owned = not url
        self.host, self.port, self.user, self.password, self.number = LOOPBACK, 0, "", "", 0
        if url:
            self._parse(url)

    def _parse(self, url: str) -> None:
        parts = urlsplit(url)
        number = parts.path.strip("/") or "0"
        if parts.scheme != "redis" or not parts.hostname or not number.isdigit():
            raise SettingsError("redis.url is not of the form redis://host:port/number")
        self.host, self.port, self.number = parts.hostname, parts.port or 6379, int(number)
        self.user, self.password = unquote(parts.username or ""), unquote(parts.password or "")

    def url(self, host: str, port: int) -> str:
        """The URL by which the service reaches it through a proxy at this address."""
        login = f"{self.user}:{self.password}@" if self.password else ""
        return f"redis://{login}{host}:{port}/{self.number}"

    async def open(self) -> None:
        """Starts it, or checks that the given one answers."""
        if self.is_owned:
            program = find_program()
            if program is None:
                raise LaunchError(
                    f"no Redis server was found ({', '.join(PROGRAMS)})",
                    where="redis",
                    hint="Install one, or set redis.url to a server that may be used.",
                )
            self.port = self.port or free_port()
            self._process = self._spawn(program)
        if not await self._ready():
            output = self._process.tail() if self._process else ""
            raise LaunchError(
                "Redis does not answer",
                where=f"{self.host}:{self.port}",
                detail=output,
                hint="Start it, or correct redis.url.",
            )

    def _spawn(self, program: str) -> Process:
        folder = self._premises.folder("redis")
        flags = [
            "--bind",
            self.host,
            "--port",
            str(self.port),
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
            str(folder),
        ]
        env = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C", MARK: self._premises.run}
        return spawn(self._premises, "redis", [program, *flags], env=env, directory=folder)

    async def _ready(self) -> bool:
        until = time.monotonic() + READY_LIMIT_S
        while time.monotonic() < until:
            if (await self.ask("PING")).startswith((b"+PONG", b"-NOAUTH", b"-NOPERM")):
                return True
            if self._process is not None and not self._process.is_running:
                return False
            await asyncio.sleep(_POLL_S)
        return False

    @property
    def is_running(self) -> bool:
        return self._process is None or self._process.is_running

    async def empty(self) -> None:
        """Forgets everything, where nines owns the server."""
        if self.is_owned:
            await self.ask("FLUSHALL")

    async def ask(self, command: str) -> bytes:
        """The first line of the answer to a command without arguments; b"" when there is none."""
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(_ANSWER_LIMIT_S):
                reader, writer = await asyncio.open_connection(self.host, self.port)
                writer.write(f"*1\r\n${len(command)}\r\n{command}\r\n".encode("ascii"))
                return await reader.readline()
        except (OSError, TimeoutError):
            return b""
        finally:
            if writer is not None:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

    async def close(self) -> None:
        """Stops it, where nines owns it."""
        if self._process is not None:
            await self._process.terminate(STOP_LIMIT_S)


def find_program() -> str | None:
    """A Redis server of this machine."""
    return next((found for program in PROGRAMS if (found := shutil.which(program))), None)

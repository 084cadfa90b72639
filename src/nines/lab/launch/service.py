"""The service under examination, started as its owner would: made ready, killed, stopped and started again."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from nines.lab.launch.cleanup import Premises
from nines.lab.launch.command import Command, choose_command, split
from nines.lab.launch.environment import service_environment
from nines.lab.launch.interpreter import find_interpreter
from nines.lab.launch.ports import LOOPBACK, free_port, is_free, listening_ports, refuse_stranger
from nines.lab.launch.process import Process, spawn
from nines.lab.launch.templates import mentions
from nines.model.errors import LaunchError
from nines.model.service import Application
from nines.model.settings import Settings

STOP_LIMIT_S = 30.0
"""What Kubernetes grants between SIGTERM and SIGKILL."""
SETUP_LIMIT_S = 300.0
ANSWER_LIMIT_S = 10.0
OUTPUT_LIMIT_S = 30.0
"""For a command that prints something, such as a token."""
_SAID_MAX = 2_000
_POLL_S = 0.02
_LOOK_S = 0.2
_PORTS_MAX = 3
_SETTLE_S = 2.0
_IN_USE = ("address already in use", "errno 98", "errno 48", "eaddrinuse")


class Service:
    """One service of this run; its port stays the same through every restart."""

    def __init__(
        self,
        premises: Premises,
        settings: Settings,
        root: Path,
        applications: tuple[Application, ...] = (),
    ) -> None:
        self._premises = premises
        self._settings = settings
        self._root = root
        self._applications = applications
        self._values: dict[str, str] = {}
        self._process: Process | None = None
        self.host = LOOPBACK
        self.port = free_port()
        self.notes: list[str] = []
        self.interpreter = find_interpreter(root, root / settings.service.directory, settings.service.python)
        if self.interpreter.is_last_resort:
            self.notes.append(f"the service runs in {self.interpreter.path}, {self.interpreter.source}")

    @property
    def process(self) -> Process | None:
        return self._process

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.is_running

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def tree(self) -> list[psutil.Process]:
        return self._process.tree() if self._process else []

    def command(self) -> Command:
        """How it is started, with the values of the last start."""
        values = self._all_values()
        return choose_command(self._settings.service, self._applications, self.interpreter, values, self._root)

    def environment(self) -> dict[str, str]:
        directory = self._directory(self._settings.service.directory)
        return service_environment(self._settings, self._all_values(), self.interpreter, self._premises, directory)

    def _all_values(self) -> dict[str, str]:
        return {"host": self.host, "port": str(self.port), **self._values}

    async def set_up(self, values: Mapping[str, str], look: Callable[[Process], None] = lambda _process: None) -> None:
        """Runs the setup commands one after another; LaunchError with the output of the one that fails.

        `look` is shown each running command now and then, and what it raises ends the command."""
        self._values = dict(values)
        for number, line in enumerate(self._settings.service.setup, 1):
            where = f"service.setup[{number}]"
            command = split(line, self._all_values(), where)
            process = spawn(
                self._premises,
                f"setup-{number}-{time.monotonic_ns()}",
                command.words,
                env={**self.environment(), **dict(command.env)},
                directory=self._directory(self._settings.service.directory),
            )
            is_ended = await self._watched(process, look)
            if process.returncode != 0:
                reason = f"exit code {process.returncode}" if is_ended else f"not done within {SETUP_LIMIT_S:.0f} s"
                raise LaunchError(
                    f"the setup command failed ({reason}): {line}",
                    where=where,
                    detail=process.tail(),
                    hint="The lines above are the command's own. Its environment is service.env and the laboratory's "
                    f"addresses; its interpreter is {self.interpreter.path} ({self.interpreter.source}).",
                )

    async def _watched(self, process: Process, look: Callable[[Process], None]) -> bool:
        """Whether a setup command ended in time."""
        until = time.monotonic() + SETUP_LIMIT_S
        try:
            while not await process.wait(_LOOK_S):
                look(process)
                process.trim()
                if time.monotonic() > until:
                    return False
        finally:
            if process.is_running:
                await asyncio.shield(process.kill())
        return True

    async def output(self, words: Sequence[str]) -> str:
        """What a command prints in the service's environment; LaunchError with its own words where it fails."""
        line = shlex.join(words)
        try:
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self.environment(),
                cwd=self._directory(self._settings.service.directory),
            )
        except OSError as error:
            raise LaunchError(f"it cannot be run: {error.strerror or error}", where=line) from error
        try:
            async with asyncio.timeout(OUTPUT_LIMIT_S):
                said, complaint = await process.communicate()
        except TimeoutError:
            raise LaunchError(f"it was not done within {OUTPUT_LIMIT_S:.0f} s", where=line) from None
        finally:
            if process.returncode is None:
                process.kill()
                await asyncio.shield(process.wait())
        if process.returncode != 0:
            detail = complaint.decode(errors="replace")[-_SAID_MAX:]
            raise LaunchError(f"it ended with exit code {process.returncode}", where=line, detail=detail)
        return said.decode(errors="replace")

    async def start(self, values: Mapping[str, str] | None = None) -> float:
        """Starts it and waits until it is ready; the seconds that took. Values of an earlier start are kept."""
        if values is not None:
            self._values = dict(values)
        if self.is_running:
            return 0.0
        if not is_free(self.port) and self._is_told_the_port() and self._process is None:
            self.port = free_port()
        for attempt in range(_PORTS_MAX):
            try:
                return await self._start_once()
            except LaunchError as error:
                taken = any(sign in error.detail.lower() for sign in _IN_USE)
                if not taken or not self._is_told_the_port() or attempt == _PORTS_MAX - 1:
                    raise
                self.port = free_port()
        raise LaunchError("no port could be had", where="service")

    async def _start_once(self) -> float:
        begun = time.monotonic()
        command = self.command()
        if command.note and command.note not in self.notes:
            self.notes.append(command.note)
        self._process = spawn(
            self._premises,
            "service",
            command.words,
            env={**self.environment(), **dict(command.env)},
            directory=self._directory(command.directory),
        )
        try:
            await self._become_ready(self._process)
        except BaseException:
            await asyncio.shield(self._process.kill())
            raise
        return time.monotonic() - begun

    async def _become_ready(self, process: Process) -> None:
        limit_s = self._settings.service.ready_timeout_s
        path = self._settings.service.ready
        until = time.monotonic() + limit_s
        said = ""
        looked_s = time.monotonic()
        while time.monotonic() < until:
            if not process.is_running:
                raise self._failure(process, f"exited with code {process.returncode} before it was ready")
            status = await ask_status(self.host, self.port, path or "/", until)
            if status is not None:
                refuse_stranger(self.port, process.tree(), "service")
                if not path or 200 <= status < 300:
                    return
                said = f"{path} answered {status}"
            else:
                said = ""
            process.trim()
            if status is None and time.monotonic() - looked_s > _SETTLE_S:
                looked_s = time.monotonic()
                self._follow_port(process)
            await asyncio.sleep(_POLL_S)
        said = said or self._silence(process)
        raise self._failure(process, f"was not ready within {limit_s:.0f} s: {said}")

    def _silence(self, process: Process) -> str:
        """Why there was no answer, as far as can be seen from outside."""
        ports = listening_ports(process.tree())
        if ports and self.port in ports:
            return f"it listens on port {self.port}, and gave no HTTP answer there"
        if ports:
            return (
                f"it listens on {', '.join(map(str, sorted(ports)))}, and not on the port {self.port} that it was given"
            )
        return "it never listened"

    def _follow_port(self, process: Process) -> None:
        """A service that takes no port from nines is met at the one it chose, when it is the only one."""
        ports = listening_ports(process.tree())
        if ports and self.port not in ports and len(ports) == 1:
            self.port = ports.pop()
            self.notes.append(f"the service ignores the port it is given and listens on {self.port}")

    def _is_told_the_port(self) -> bool:
        settings = self._settings.service
        told = (settings.command, *settings.env.values())
        return not settings.command or any(mentions(text, "port") for text in told)

    def _failure(self, process: Process, what: str) -> LaunchError:
        output = process.tail()
        return LaunchError(
            f"the service {what}",
            where=" ".join(self.command().words[:6]),
            detail=output or "It wrote nothing.",
            hint=self._advice(output, process.returncode),
        )

    def _advice(self, output: str, returncode: int | None) -> str:
        lowered = output.lower()
        if any(sign in lowered for sign in _IN_USE):
            return "Its port is taken: let it use {port} or $PORT, or stop the program that holds the port."
        if "modulenotfounderror" in lowered or "no module named" in lowered:
            return (
                f"A module is missing in {self.interpreter.path} ({self.interpreter.source}): set service.python to "
                "the interpreter with the service's dependencies, or service.directory to where it is started."
            )
        if "validation error" in lowered or "keyerror" in lowered or "environ" in lowered:
            return "It may lack a variable of its environment: give it in service.env."
        if returncode == 0:
            return "It must stay in the foreground: should it go to the background by itself, switch that off."
        if not output:
            line = shlex.join(self.command().words)
            return f"Try it by hand, in {self._settings.service.directory}: {line}"
        return "The lines above are the service's own; see service.command, service.env and service.ready."

    async def answers(self, limit_s: float) -> bool:
        """Whether it gives any HTTP answer in time."""
        path = self._settings.service.ready or "/"
        return await ask_status(self.host, self.port, path, time.monotonic() + limit_s) is not None

    async def kill(self) -> None:
        """SIGKILL to all of it."""
        if self._process is not None:
            await self._process.kill()

    async def terminate(self, limit_s: float = STOP_LIMIT_S) -> float | None:
        """SIGTERM as an orchestrator would; the seconds until it was gone, None when it had to be killed."""
        if self._process is None or not self._process.is_running:
            return 0.0
        return await self._process.terminate(limit_s)

    def _directory(self, relative: str) -> Path:
        return (self._root / relative).resolve()


async def ask_status(host: str, port: int, path: str, until: float) -> int | None:
    """The status of one GET, or None when no HTTP answer came."""
    left_s = min(ANSWER_LIMIT_S, max(0.05, until - time.monotonic()))
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(left_s):
            reader, writer = await asyncio.open_connection(host, port)
            request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: */*\r\nConnection: close\r\n\r\n"
            writer.write(request.encode("ascii", "replace"))
            line = await reader.readline()
    except (OSError, TimeoutError, ValueError):
        return None
    finally:
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), ANSWER_LIMIT_S)
    words = line.split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        return None
    return int(words[1])

"""One started process with its descendants: where its output goes, how it is ended, how long it takes to end."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import psutil

from nines.lab.launch.cleanup import Entry, Premises, is_alive
from nines.model.errors import LaunchError

TAIL_LINES = 20
LOG_BYTES_MAX = 32 * 1024 * 1024
KILL_LIMIT_S = 10.0
_TAIL_BYTES = 16 * 1024
_POLL_S = 0.01
_ROUNDS_MAX = 5
_PR_SET_PDEATHSIG = 1


class Process:
    """A running program of this run, in a session of its own, writing to one log file."""

    def __init__(self, name: str, popen: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.log = log
        self._popen = popen
        self.pid = popen.pid
        self.returncode: int | None = None

    @property
    def is_running(self) -> bool:
        if self.returncode is None:
            self.returncode = self._popen.poll()
        return self.returncode is None

    def tree(self) -> list[psutil.Process]:
        """The process and its living descendants."""
        if not self.is_running:
            return []
        with contextlib.suppress(psutil.Error):
            root = psutil.Process(self.pid)
            return [root, *root.children(recursive=True)]
        return []

    def tail(self, lines: int = TAIL_LINES) -> str:
        """The last lines that it wrote."""
        return tail(self.log, lines)

    def trim(self) -> None:
        """Empties a log that has outgrown its limit, keeping its end; the process appends, so it writes on."""
        with contextlib.suppress(OSError):
            if self.log.stat().st_size > LOG_BYTES_MAX:
                kept = self.tail(TAIL_LINES).encode("utf-8", "replace")
                with self.log.open("r+b") as file:
                    file.truncate(0)
                    file.write(b"[earlier output dropped]\n" + kept + b"\n")

    def send(self, number: int) -> None:
        """Sends a signal to the process alone, as a supervisor would."""
        if self.is_running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def kill(self) -> None:
        """SIGKILL to the whole group and to every descendant that moved to another; returns when all are gone."""
        members = self.tree()
        for _ in range(_ROUNDS_MAX):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            for member in members:
                with contextlib.suppress(psutil.Error):
                    member.kill()
            if await self._gone(members, KILL_LIMIT_S / _ROUNDS_MAX):
                return
            members = [member for member in members if is_alive(member)]
        raise LaunchError(
            f"{self.name} (process {self.pid}) does not die of SIGKILL", hint="It may hang in the kernel."
        )

    async def terminate(self, limit_s: float) -> float | None:
        """SIGTERM to the main process, SIGKILL after the limit; the seconds it took, or None when it was killed."""
        members = self.tree()
        begun = time.monotonic()
        self.send(signal.SIGTERM)
        is_gone = await self._gone(members, limit_s)
        took = time.monotonic() - begun
        if not is_gone:
            await self.kill()
        for member in members:
            with contextlib.suppress(psutil.Error):
                if is_alive(member):
                    member.kill()
        return took if is_gone else None

    async def wait(self, limit_s: float) -> bool:
        """Whether the process ended by itself in time."""
        return await self._gone([], limit_s)

    async def _gone(self, members: list[psutil.Process], limit_s: float) -> bool:
        until = time.monotonic() + limit_s
        while self.is_running or any(is_alive(member) for member in members):
            if time.monotonic() > until:
                return False
            await asyncio.sleep(_POLL_S)
        return True


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log file; "" where there is none."""
    try:
        with log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def spawn(
    premises: Premises,
    name: str,
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    directory: Path,
    user: int | None = None,
    group: int | None = None,
) -> Process:
    """Starts a program with its output in `<name>.log` of the premises; LaunchError when it cannot be executed.

    To be called on a thread that lives as long as the run: the kernel kills the child when that thread ends."""
    log = premises.directory / f"{name}.log"
    if "/" not in command[0] and shutil.which(command[0], path=env.get("PATH")) is None:
        raise _not_found(command[0], name)
    try:
        with log.open("ab") as output:
            popen = _popen(command, env=env, directory=directory, output=output, user=user, group=group)
    except FileNotFoundError as error:
        raise _not_found(command[0] if directory.is_dir() else str(directory), name) from error
    except (OSError, subprocess.SubprocessError) as error:
        raise LaunchError(f"{command[0]} cannot be executed: {error}", where=name) from error
    started_s = 0.0
    with contextlib.suppress(psutil.Error):
        started_s = psutil.Process(popen.pid).create_time()
    premises.write(Entry(kind="process", pid=popen.pid, started_s=started_s, name=name))
    return Process(name, popen, log)


def _not_found(what: str, name: str) -> LaunchError:
    return LaunchError(
        f"{what} was not found",
        where=name,
        hint="Correct service.command, service.directory or service.python in the configuration of nines.",
    )


def _popen(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    directory: Path,
    output: IO[bytes],
    user: int | None,
    group: int | None,
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 -- the owner's own command, split and never given to a shell
        list(command),
        env=dict(env),
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        user=user,
        group=group,
        extra_groups=[] if user is not None else None,
        preexec_fn=_die_with_parent(),  # noqa: PLW1509 -- one system call that was resolved before the fork
    )


def _die_with_parent() -> Callable[[], None] | None:
    """Asks the Linux kernel to kill the child when nines dies; elsewhere the warden alone sees to it."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    return ask

"""A run's premises: whatever it starts or creates is written down there, and is gone when the run is gone.

Three things see to it, each for the case that the one before it cannot act: the run itself on its way out, a
warden process that outlives it (kill -9, a crash), and the next run, which clears away premises whose owner is dead."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import IO

import msgspec
import psutil

from nines.model.errors import LaunchError
from nines.model.record import Record

MARK = "NINES_RUN"
"""The environment variable by which every process of a run is known, whatever session or parent it moves to."""
_PREFIX = "nines-lab-"
_LEDGER = "ledger"
_LOCK = "lock"
_GONE_LIMIT_S = 5.0
_POLL_S = 0.01
_DROP_LIMIT_S = 10.0
_ROUNDS_MAX = 5
_STALE_MAX = 50
_IPC_RMID = 0


class Entry(Record):
    """One line of the ledger: `kind` is "process", "cluster" or "database"."""

    kind: str
    pid: int = 0
    started_s: float = 0.0
    path: str = ""
    """The data directory of a cluster."""
    url: str = ""
    """Of the server that holds a database of this run, in its maintenance database."""
    name: str = ""


class Premises:
    """The directory, the lock, the ledger and the warden of one run."""

    def __init__(self, base: Path | None = None) -> None:
        self.run = secrets.token_hex(4)
        self._base = base or _temporary()
        self.directory = self._base / f"{_PREFIX}{self.run}"
        self._lock: IO[str] | None = None
        self._ledger: IO[bytes] | None = None
        self._warden: subprocess.Popen[bytes] | None = None

    def open(self) -> None:
        """Clears away what dead runs left, then takes possession."""
        clear_stale(self._base)
        try:
            self.directory.mkdir(mode=0o711)
            self._lock = (self.directory / _LOCK).open("w", encoding="ascii")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._ledger = (self.directory / _LEDGER).open("ab", buffering=0)
        except OSError as error:
            raise LaunchError(
                f"cannot create a working directory: {error.strerror}",
                where=str(self.directory),
                hint="Set TMPDIR to a directory that can be written.",
            ) from error
        self._warden = subprocess.Popen(  # noqa: S603 -- nines' own module
            [sys.executable, "-P", "-m", "nines.lab.launch.warden", str(self.directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )

    def close(self) -> None:
        """Ends and removes everything; may be called twice."""
        if self._lock is None:
            return
        settle(self.directory)
        for stream in (self._ledger, self._lock, self._warden.stdin if self._warden else None):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._lock = self._ledger = None
        if self._warden is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._warden.wait(_GONE_LIMIT_S)

    def write(self, entry: Entry) -> None:
        """Notes what must be gone in the end; to be called before or right after it comes into being."""
        if self._ledger is None:
            raise LaunchError("the run's premises are closed", hint="Open the laboratory first.")
        self._ledger.write(msgspec.json.encode(entry) + b"\n")

    def folder(self, name: str) -> Path:
        """A directory of this run with this name, made when it is missing."""
        path = self.directory / name
        path.mkdir(exist_ok=True)
        return path


def _temporary() -> Path:
    """The temporary directory; for root one that everyone may enter, because the database server runs as another."""
    usual = Path(tempfile.gettempdir())
    if os.geteuid() == 0:
        for folder in (usual, Path("/tmp"), Path("/var/tmp")):  # noqa: S108 -- the run's own folder in it is private
            if all(above.stat().st_mode & 0o001 for above in (folder, *folder.resolve().parents)):
                return folder
    return usual


def clear_stale(base: Path) -> int:
    """Settles the premises of runs that are dead; the number of them."""
    cleared = 0
    for directory in sorted(base.glob(f"{_PREFIX}*"))[:_STALE_MAX]:
        with contextlib.suppress(OSError):
            if directory.is_symlink() or directory.stat().st_uid != os.geteuid():
                continue
            if _is_abandoned(directory):
                settle(directory)
                cleared += 1
    return cleared


def _is_abandoned(directory: Path) -> bool:
    try:
        with (directory / _LOCK).open("r+", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        # Between making the directory and its lock a living run needs a moment.
        return time.time() - directory.stat().st_mtime > _GONE_LIMIT_S
    except OSError:
        return False
    return True


def settle(directory: Path) -> None:
    """Kills every process of the run, drops its databases and removes its directory; never raises."""
    if not directory.is_dir():
        return
    entries = list(_read(directory / _LEDGER))
    run = directory.name.removeprefix(_PREFIX)
    for _ in range(_ROUNDS_MAX):
        found = _members(entries, run, directory)
        if not found:
            break
        for process in found:
            with contextlib.suppress(psutil.Error):
                process.kill()
        until = time.monotonic() + _GONE_LIMIT_S
        # A zombie counts as gone: it waits for its parent only, and holds nothing.
        while any(is_alive(process) for process in found) and time.monotonic() < until:
            time.sleep(_POLL_S)
    for entry in entries:
        if entry.kind == "cluster":
            _remove_shared_memory(Path(entry.path))
    _drop_databases([entry for entry in entries if entry.kind == "database"])
    shutil.rmtree(directory, ignore_errors=True)


def _read(ledger: Path) -> Iterator[Entry]:
    try:
        lines = ledger.read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        with contextlib.suppress(msgspec.DecodeError):
            yield msgspec.json.decode(line, type=Entry)


def _members(entries: list[Entry], run: str, directory: Path) -> list[psutil.Process]:
    """Living processes of the run: those noted, their descendants, and whoever carries its mark or works in it."""
    found: dict[int, psutil.Process] = {}
    for entry in entries:
        if entry.kind != "process":
            continue
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(entry.pid)
            if is_same(process, entry.started_s):
                for member in (process, *process.children(recursive=True)):
                    found[member.pid] = member
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if _is_inside(process, directory) or process.environ().get(MARK) == run:
                found[process.pid] = process
    found.pop(os.getpid(), None)
    return [process for process in found.values() if is_alive(process)]


def _is_inside(process: psutil.Process, directory: Path) -> bool:
    # PostgreSQL writes its title over its environment, but every one of its processes works in the data directory.
    with contextlib.suppress(psutil.Error, OSError):
        return Path(process.cwd()).is_relative_to(directory)
    return False


def is_alive(process: psutil.Process) -> bool:
    """Whether the process still does something; a zombie does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def is_same(process: psutil.Process, started_s: float) -> bool:
    """Whether this is the process that was noted, and not another one under its number."""
    return abs(process.create_time() - started_s) < 1.0


def _remove_shared_memory(data: Path) -> None:
    """Removes the small System V segment that a killed PostgreSQL leaves, named in its postmaster.pid."""
    with contextlib.suppress(OSError, ValueError, IndexError, AttributeError):
        identifier = int((data / "postmaster.pid").read_text("utf-8").splitlines()[6].split()[1])
        ctypes.CDLL(None).shmctl(identifier, _IPC_RMID, None)


def _drop_databases(entries: list[Entry]) -> None:
    if not entries:
        return

    async def drop() -> None:
        import asyncpg  # noqa: PLC0415 -- only a run with a database server of its own has anything to drop

        for entry in entries:
            with contextlib.suppress(Exception):
                connection = await asyncpg.connect(entry.url, timeout=_DROP_LIMIT_S)
                try:
                    await connection.execute(f'DROP DATABASE IF EXISTS "{entry.name}" WITH (FORCE)')
                finally:
                    await connection.close(timeout=_DROP_LIMIT_S)

    # A thread of its own, because the caller may stand inside a running event loop.
    import threading  # noqa: PLC0415

    worker = threading.Thread(target=lambda: asyncio.run(drop()), daemon=True)
    worker.start()
    worker.join(_DROP_LIMIT_S * (1 + len(entries)))


@contextlib.contextmanager
def ending_on_signals() -> Iterator[None]:
    """Turns SIGTERM and SIGHUP into a cancellation of the current task, so that everything is closed on the way out.

    The process then ends by the same signal, as whoever sent it expects. SIGINT is asyncio's own business."""
    task = asyncio.current_task()
    received: list[int] = []
    taken: list[signal.Signals] = []

    def on_signal(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        if task is not None:
            task.get_loop().call_soon_threadsafe(task.cancel)

    for watched in (signal.SIGTERM, signal.SIGHUP):
        # Only the main thread may set handlers, and a handler that somebody else set is left alone.
        with contextlib.suppress(ValueError):
            if signal.getsignal(watched) is signal.SIG_DFL:
                signal.signal(watched, on_signal)
                taken.append(watched)
    try:
        yield
    finally:
        for watched in taken:
            signal.signal(watched, signal.SIG_DFL)
        if received:
            os.kill(os.getpid(), received[0])

"""A service on a laptop: a database that nobody has to install, and keys that nobody has to make.

    with laptop(os.environ, folder=Path(".local"), secrets=("CURSOR_KEY",)) as environment:
        run(lambda: application(environment), port=8000)

Only where ENVIRONMENT is `local`. Everything is kept in the folder, so that the next start finds it again."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets as chance
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType

from nines_runtime.data.embedded import EmbeddedServer

LOCAL = "local"
SECRET_BYTES = 32
STOP_S_MAX = 15.0


@contextlib.contextmanager
def laptop(
    environment: Mapping[str, str],
    *,
    folder: Path,
    secrets: tuple[str, ...] = (),
    database: str = "DB_URL",
) -> Iterator[Mapping[str, str]]:
    """The environment with what was missing. The database is stopped in the end, also after Ctrl-C or SIGTERM; one that
    another process of this service runs already is used and left alone."""
    if environment.get("ENVIRONMENT") != LOCAL:
        yield environment
        return
    found = dict(environment)
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for name in secrets:
        if name not in found and f"{name}_FILE" not in found:
            found[name] = kept_secret(folder / "secrets", name)
    if not database or database in found or f"{database}_FILE" in found:
        yield found
        return
    with _ending_on_signals(), _server(folder / "database") as url:
        yield {**found, database: url}


def kept_secret(folder: Path, name: str) -> str:
    """Made once, by chance, readable for its owner alone: 32 bytes as base64url, which every kind of key takes."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / name.lower()
    if not file.exists():
        made = folder / f".{name.lower()}.{os.getpid()}"
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as opened:
            opened.write(chance.token_urlsafe(SECRET_BYTES))
        with contextlib.suppress(FileExistsError):
            os.link(made, file)
        made.unlink()
    return file.read_text(encoding="ascii").strip()


@contextlib.contextmanager
def _server(folder: Path) -> Iterator[str]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "owner").open("w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield _running_url(folder)
            return
        _end_leftover(folder)
        server = EmbeddedServer(folder)
        try:
            server.start()
            yield server.url()
        finally:
            server.stop()


def _running_url(folder: Path) -> str:
    """Of the server that another process has started."""
    deadline_s = time.monotonic() + STOP_S_MAX
    while time.monotonic() < deadline_s:
        lines = _lock_lines(folder)
        if len(lines) > 7 and lines[7].strip() == "ready":
            server = EmbeddedServer(folder, port=int(lines[3]))
            return server.url()
        time.sleep(0.1)
    raise RuntimeError(f"Another process holds the database in {folder}, and it does not become ready.")


def _end_leftover(folder: Path) -> None:
    """A server whose owner was killed goes on by itself; it is stopped in order before a new one is started."""
    lines = _lock_lines(folder)
    if not lines or not lines[0].strip().isdigit():
        return
    process = int(lines[0])
    command = Path(f"/proc/{process}/cmdline")
    if not command.exists() or str(EmbeddedServer(folder, port=1).data).encode() not in command.read_bytes():
        return
    os.kill(process, signal.SIGINT)
    deadline_s = time.monotonic() + STOP_S_MAX
    while command.exists() and time.monotonic() < deadline_s:
        time.sleep(0.05)


def _lock_lines(folder: Path) -> list[str]:
    try:
        return (EmbeddedServer(folder, port=1).data / "postmaster.pid").read_text(encoding="utf-8").split("\n")
    except OSError:
        return []


@contextlib.contextmanager
def _ending_on_signals() -> Iterator[None]:
    """Before the server takes over the signals, and after it, SIGTERM ends the process in order."""

    def leave(sig: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + sig)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

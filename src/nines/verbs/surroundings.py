"""The Python that a service runs in, and whether it can speak to PostgreSQL: by what is installed, or else declared."""

from __future__ import annotations

import re
from pathlib import Path

from nines.lab.launch.interpreter import find_interpreter
from nines.model.errors import LaunchError
from nines.model.record import Record

_DRIVERS = ("psycopg2", "psycopg", "asyncpg", "pg8000")
_TOOLKIT = "sqlalchemy"
"""Gives drivers schemes of their own."""
_DECLARED_IN = ("pyproject.toml", "Pipfile", "setup.py", "setup.cfg", "requirements*.txt", "requirements/*.txt")
_DECLARATION_BYTES_MAX = 262_144
_DECLARATIONS_MAX = 20
_ASYNC_SCHEME = re.compile(r"\w+\+(aiosqlite|asyncpg|aiomysql|asyncmy)")


class Surroundings(Record):
    interpreter: str
    """How it was found, in words."""
    has_framework: bool
    """Whether the application could start in it at all."""
    drivers: frozenset[str]


def look_around(root: Path, directory: Path, python: str, framework: str) -> Surroundings:
    """Nothing of the service's own code is imported. SettingsError or LaunchError where `python` is none."""
    interpreter = find_interpreter(root, directory, python)
    try:
        installed = interpreter.installed((*_DRIVERS, _TOOLKIT, *([framework] if framework else [])))
    except LaunchError:
        if python:
            raise
        # A broken environment is told of when the service is started.
        installed = frozenset()
    has_framework = framework in installed or not framework
    drivers = installed - {framework}
    if not has_framework:
        text = "\n".join(_declarations({root, directory})).lower()
        drivers = frozenset(name for name in (*_DRIVERS, _TOOLKIT) if re.search(rf"\b{name}\b", text))
    return Surroundings(interpreter=interpreter.source, has_framework=has_framework, drivers=drivers)


def scheme_for(drivers: frozenset[str], replaced: str = "") -> str:
    """The scheme of a PostgreSQL's address that these drivers take, instead of one such as "sqlite"; "" for none."""
    if _ASYNC_SCHEME.fullmatch(replaced):
        return "postgresql+asyncpg" if "asyncpg" in drivers else ""
    if "psycopg2" in drivers or (drivers & set(_DRIVERS) and _TOOLKIT not in drivers):
        return "postgresql"
    return next((f"postgresql+{name}" for name in ("psycopg", "asyncpg", "pg8000") if name in drivers), "")


def _declarations(folders: set[Path]) -> list[str]:
    found: list[str] = []
    for folder in sorted(folders):
        for pattern in _DECLARED_IN:
            for path in sorted(folder.glob(pattern))[:_DECLARATIONS_MAX]:
                try:
                    with path.open("rb") as stream:
                        found.append(stream.read(_DECLARATION_BYTES_MAX).decode("utf-8", "replace"))
                except OSError:
                    continue
    return found

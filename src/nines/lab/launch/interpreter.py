"""The Python that has the service's dependencies, and what is installed in it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from nines.model.errors import LaunchError, SettingsError
from nines.model.record import Record

_FOLDERS = (".venv", "venv", "env", ".env")
_LEVELS_MAX = 4
_ASK_LIMIT_S = 30.0
_POETRY_CACHES = ("~/.cache/pypoetry/virtualenvs", "~/Library/Caches/pypoetry/virtualenvs")
_ASK = (
    "import importlib.util as u, json, sys\nprint(json.dumps([n for n in sys.argv[1:] if u.find_spec(n) is not None]))"
)


class Interpreter(Record):
    """A Python and how it was found, in words."""

    path: str
    source: str
    is_last_resort: bool = False

    @property
    def bin(self) -> str:
        """The folder with its programs; not resolved, because a virtual environment links to another Python."""
        return str(Path(self.path).parent)

    def installed(self, modules: Iterable[str]) -> frozenset[str]:
        """Which of these top-level modules it has; nothing of the service's own code is imported."""
        try:
            result = subprocess.run(  # noqa: S603 -- the owner's own interpreter
                [self.path, "-c", _ASK, *modules],
                cwd="/",
                capture_output=True,
                text=True,
                timeout=_ASK_LIMIT_S,
                check=True,
            )
            return frozenset(json.loads(result.stdout))
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            raise LaunchError(
                f"the Python interpreter does not answer: {error}",
                where=self.path,
                hint="Set service.python to one that works.",
            ) from error


def find_interpreter(root: Path, directory: Path, wanted: str) -> Interpreter:
    """The configured interpreter, else a virtual environment in or above the directory, else nines' own."""
    if wanted:
        return Interpreter(path=_configured(root, wanted), source="service.python")
    for path, source in _candidates(directory):
        if os.access(path, os.X_OK):
            return Interpreter(path=str(path), source=source)
    source = "the interpreter of nines itself, for no other was found"
    return Interpreter(path=sys.executable, source=source, is_last_resort=True)


def _configured(root: Path, wanted: str) -> str:
    path = root / Path(wanted).expanduser()
    found = path / "bin" / "python" if path.is_dir() else path
    if os.access(found, os.X_OK):
        return str(found)
    program = shutil.which(wanted)
    if program is None:
        raise SettingsError(
            f"{wanted} is not a Python interpreter",
            where="service.python",
            hint="Name the interpreter or its virtual environment, relative to the project's root.",
        )
    return program


def _candidates(directory: Path) -> Iterator[tuple[Path, str]]:
    here = directory.resolve()
    for folder in (here, *list(here.parents)[:_LEVELS_MAX]):
        for name in _FOLDERS:
            if (folder / name / "pyvenv.cfg").is_file():
                yield folder / name / "bin" / "python", f"the virtual environment {folder / name}"
        yield from _poetry(folder)
    active = os.environ.get("VIRTUAL_ENV")
    if active and Path(active).resolve() != Path(sys.prefix).resolve():
        yield Path(active) / "bin" / "python", "the active virtual environment"
    conda = os.environ.get("CONDA_PREFIX")
    if conda:
        yield Path(conda) / "bin" / "python", "the active conda environment"


def _poetry(folder: Path) -> Iterator[tuple[Path, str]]:
    """Poetry keeps environments elsewhere, named after the project; taken only when there is exactly one."""
    project = folder / "pyproject.toml"
    try:
        name = tomllib.loads(project.read_text("utf-8")).get("tool", {}).get("poetry", {}).get("name", "")
    except (OSError, ValueError, AttributeError):
        return
    if not isinstance(name, str) or not name:
        return
    stem = re.sub(r"[ $`!*@\"\\\r\n\t]", "_", name.lower())[:42]
    for cache in _POETRY_CACHES:
        found = list(Path(cache).expanduser().glob(f"{stem}-????????-py3*"))
        if len(found) == 1:
            yield found[0] / "bin" / "python", "the project's Poetry environment"

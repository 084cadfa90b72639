"""The files of a project that declare tables in SQL."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from nines.model.record import Record
from nines.readers.python.files import SKIPPED_FOLDERS

FILES_MAX = 1_000
FILE_BYTES_MAX = 500_000
"""A longer file is a dump with its data, and no schema that somebody wrote."""
BYTES_MAX = 4_000_000
FOLDERS_MAX = 20_000
_TABLE = re.compile(r"\bcreate\s+(?:unlogged\s+)?table\b", re.IGNORECASE)
_TESTS = frozenset({"test", "tests", "fixtures", "testdata", "node_modules"})


class SchemaFile(Record):
    """A file of SQL; `name` is relative to the project's root."""

    name: str
    text: str


def schema_files(root: Path) -> tuple[SchemaFile, ...]:
    """Files of SQL in the order of their names, from the first that declares a table; links are not followed."""
    files: list[SchemaFile] = []
    left = BYTES_MAX
    for path in _paths(root):
        try:
            if path.stat().st_size > min(FILE_BYTES_MAX, left):
                continue
            text = path.read_bytes().decode("utf-8", "replace")
        except OSError:
            continue
        left -= len(text)
        files.append(SchemaFile(name=path.relative_to(root).as_posix(), text=text))
    first = next((number for number, file in enumerate(files) if _TABLE.search(file.text)), len(files))
    return tuple(files[first:])


def _paths(root: Path) -> Iterator[Path]:
    found = 0
    for folders, (folder, inner, names) in enumerate(os.walk(root)):
        inner[:] = sorted(n for n in inner if n not in SKIPPED_FOLDERS | _TESTS and not n.startswith("."))
        if folders >= FOLDERS_MAX or found >= FILES_MAX:
            return
        for name in sorted(names):
            path = Path(folder) / name
            if name.endswith(".sql") and not path.is_symlink():
                found += 1
                yield path

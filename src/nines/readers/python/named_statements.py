"""Statements that a project keeps under names in files of SQL."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from nines.model.code import Import, Module, NamedStatement
from nines.readers.python.files import SKIPPED_FOLDERS

LOADERS = frozenset({"aiosql", "anosql", "pugsql"})
"""Libraries that make a function of each named statement."""
FILES_MAX = 500
FILE_BYTES_MAX = 500_000
FOLDERS_MAX = 20_000

_NAME = re.compile(r"^--\s*name\s*:\s*([\w-]+?)(\^|\$|<!|\*!|!|#)?\s*(?:\([^)]*\))?\s*$", re.MULTILINE)


def named_statements(root: Path, modules: Iterable[Module]) -> tuple[NamedStatement, ...]:
    """Every named statement below the root, where a module imports a library that loads them; else none is sought."""
    if not any(_loads(module) for module in modules):
        return ()
    return tuple(statement for file in _files(root) for statement in _statements(root, file))


def _loads(module: Module) -> bool:
    for statement in module.body:
        if isinstance(statement, Import):
            names = {statement.module, *(item.name for item in statement.names)}
            if any(name.partition(".")[0] in LOADERS for name in names if name):
                return True
    return False


def _files(root: Path) -> Iterator[Path]:
    """Files of SQL in a stable order; links are not followed."""
    found = 0
    for folders, (folder, inner, names) in enumerate(os.walk(root)):
        inner[:] = sorted(name for name in inner if name not in SKIPPED_FOLDERS and not name.startswith("."))
        if folders >= FOLDERS_MAX:
            return
        for name in sorted(names):
            path = Path(folder) / name
            if name.endswith(".sql") and not path.is_symlink():
                found += 1
                if found > FILES_MAX:
                    return
                yield path


def _statements(root: Path, path: Path) -> Iterator[NamedStatement]:
    try:
        with path.open("rb") as stream:
            text = stream.read(FILE_BYTES_MAX).decode("utf-8", "replace")
    except OSError:
        return
    heads = list(_NAME.finditer(text))
    file = path.relative_to(root).as_posix()
    for head, following in zip(heads, [*heads[1:], None], strict=True):
        body = text[head.end() : following.start() if following else len(text)].strip().rstrip(";").strip()
        if body:
            line = text.count("\n", 0, head.start()) + 1
            name = head[1].replace("-", "_")
            yield NamedStatement(name=name, kind=head[2] or "", text=body, file=file, line=line)

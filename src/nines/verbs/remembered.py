"""Keeps between two runs what the analysis remembers of every entry point."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

import nines
from nines.effects import Memo
from nines.readers.python.cache import Cache
from nines.readers.python.key import user_key
from nines.verbs.project import Project

_NAME = hashlib.blake2b(b"traces", digest_size=16).digest()
_PARTS = ("effects", "model", "readers")
"""The parts of nines that decide what a trace says."""


class Remembered:
    """The memory of one project; without a folder or a key of one's own it stays empty and is not kept."""

    def __init__(self, project: Project) -> None:
        key = user_key() if project.cache is not None else None
        self._store = Cache(project.cache, project.root, key, "traces") if project.cache and key else None
        found = self._store.get(_NAME) if self._store is not None else None
        self._before = bytes(found) if found is not None else b""
        self.memo = Memo(stamp=_stamp() if self._store is not None else b"", content=self._before)

    def keep(self) -> None:
        if self._store is not None and self.memo.content != self._before:
            self._store.store({_NAME: self.memo.content}, frozenset({_NAME}))


def _stamp() -> bytes:
    """Another one for every other state of nines itself, an edited checkout included."""
    root = Path(nines.__file__).parent
    digest = hashlib.blake2b(nines.__version__.encode(), digest_size=16)
    for part in _PARTS:
        for path in sorted((root / part).rglob("*")):
            if path.suffix in (".py", ".toml", ".model"):
                status = path.stat()
                digest.update(f"{path.relative_to(root)} {status.st_size} {status.st_mtime_ns}\n".encode())
    for name in ("sqlglot", "msgspec"):
        # Asking for a distribution's version takes longer than everything else here.
        spec = find_spec(name)
        for path in sorted(Path(spec.origin).parent.glob("*.py")) if spec is not None and spec.origin else ():
            status = path.stat()
            digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.digest()

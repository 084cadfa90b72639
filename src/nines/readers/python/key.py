"""The secret by which nines knows its own cache.

The cache lies inside the project, and a project may come from anybody: facts that somebody else has put there must not
be mistaken for what reading the sources found. So packs are signed with a key that only this user's account holds."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

KEY_BYTES = 32


def user_key() -> bytes | None:
    """This user's key, made on first use; None where the account has no place for one, and then nothing is cached."""
    try:
        path = _path()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = _read(path)
        if found is None:
            _make(path)
            found = _read(path)
    except (OSError, RuntimeError):
        return None
    return found


def _path() -> Path:
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "nines" / "key"


def _read(path: Path) -> bytes | None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(content) == KEY_BYTES:
        return content
    path.unlink()
    return None


def _make(path: Path) -> None:
    """Writes a key beside and links it into place, so that of two processes one wins and both read the same."""
    fresh = path.with_name(f".{secrets.token_hex(8)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(secrets.token_bytes(KEY_BYTES))
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        fresh.unlink()

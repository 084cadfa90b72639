"""Keeps the facts of files by their content, in one pack file for each project and interpreter.

A pack is read whole, for a warm run needs nearly all of it, and replaced whole and atomically, so that two runs at once
cannot spoil it: the later one wins. What a pack says is believed only where it bears this user's signature; anything
else is read again from the sources."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import stat
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from nines.model.code import FORMAT
from nines.model.record import NodeMeta

READER_FORMAT = 2
"""Raised whenever the same source is lowered to other facts."""
PACK_BYTES_MAX = 1_000_000_000
UNUSED_RUNS_MAX = 8
"""How many rewritings an entry outlives that no run has asked for: enough to switch branches and back."""
PACKS_MAX = 64
"""Pack files in one folder; the longest untouched ones beyond are deleted."""
_MAGIC = b"nines-facts-pack"
_SIGNATURE_BYTES = 16
_HEADER_BYTES = len(_MAGIC) + 8 + _SIGNATURE_BYTES
_OWN_NAME = re.compile(r"((?:python|traces)-[0-9a-f]{24}|\.nines-writing-\w+)\.pack")


class _Entry(msgspec.Struct, metaclass=NodeMeta):
    digest: bytes
    offset: int
    length: int
    signature: bytes
    unused_runs: int = 0


_INDEX = msgspec.msgpack.Decoder(tuple[_Entry, ...])


def digest_of(source: bytes) -> bytes:
    """What identifies a file's content together with everything else that its facts depend on."""
    return hashlib.blake2b(source, digest_size=16, key=_VERSION).digest()


_VERSION = f"{FORMAT}.{READER_FORMAT}.{sys.version_info.major}.{sys.version_info.minor}.{sys.hexversion:x}".encode()


class Cache:
    """The pack of one project; a folder that cannot be used makes every look-up miss, and is no error."""

    def __init__(self, folder: Path, root: Path, key: bytes, kind: str = "python") -> None:
        identity = hashlib.blake2b(os.fsencode(root.resolve()) + b"\0" + _VERSION, digest_size=12).hexdigest()
        self._path = folder / f"{kind}-{identity}.pack"
        self._root = root
        self._key = key
        self._data = memoryview(b"")
        self._entries: dict[bytes, _Entry] = {}
        self._load()

    def get(self, digest: bytes) -> memoryview | None:
        """The facts stored under a digest, undamaged."""
        entry = self._entries.get(digest)
        if entry is None:
            return None
        blob = self._data[entry.offset : entry.offset + entry.length]
        if len(blob) != entry.length or not hmac.compare_digest(self._signed(digest, blob), entry.signature):
            del self._entries[digest]
            return None
        return blob

    def store(self, new: Mapping[bytes, bytes], used: frozenset[bytes]) -> None:
        """Adds what is new and forgets what has not been used for long; does nothing where nothing is new."""
        if not new or not self._is_own_folder():
            return
        kept: list[tuple[_Entry, memoryview | bytes]] = []
        for digest, entry in self._entries.items():
            unused_runs = 0 if digest in used else entry.unused_runs + 1
            if digest not in new and unused_runs <= UNUSED_RUNS_MAX:
                blob = self._data[entry.offset : entry.offset + entry.length]
                kept.append((_Entry(digest, 0, entry.length, entry.signature, unused_runs), blob))
        kept += [(_Entry(digest, 0, len(blob), self._signed(digest, blob)), blob) for digest, blob in new.items()]
        if sum(entry.length for entry, _ in kept) > PACK_BYTES_MAX:
            return
        with contextlib.suppress(OSError):
            self._write(kept)
            _prune(self._path)

    def _signed(self, digest: bytes, content: bytes | memoryview) -> bytes:
        """What only this user can write beside the content; the digest binds it to its source."""
        signing = hashlib.blake2b(digest, digest_size=_SIGNATURE_BYTES, key=self._key)
        signing.update(content)
        return signing.digest()

    def _is_own_folder(self) -> bool:
        """False where a project has put a link in the place of the folder, to have us write elsewhere."""
        folder = self._path.parent
        return not folder.is_relative_to(self._root) or folder.resolve().is_relative_to(self._root.resolve())

    def _load(self) -> None:
        try:
            status = self._path.lstat()
            if not stat.S_ISREG(status.st_mode) or status.st_size > PACK_BYTES_MAX + _HEADER_BYTES:
                return
            data = memoryview(self._path.read_bytes())
        except OSError:
            return
        if data[: len(_MAGIC)] != _MAGIC or len(data) < _HEADER_BYTES:
            return
        length = int.from_bytes(data[len(_MAGIC) : len(_MAGIC) + 8])
        index = data[_HEADER_BYTES : _HEADER_BYTES + length]
        if not hmac.compare_digest(self._signed(b"", index), bytes(data[len(_MAGIC) + 8 : _HEADER_BYTES])):
            return
        try:
            entries = _INDEX.decode(index)
        except msgspec.DecodeError:
            return
        self._data = data[_HEADER_BYTES + length :]
        self._entries = {entry.digest: entry for entry in entries if entry.offset >= 0 and entry.length >= 0}

    def _write(self, kept: list[tuple[_Entry, memoryview | bytes]]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        entries = []
        offset = 0
        for entry, _ in kept:
            entries.append(_Entry(entry.digest, offset, entry.length, entry.signature, entry.unused_runs))
            offset += entry.length
        index = msgspec.msgpack.encode(entries)
        header = _MAGIC + len(index).to_bytes(8) + self._signed(b"", index)
        handle, name = tempfile.mkstemp(prefix=".nines-writing-", suffix=".pack", dir=self._path.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(header)
                stream.write(index)
                stream.writelines(blob for _, blob in kept)
            Path(name).replace(self._path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise


def _prune(current: Path) -> None:
    """Deletes the packs that nobody has written for longest, and what crashed writers left; nothing but our own."""
    packs = [path for path in current.parent.iterdir() if _OWN_NAME.fullmatch(path.name)]
    packs.sort(key=lambda pack: pack.lstat().st_mtime, reverse=True)
    for pack in packs[PACKS_MAX:]:
        if pack != current:
            pack.unlink()

"""Written files in their folder: nothing half written, nothing of anybody else's overwritten or removed."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import msgspec

from nines.model.design import Document
from nines.model.errors import NinesError, UsageError
from nines.model.record import Record, StrictRecord

FILES_MAX = 5_000
_LOCK_BYTES_MAX = 4_000_000
_SHOWN_MAX = 20
_DIFF_BYTES_MAX = 200_000
_TEMPORARY = ".nines-"


class Kind(Record):
    """What a folder holds, in the words of its messages."""

    lock: str
    noun: str
    command: str
    """That writes one."""


DOSSIER = Kind(lock="nines-dossier.lock", noun="dossier", command="nines design BLUEPRINT -o FOLDER")
SERVICE = Kind(lock="nines.lock", noun="service", command="nines build BLUEPRINT -o FOLDER")


class Item(Record):
    """One file as it shall stand."""

    path: str
    content: bytes
    is_owned: bool = False
    """Somebody else's from the moment it was created: never overwritten, removed, or created a second time."""
    is_continued: bool = False
    """Made of what stands there, so that nothing of it is lost whoever wrote it."""


class Lock(StrictRecord):
    """What was written, so that a later run knows its own files from those that somebody edited."""

    version: int
    source: str
    files: dict[str, tuple[str, ...]]
    """Hashes (SHA-256) under their paths; two of them only while files are being replaced."""
    owned: tuple[str, ...] = ()
    """What was created once and is the owner's."""
    generator: str = ""
    """The version that wrote it."""
    is_ejected: bool = False
    """The runtime's source stands beside the service and is the owner's too."""
    runtime: str = ""
    """The version of that source."""


class Comparison(Record):
    """What a folder holds, beside what it shall hold; paths relative to it, sorted."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    """Would be overwritten, and somebody else wrote what stands there."""
    stale: tuple[str, ...] = ()
    """Of an earlier run, and no longer made."""
    orphaned: tuple[str, ...] = ()
    """The same, and edited since: they stay."""
    kept: tuple[str, ...] = ()
    """The owner's, whatever became of them."""
    unused: tuple[str, ...] = ()
    """The owner's too, and no longer spoken of: of a gateway or a hook that is gone, or has another name."""
    is_locked: bool = True
    """Whether the lock agrees with the files."""

    @property
    def is_current(self) -> bool:
        return self.is_locked and not (self.new or self.changed or self.edited or self.stale)


def items(documents: Iterable[Document]) -> tuple[Item, ...]:
    return tuple(Item(path=document.path, content=document.text.encode()) for document in documents)


class Handover:
    """One set of files for one folder; `head` is what the lock tells beside them."""

    def __init__(self, folder: Path, files: Sequence[Item], head: Lock, *, kind: Kind = DOSSIER) -> None:
        self.folder, self.kind, self.head = folder, kind, head
        self._items = {item.path: item for item in files}
        self._check(files)
        self._lock = read_lock(folder, kind)

    def compare(self) -> Comparison:
        """How the folder stands."""
        found: dict[str, list[str]] = {}
        for item in self._items.values():
            found.setdefault(self._standing(item), []).append(item.path)
        for path in sorted(set(self._lock.files) - self._items.keys()):
            digest = _digest_of(self.folder / path)
            if digest:
                found.setdefault("stale" if digest in self._lock.files[path] else "orphaned", []).append(path)
        left = set(self._lock.owned) - self._items.keys()
        found["unused"] = [path for path in left if (self.folder / path).is_file()]
        return Comparison(
            **{kind: tuple(sorted(paths)) for kind, paths in found.items()},
            is_locked=_text_of(self.folder / self.kind.lock) == _encoded(self._wanted()),
        )

    def write(self, comparison: Comparison, *, force: bool) -> None:
        """Brings the folder up to date, all files or none; raises UsageError where somebody's edits would be lost."""
        if comparison.edited and not force:
            raise self._edits(comparison.edited)
        if comparison.is_current:
            return
        renewed = [self._items[path] for path in (*comparison.new, *comparison.changed, *comparison.edited)]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            staged = self._staged(renewed)
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            if renewed:
                # An interruption from here on leaves old and new files side by side, and this lock knows both.
                _replace(self.folder / self.kind.lock, _encoded(self._both()).encode())
            for temporary, target in staged:
                temporary.replace(target)
            for path in comparison.stale:
                (self.folder / path).unlink(missing_ok=True)
                _prune(self.folder, (self.folder / path).parent)
            _replace(self.folder / self.kind.lock, _encoded(self._wanted()).encode())
        except OSError as error:
            raise self._unwritable(error) from error
        finally:
            for temporary, _ in staged:
                with contextlib.suppress(OSError):
                    temporary.unlink()

    @property
    def _generated(self) -> dict[str, Item]:
        return {path: item for path, item in self._items.items() if not item.is_owned}

    def _wanted(self) -> Lock:
        """What the lock says when everything stands."""
        files = {path: (_digest(item.content),) for path, item in sorted(self._generated.items())}
        created = {path for path, item in self._items.items() if item.is_owned}
        return msgspec.structs.replace(self.head, files=files, owned=tuple(sorted({*self._lock.owned, *created})))

    def _both(self) -> Lock:
        """What it says while files are being replaced: an owner's file counts as created when it stands."""
        known = self._lock.files
        both = {path: (*known.get(path, ()), _digest(item.content)) for path, item in self._generated.items()}
        return msgspec.structs.replace(self.head, files=dict(sorted({**known, **both}.items())), owned=self._lock.owned)

    def _check(self, files: Sequence[Item]) -> None:
        folder, noun = self.folder, self.kind.noun
        if folder.exists() and not folder.is_dir():
            raise UsageError("this is no folder", where=str(folder), hint=f"Name one: {self.kind.command}")
        if len(files) > FILES_MAX:
            raise NinesError(f"the {noun} would have more than {FILES_MAX:,} files", where=str(folder))
        seen: set[str] = set()
        for item in files:
            path = PurePosixPath(item.path)
            if path.is_absolute() or ".." in path.parts or str(path) != item.path or item.path == self.kind.lock:
                raise NinesError(f"a file would stand outside of the {noun}: {item.path}", where=str(folder))
            if item.path.lower() in seen:
                raise NinesError(f"two parts of the {noun} write one file: {item.path}", where=str(folder))
            seen.add(item.path.lower())
            self._check_inside(path)

    def _check_inside(self, path: PurePosixPath) -> None:
        """A folder that is a link would carry its files elsewhere."""
        for parent in path.parents:
            here = self.folder / parent
            if here != self.folder and (here.is_symlink() or (here.exists() and not here.is_dir())):
                raise UsageError(
                    f"this is no folder of the {self.kind.noun}", where=str(here), hint="Move it away, or name another."
                )

    def _standing(self, item: Item) -> str:
        target = self.folder / item.path
        if not os.path.lexists(target):
            return "kept" if item.is_owned and item.path in self._lock.owned else "new"
        if item.is_owned:
            return "kept"
        digest = _digest_of(target)
        if digest == _digest(item.content) and not target.is_symlink():
            return "unchanged"
        is_ours = item.is_continued or (digest and digest in self._lock.files.get(item.path, ()))
        return "changed" if is_ours and target.is_file() else "edited"

    def _staged(self, renewed: Iterable[Item]) -> list[tuple[Path, Path]]:
        """Every file beside its place, so that what is left to do is renaming."""
        staged: list[tuple[Path, Path]] = []
        try:
            for item in renewed:
                target = self.folder / item.path
                target.parent.mkdir(parents=True, exist_ok=True)
                if target.is_dir() and not target.is_symlink():
                    raise UsageError(f"a folder stands where a file of the {self.kind.noun} belongs", where=str(target))
                staged.append((_written(target, item.content), target))
        except BaseException:
            for temporary, _ in staged:
                with contextlib.suppress(OSError):
                    temporary.unlink()
            raise
        return staged

    def _edits(self, edited: Sequence[str]) -> UsageError:
        lines = [f"  {path}: {_lost(self.folder / path, self._items[path].content)}" for path in edited[:_SHOWN_MAX]]
        if len(edited) > _SHOWN_MAX:
            lines.append(f"  ... and {len(edited) - _SHOWN_MAX} more")
        return UsageError(
            f"{len(edited)} file{'s' if len(edited) > 1 else ''} would be overwritten that nines did not write like "
            "this",
            where=str(self.folder),
            detail="\n".join(lines),
            hint="Move what you wrote to a file of your own, or overwrite it with --force. Nothing was written.",
        )

    def _unwritable(self, error: OSError) -> UsageError:
        return UsageError(
            f"it cannot be written: {error.strerror or error}",
            where=str(error.filename or self.folder),
            hint=f"Name a folder of your own: {self.kind.command}",
        )


def read_lock(folder: Path, kind: Kind) -> Lock:
    """Of an earlier run; one that cannot be read knows nothing, so that every file counts as edited."""
    nothing = Lock(version=1, source="", files={})
    try:
        with (folder / kind.lock).open("rb") as stream:
            lock = msgspec.json.decode(stream.read(_LOCK_BYTES_MAX), type=Lock)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return nothing
    known = {
        path: hashes
        for path, hashes in lock.files.items()
        if not (PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts)
    }
    return msgspec.structs.replace(lock, files=known)


def write_lock(folder: Path, kind: Kind, lock: Lock) -> None:
    _replace(folder / kind.lock, _encoded(lock).encode())


def put(target: Path, content: bytes) -> None:
    """Writes one file, whole or not at all, with the folders that lead to it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _replace(target, content)


def _encoded(lock: Lock) -> str:
    return msgspec.json.format(msgspec.json.encode(lock), indent=1).decode() + "\n"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest_of(path: Path) -> str:
    """ "" for what is no file that can be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _written(target: Path, content: bytes) -> Path:
    handle, name = tempfile.mkstemp(prefix=_TEMPORARY, dir=target.parent)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
    umask = os.umask(0)
    os.umask(umask)
    Path(name).chmod(0o666 & ~umask)
    return Path(name)


def _replace(target: Path, content: bytes) -> None:
    _written(target, content).replace(target)


def _prune(folder: Path, empty: Path) -> None:
    """Removes folders that the last stale file left empty."""
    while empty != folder and folder in empty.parents:
        try:
            empty.rmdir()
        except OSError:
            return
        empty = empty.parent


def _lost(path: Path, content: bytes) -> str:
    """How much of what stands there is nowhere in the new file."""
    if not path.is_file():
        return "is no file"
    if path.stat().st_size > _DIFF_BYTES_MAX:
        return "differs"
    delta = difflib.ndiff(content.decode("utf-8", "replace").splitlines(), _text_of(path).splitlines())
    lost = [line[2:].strip() for line in delta if line.startswith("+ ")]
    if not lost:
        return "lines were taken out"
    first = next((line for line in lost if line), "")
    return f"{len(lost)} line{'s' if len(lost) > 1 else ''} would be lost: {first[:60]}"

"""The files of a dossier in their folder: nothing half written, nothing of anybody else's overwritten or removed."""

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

LOCK = "nines-dossier.lock"
FILES_MAX = 5_000
_LOCK_BYTES_MAX = 4_000_000
_SHOWN_MAX = 20
_DIFF_BYTES_MAX = 200_000
_TEMPORARY = ".nines-"


class _Lock(StrictRecord):
    """What was written, so that a later run knows its own files from those that somebody edited."""

    version: int
    source: str
    files: dict[str, tuple[str, ...]]
    """Hashes (SHA-256) under their paths; two of them only while files are being replaced."""


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
    is_locked: bool = True
    """Whether the lock agrees with the files."""

    @property
    def is_current(self) -> bool:
        return self.is_locked and not (self.new or self.changed or self.edited or self.stale)


def compare(folder: Path, documents: Sequence[Document], source: str) -> Comparison:
    """Raises UsageError where the folder cannot hold a dossier."""
    _check(folder, documents)
    known = _known(folder)
    found: dict[str, list[str]] = {}
    for document in documents:
        found.setdefault(_standing(folder, document, known), []).append(document.path)
    wanted = {document.path for document in documents}
    for path in sorted(set(known) - wanted):
        digest = _digest_of(folder / path)
        if digest:
            found.setdefault("stale" if digest in known[path] else "orphaned", []).append(path)
    return Comparison(
        **{kind: tuple(sorted(paths)) for kind, paths in found.items()},
        is_locked=_text_of(folder / LOCK) == _locked(documents, source),
    )


def write(folder: Path, documents: Sequence[Document], source: str, comparison: Comparison, *, force: bool) -> None:
    """Brings the folder up to date, all files or none; raises UsageError where somebody's edits would be lost."""
    if comparison.edited and not force:
        raise _edits(folder, documents, comparison.edited)
    if comparison.is_current:
        return
    by_path = {document.path: document for document in documents}
    renewed = [by_path[path] for path in (*comparison.new, *comparison.changed, *comparison.edited)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        known = _known(folder)
        staged = _staged(folder, renewed)
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        if renewed:
            # An interruption from here on leaves old and new files side by side, and this lock knows both.
            both = {document.path: (*known.get(document.path, ()), _digest(document.text)) for document in documents}
            _replace(folder / LOCK, _encoded(source, {**known, **both}))
        for temporary, target in staged:
            temporary.replace(target)
        for path in comparison.stale:
            (folder / path).unlink(missing_ok=True)
            _prune(folder, (folder / path).parent)
        _replace(folder / LOCK, _locked(documents, source))
    except OSError as error:
        raise _unwritable(folder, error) from error
    finally:
        for temporary, _ in staged:
            with contextlib.suppress(OSError):
                temporary.unlink()


def _check(folder: Path, documents: Sequence[Document]) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError("this is no folder", where=str(folder), hint="Name one: nines design BLUEPRINT -o dossier")
    if len(documents) > FILES_MAX:
        raise NinesError(f"the dossier would have more than {FILES_MAX:,} files", where=str(folder))
    seen: set[str] = set()
    for document in documents:
        path = PurePosixPath(document.path)
        if path.is_absolute() or ".." in path.parts or str(path) != document.path or document.path == LOCK:
            raise NinesError(f"a chapter names a file outside of the dossier: {document.path}", where=str(folder))
        if document.path.lower() in seen:
            raise NinesError(f"two chapters write one file: {document.path}", where=str(folder))
        seen.add(document.path.lower())
        _check_inside(folder, path)


def _check_inside(folder: Path, path: PurePosixPath) -> None:
    """A folder of the dossier that is a link would carry its files elsewhere."""
    for parent in path.parents:
        here = folder / parent
        if here != folder and (here.is_symlink() or (here.exists() and not here.is_dir())):
            raise UsageError("this is no folder of the dossier", where=str(here), hint="Move it away, or name another.")


def _standing(folder: Path, document: Document, known: dict[str, tuple[str, ...]]) -> str:
    target = folder / document.path
    if not os.path.lexists(target):
        return "new"
    digest = _digest_of(target)
    if digest == _digest(document.text) and not target.is_symlink():
        return "unchanged"
    return "changed" if digest and digest in known.get(document.path, ()) else "edited"


def _known(folder: Path) -> dict[str, tuple[str, ...]]:
    """The hashes of an earlier run; a lock that cannot be read knows nothing, so that every file counts as edited."""
    try:
        with (folder / LOCK).open("rb") as stream:
            lock = msgspec.json.decode(stream.read(_LOCK_BYTES_MAX), type=_Lock)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return {
        path: hashes
        for path, hashes in lock.files.items()
        if not (PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts)
    }


def _locked(documents: Iterable[Document], source: str) -> str:
    return _encoded(source, {document.path: (_digest(document.text),) for document in documents})


def _encoded(source: str, files: dict[str, tuple[str, ...]]) -> str:
    lock = _Lock(version=1, source=source, files=dict(sorted(files.items())))
    return msgspec.json.format(msgspec.json.encode(lock), indent=1).decode() + "\n"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


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


def _staged(folder: Path, documents: Iterable[Document]) -> list[tuple[Path, Path]]:
    """Every document beside its place, so that what is left to do is renaming."""
    staged: list[tuple[Path, Path]] = []
    try:
        for document in documents:
            target = folder / document.path
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_dir() and not target.is_symlink():
                raise UsageError("a folder stands where a file of the dossier belongs", where=str(target))
            staged.append((_written(target, document.text), target))
    except BaseException:
        for temporary, _ in staged:
            with contextlib.suppress(OSError):
                temporary.unlink()
        raise
    return staged


def _written(target: Path, text: str) -> Path:
    handle, name = tempfile.mkstemp(prefix=_TEMPORARY, dir=target.parent)
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
    umask = os.umask(0)
    os.umask(umask)
    Path(name).chmod(0o666 & ~umask)
    return Path(name)


def _replace(target: Path, text: str) -> None:
    _written(target, text).replace(target)


def _prune(folder: Path, empty: Path) -> None:
    """Removes folders that the last stale file left empty."""
    while empty != folder and folder in empty.parents:
        try:
            empty.rmdir()
        except OSError:
            return
        empty = empty.parent


def _edits(folder: Path, documents: Sequence[Document], edited: Sequence[str]) -> UsageError:
    by_path = {document.path: document for document in documents}
    lines = [f"  {path}: {_lost(folder / path, by_path[path].text)}" for path in edited[:_SHOWN_MAX]]
    if len(edited) > _SHOWN_MAX:
        lines.append(f"  ... and {len(edited) - _SHOWN_MAX} more")
    return UsageError(
        f"{len(edited)} file{'s' if len(edited) > 1 else ''} would be overwritten that nines did not write like this",
        where=str(folder),
        detail="\n".join(lines),
        hint="Move what you wrote to a file of your own, or overwrite it with --force. Nothing was written.",
    )


def _lost(path: Path, text: str) -> str:
    """How much of what stands there is nowhere in the new text."""
    if not path.is_file():
        return "is no file"
    if path.stat().st_size > _DIFF_BYTES_MAX:
        return "differs"
    delta = difflib.ndiff(text.splitlines(), _text_of(path).splitlines())
    lost = [line[2:].strip() for line in delta if line.startswith("+ ")]
    if not lost:
        return "lines were taken out"
    first = next((line for line in lost if line), "")
    return f"{len(lost)} line{'s' if len(lost) > 1 else ''} would be lost: {first[:60]}"


def _unwritable(folder: Path, error: OSError) -> UsageError:
    return UsageError(
        f"it cannot be written: {error.strerror or error}",
        where=str(error.filename or folder),
        hint="Name a folder of your own: nines design BLUEPRINT -o FOLDER",
    )

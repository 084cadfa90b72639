"""The files that `nines agent` touches, and what it remembers so that it can undo exactly."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from nines.model.errors import UsageError
from nines.model.record import StrictRecord
from nines.verbs.project import STATE_DIRECTORY

LEDGER = "agents.json"
_IGNORE = ".gitignore"
_BYTES_MAX = 32 * 1024 * 1024


class Entry(StrictRecord):
    """A file that was changed: the hash of what was left there, and what stood there before.

    The latter is kept only where taking our part out would not give it back: somebody's file may hold secrets."""

    left: str
    keeps: bool = False
    before: str | None = None
    folders: tuple[str, ...] = ()
    """Made for it, outermost first."""

    def is_as_left(self, text: str) -> bool:
        return self.left == _hash(text)


class Ledger(StrictRecord):
    """What was installed in one folder."""

    version: int = 1
    files: dict[str, Entry] = {}

    @classmethod
    def of(cls, folder: Path) -> Ledger:
        """What is remembered; nothing where no ledger is, or one that cannot be read."""
        path = folder / STATE_DIRECTORY / LEDGER
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls) if not path.is_symlink() else cls()
        except (OSError, ValueError):
            return cls()

    def entry(self, path: str) -> Entry | None:
        return self.files.get(path)

    def with_entry(self, folder: Path, path: str, before: str | None, after: str, *, keeps: bool) -> Ledger:
        earlier = self.files.get(path)
        made = earlier.folders if earlier else tuple(_missing(folder, path))
        entry = Entry(left=_hash(after), keeps=keeps, before=before if keeps else None, folders=made)
        return Ledger(files={**self.files, path: entry})

    def without(self, path: str) -> Ledger:
        """The folders that were made for it are still to be removed: the entry stays until `prune`."""
        kept = self.files.get(path)
        if kept is None:
            return self
        return Ledger(files={**self.files, path: Entry(left="", folders=kept.folders)})

    def save(self, folder: Path) -> None:
        """Nothing to remember leaves nothing behind."""
        state = folder / STATE_DIRECTORY
        path = state / LEDGER
        remembered = {name: entry for name, entry in self.files.items() if entry.left}
        if not remembered:
            with contextlib.suppress(OSError):
                path.unlink()
                if {each.name for each in state.iterdir()} == {_IGNORE}:
                    (state / _IGNORE).unlink()
                    state.rmdir()
            return
        try:
            state.mkdir(exist_ok=True)
            with contextlib.suppress(FileExistsError), (state / _IGNORE).open("x", encoding="utf-8") as ignore:
                ignore.write("*\n")
            _replace(path, msgspec.json.format(msgspec.json.encode(Ledger(files=remembered))).decode(), is_private=True)
        except OSError as error:
            hint = "Everything is installed; uninstall will take out its own parts only."
            raise UsageError(
                f"what was there before cannot be remembered: {error}", where=str(path), hint=hint
            ) from None


def read(folder: Path, path: str) -> str | None:
    """The text with its line ends as they are; None where no file is. Raises UsageError for what is no text of ours."""
    target = _target(folder, path)
    if not target.exists():
        return None
    hint = "Move it away, or install for other agents with --for."
    if not target.is_file():
        raise UsageError("this is no file", where=str(target), hint=hint)
    try:
        if target.stat().st_size > _BYTES_MAX:
            raise UsageError("this file is too large to be merged", where=str(target), hint=hint)
        return target.read_bytes().decode("utf-8")
    except OSError as error:
        raise UsageError(f"it cannot be read: {error.strerror}", where=str(target), hint=hint) from None
    except UnicodeDecodeError:
        raise UsageError("this is no UTF-8 text, and is left alone", where=str(target), hint=hint) from None


def write(folder: Path, changes: Sequence[tuple[str, str | None, str | None]]) -> None:
    """All of them: path, what stands there, what shall stand there; where one fails, those before are put back."""
    done: list[tuple[str, str | None]] = []
    made = {name for path, _, _ in changes for name in _missing(folder, path)}
    try:
        for path, before, after in changes:
            if read(folder, path) != before:
                hint = "Run it again to see the new difference."
                raise UsageError("this file was changed meanwhile", where=path, hint=hint)
            done.append((path, before))
            _put(_target(folder, path), after)
    except (OSError, UsageError) as error:
        for path, before in reversed(done):
            with contextlib.suppress(OSError):
                _put(_target(folder, path), before)
        _remove(folder, made)
        if isinstance(error, UsageError):
            raise
        what = f"it cannot be written: {error.strerror}; nothing was changed"
        raise UsageError(what, where=str(error.filename or folder)) from None


def prune(folder: Path, ledger: Ledger, gone: Iterable[str]) -> None:
    """Removes the folders that were made for what is gone, where nothing else is in them."""
    _remove(folder, {name for path in gone if (entry := ledger.files.get(path)) for name in entry.folders})


def _remove(folder: Path, names: set[str]) -> None:
    """Empty folders, the innermost first."""
    for name in sorted(names, key=lambda name: name.count("/"), reverse=True):
        with contextlib.suppress(OSError):
            (folder / name).rmdir()


def _put(target: Path, text: str | None) -> None:
    if text is None:
        target.unlink(missing_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    _replace(target, text)


def _replace(target: Path, text: str, *, is_private: bool = False) -> None:
    """Beside it and renamed, so that an interruption never leaves half a file; its mode stays."""
    handle, temporary = tempfile.mkstemp(prefix=".nines-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode("utf-8"))
        umask = os.umask(0)
        os.umask(umask)
        usual = 0o600 if is_private else 0o666 & ~umask
        mode = target.stat().st_mode & 0o7777 if target.exists() else usual
        Path(temporary).chmod(mode)
        Path(temporary).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


def _target(folder: Path, path: str) -> Path:
    """Links inside the folder are followed; one that leads outside is refused."""
    root = folder.resolve()
    target = Path(os.path.realpath(root / path))
    if not target.is_relative_to(root):
        hint = "Remove the link, or install for other agents with --for."
        raise UsageError("a link leads outside the folder, and is not written through", where=path, hint=hint)
    return target


def _missing(folder: Path, path: str) -> list[str]:
    """The folders that have to be made for it, outermost first; where links lead elsewhere inside, those there."""
    inside = _target(folder, path).relative_to(folder.resolve())
    parents = [str(parent) for parent in inside.parents if str(parent) != "."]
    return [name for name in reversed(parents) if not (folder / name).exists()]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()

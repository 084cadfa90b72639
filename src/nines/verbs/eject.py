"""`nines eject`: the runtime's source beside the service, and nothing of nines left that has to be installed."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from pathlib import Path, PurePosixPath

import msgspec

from nines.model.errors import UsageError
from nines.model.record import Record
from nines.verbs.handover import SERVICE, Lock, put, read_lock, write_lock
from nines.verbs.runtime import FOLDER, PACKAGE, without_wheel

SOURCE = f"src/{PACKAGE}"
SETTINGS = "nines.toml"
_PINS = ("requirements.lock", "requirements-dev.lock")
_COPIED = f"COPY {FOLDER} {FOLDER}\n"
_FILES_MAX = 2_000
_BYTES_MAX = 20_000_000


class Ejected(Record):
    """What stands now."""

    files: int
    version: str
    by_hand: tuple[str, ...] = ()
    """What the owner has to change, because the file is theirs and says something else."""


def eject(folder: Path) -> Ejected:
    """Takes the runtime out of the wheel that the service is pinned to; raises UsageError, with nothing written, where
    that cannot be done."""
    lock = read_lock(folder, SERVICE)
    wheel = _wheel(folder, lock)
    sources = _sources(folder / wheel)
    target = folder / SOURCE
    if target.exists() and any(_text(target.parent / path) != content for path, content in sources.items()):
        hint = "Move it away; or, if it is of an eject that was interrupted, remove it."
        raise UsageError("another runtime stands here already", where=str(target), hint=hint)
    for path, content in sources.items():
        put(target.parent / path, content)
    renewed: dict[str, bytes] = {}
    for name in _PINS:
        renewed[name] = without_wheel((folder / name).read_text(encoding="utf-8")).encode()
    renewed[SETTINGS] = excluding((folder / SETTINGS).read_text(encoding="utf-8")).encode()
    image = folder / "Dockerfile"
    by_hand: tuple[str, ...] = ()
    if image.is_file():
        text = image.read_text(encoding="utf-8")
        if _COPIED in text:
            put(image, text.replace(_COPIED, "").encode())
        elif FOLDER in text:
            by_hand = (f"Dockerfile: there is no folder {FOLDER} to copy any more",)
    for name, content in renewed.items():
        put(folder / name, content)
    files = {path: hashes for path, hashes in lock.files.items() if path != wheel}
    files |= {name: (hashlib.sha256(content).hexdigest(),) for name, content in renewed.items()}
    version = PurePosixPath(wheel).name.split("-")[1]
    write_lock(folder, SERVICE, msgspec.structs.replace(lock, files=files, is_ejected=True, runtime=version))
    (folder / wheel).unlink()
    _prune(folder / FOLDER)
    return Ejected(files=len(sources), version=version, by_hand=by_hand)


def excluding(settings: str) -> str:
    """nines.toml for a service that has the runtime's source: it is known what that does, and need not be read."""
    line = f'exclude = ["{SOURCE}"]\n'
    head, separator, rest = settings.partition("\n\n")
    return settings if line in settings else f"{head}\n{line.rstrip()}{separator}{rest}"


def _wheel(folder: Path, lock: Lock) -> str:
    if not lock.files:
        hint = "Name the folder of a service that nines built: nines eject FOLDER"
        raise UsageError("nines built nothing here", where=str(folder), hint=hint)
    if lock.is_ejected:
        raise UsageError("the runtime stands beside this service already", where=str(folder / SOURCE))
    found = next((path for path in lock.files if path.startswith(f"{FOLDER}/")), "")
    content = _text(folder / found) if found else b""
    if not content or hashlib.sha256(content).hexdigest() not in lock.files[found]:
        hint = "Bring it back from version control, or build the service again."
        raise UsageError("the wheel of the runtime is missing or is another one", where=str(folder / FOLDER), hint=hint)
    return found


def _sources(wheel: Path) -> dict[str, bytes]:
    """By their path below `src/`."""
    with zipfile.ZipFile(io.BytesIO(wheel.read_bytes())) as archive:
        entries = [each for each in archive.infolist() if each.filename.startswith(f"{PACKAGE}/")]
        if len(entries) > _FILES_MAX or sum(each.file_size for each in entries) > _BYTES_MAX:
            raise UsageError("this wheel is too large", where=str(wheel))
        return {each.filename: archive.read(each) for each in entries if ".." not in each.filename}


def _text(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _prune(folder: Path) -> None:
    if folder.is_dir() and not any(os.scandir(folder)):
        folder.rmdir()

"""Finds the Python files of a project."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from nines.model.code import Unread
from nines.model.errors import SourceError
from nines.model.record import Record

SKIPPED_FOLDERS = frozenset({"node_modules", "site-packages", "__pycache__", "__pypackages__"})
SKIPPED_OUTPUT = frozenset({"build", "dist"})
"""Skipped unless they are packages, for a product may well have a package of that name."""
TEST_FOLDERS = frozenset({"tests", "test"})
TEST_FILES = ("test_*.py", "*_test.py", "tests.py", "conftest.py")
"""Tests are no part of what runs in production; naming one in `paths` reads it all the same."""

FILES_MAX = 50_000
FILE_BYTES_MAX = 1_000_000
"""A megabyte of the worst that Python can be takes the parser about three seconds and half a gigabyte."""
ENTRIES_MAX = 1_000_000
"""Folder entries that are looked at altogether."""
FOLDER_DEPTH_MAX = 64
UNREAD_LINKS_MAX = 100
"""Symbolic links out of the project that are reported one by one."""


class Found(Record):
    """The files to read, relative to the root with forward slashes, sorted; and what was left out for a reason."""

    files: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()


def find(root: Path, paths: tuple[str, ...] = (".",), exclude: tuple[str, ...] = ()) -> Found:
    """Raises SourceError when a named path is not there or lies outside the root."""
    search = _Search(root, exclude)
    for path in paths:
        search.start(path)
    return Found(files=tuple(sorted(search.files)), unread=tuple(search.unread))


class _Search:
    def __init__(self, root: Path, exclude: tuple[str, ...]) -> None:
        self._root = root.resolve()
        if not self._root.is_dir():
            raise SourceError("this is not a folder", where=str(root), hint="Name the folder of the backend.")
        self._exclude = exclude
        self._entries_left = ENTRIES_MAX
        self._links = 0
        self.files: set[str] = set()
        self.unread: list[Unread] = []

    def start(self, path: str) -> None:
        """Reads below one named path; the skip lists judge only what lies beneath it."""
        target = (self._root / path).resolve()
        if not target.is_relative_to(self._root):
            raise SourceError(
                "this path leads out of the project", where=path, hint=f"The project's root is {self._root}."
            )
        relative = target.relative_to(self._root).as_posix()
        if target.is_dir():
            self._walk(target, "" if relative == "." else relative)
        elif target.is_file():
            self._take(relative, target.stat().st_size)
        else:
            raise SourceError("there is no such file or folder", where=path, hint="Correct `paths` in the settings.")

    def _walk(self, top: Path, relative: str) -> None:
        pending = [(str(top), relative, 0)]
        while pending:
            folder, prefix, depth = pending.pop()
            for entry in self._entries(folder, prefix):
                name = f"{prefix}/{entry.name}" if prefix else entry.name
                if entry.is_symlink():
                    self._link(entry, name)
                elif entry.is_dir(follow_symlinks=False):
                    if self._is_wanted_folder(entry, name):
                        if depth < FOLDER_DEPTH_MAX:
                            pending.append((entry.path, name, depth + 1))
                        else:
                            self._leave_out(name, f"it lies more than {FOLDER_DEPTH_MAX} folders deep")
                elif self._is_wanted_file(entry, name):
                    self._take(name, entry.stat(follow_symlinks=False).st_size)

    def _entries(self, folder: str, prefix: str) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if self._entries_left <= 0:
                        return
                    self._entries_left -= 1
                    if self._entries_left == 0:
                        self._leave_out(prefix or ".", f"the project has more than {ENTRIES_MAX:,} files and folders")
                    yield entry
        except OSError as error:
            self._leave_out(prefix or ".", f"the folder cannot be opened: {error.strerror}")

    def _take(self, name: str, size: int) -> None:
        if len(self.files) >= FILES_MAX:
            if not any(unread.file == "." for unread in self.unread):
                self._leave_out(".", f"the project has more than {FILES_MAX:,} Python files; the rest was not read")
        elif size > FILE_BYTES_MAX:
            self._leave_out(name, f"the file has {size:,} bytes; at most {FILE_BYTES_MAX:,} are read")
        elif not _is_text(name):
            self._leave_out(name.encode(errors="backslashreplace").decode(), "its name is not valid UTF-8")
        else:
            self.files.add(name)

    def _link(self, entry: os.DirEntry[str], name: str) -> None:
        """A link within the project needs no following, for its target is found where it is."""
        try:
            target = Path(entry.path).resolve()
            is_source = target.is_dir() or (entry.name.endswith(".py") and target.is_file())
        except (OSError, RuntimeError):
            return
        if not is_source or target.is_relative_to(self._root) or self._is_excluded(name):
            return
        if entry.name in SKIPPED_FOLDERS or entry.name.startswith(".") or (target / "pyvenv.cfg").is_file():
            return
        self._links += 1
        if self._links <= UNREAD_LINKS_MAX:
            self._leave_out(name, "it is a symbolic link that leads out of the project")

    def _leave_out(self, name: str, reason: str) -> None:
        self.unread.append(
            Unread(file=name, reason=reason, hint="Exclude it in the settings if it is no part of the backend.")
        )

    def _is_wanted_folder(self, entry: os.DirEntry[str], name: str) -> bool:
        folder = entry.name
        if folder.startswith(".") or folder in SKIPPED_FOLDERS or folder in TEST_FOLDERS:
            return False
        path = Path(entry.path)
        if folder in SKIPPED_OUTPUT and not (path / "__init__.py").is_file():
            return False
        return not (path / "pyvenv.cfg").is_file() and not self._is_excluded(name)

    def _is_wanted_file(self, entry: os.DirEntry[str], name: str) -> bool:
        if not entry.name.endswith(".py") or not entry.is_file(follow_symlinks=False):
            return False
        return not any(fnmatchcase(entry.name, pattern) for pattern in TEST_FILES) and not self._is_excluded(name)

    def _is_excluded(self, name: str) -> bool:
        """A pattern without a slash speaks of any part of the path, one with a slash of the path from the root."""
        for pattern in self._exclude:
            wanted = pattern.removeprefix("./").rstrip("/")
            if "/" not in wanted:
                if fnmatchcase(name.rpartition("/")[2], wanted):
                    return True
            elif fnmatchcase(name, wanted) or fnmatchcase(name, wanted + "/*"):
                return True
        return False


def _is_text(name: str) -> bool:
    return name.isascii() or name.encode(errors="surrogateescape").decode(errors="replace").encode() == name.encode(
        errors="surrogateescape"
    )

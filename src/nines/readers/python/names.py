"""Gives every file the dotted name under which the project imports it.

The import path of a project is not written down anywhere, so it is worked out: by default a file is imported from
the first folder above it that is no package; where the project's own imports say otherwise, they are right."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from nines.model.record import Record

DEEP_SHARE = 0.8
"""A folder that is itself a package is an import root only if this share of the names found below it go two deep:
`from celery import Celery` beside a celery.py of the project's own must not make it one."""
_STANDARD = frozenset(sys.stdlib_module_names)


class Named(Record):
    """A file's name; `prefix` is what was put before the name that its neighbours import, to keep names unique."""

    name: str
    root: str = ""
    """The folder that is on the import path, relative to the project's root; "" is the project's root."""
    prefix: str = ""


def name_all(imports: Mapping[str, Iterable[str]]) -> dict[str, Named]:
    """Names every file, given the absolute names that each imports; unique, and the same for the same files."""
    files = sorted(imports)
    packages = {_folder(file) for file in files if file.rpartition("/")[2] == "__init__.py"}
    for file in files:
        packages.update(_packages_by_dots(file, imports[file]))
    votes = _Votes(files, packages)
    for file in files:
        votes.count(file, imports[file])
    packages -= votes.script_folders()
    roots = {file: _root_of(file, packages, votes) for file in files}
    return _made_unique(roots)


class _Votes:
    """How often the project's imports speak for a folder as an import root, by the first name below it."""

    def __init__(self, files: list[str], packages: set[str]) -> None:
        self._known = _with_folders(files)
        self._packages = packages
        self.of: Counter[tuple[str, str]] = Counter()
        self._deep: Counter[tuple[str, str]] = Counter()
        """Of those, how many name a module below the first."""
        self._denied: set[tuple[str, str]] = set()
        self._passed: set[str] = set()
        """Folders that an import names on its way, or that a relative import takes for a package."""
        self._beside: set[str] = set()
        """Folders in which a file imports another one by its bare name."""

    def count(self, file: str, imports: Iterable[str]) -> None:
        folders = _ancestors(file)
        for package in _packages_by_dots(file, imports):
            # `from ..x import y` reaches only what lies below the import root.
            self._denied.add((package, _first_below(file, package)))
            self._passed.add(package)
        for name in imports:
            parts = name.split(".")
            if parts[0] in _STANDARD or not parts[0]:
                continue
            best = self._best(file, folders, parts)
            if best is not None:
                self.of[best] += 1

    def _best(self, file: str, folders: list[str], parts: list[str]) -> tuple[str, str] | None:
        """The folder below which the longest beginning of the name exists; the outermost of equals."""
        best: tuple[str, str] | None = None
        best_length = 0
        for folder in folders:
            length = self._matched(folder, parts)
            if not length:
                continue
            key = (folder, parts[0])
            if _is_below(file, folder, parts[0]) and length == 1 and _joined(folder, parts[0]) + ".py" == file:
                # A file that imports its own name means another module of that name: celery.py imports celery.
                self._denied.add(key)
                continue
            if length >= best_length:
                best, best_length = key, length
        if best is not None:
            folder = best[0]
            if best_length >= 2:
                self._deep[best] += 1
            elif folder == _folder(file) and _joined(folder, parts[0]) + ".py" in self._known:
                self._beside.add(folder)
            self._passed.update(_joined(folder, "/".join(parts[:length])) for length in range(1, best_length + 1))
        return best

    def script_folders(self) -> set[str]:
        """Packages by their __init__.py alone: their files import one another by bare names, and nobody the package.

        They are started where they are, as the services of a repository often are."""
        return {folder for folder in self._beside & self._packages if folder and folder not in self._passed}

    def _matched(self, folder: str, parts: list[str]) -> int:
        """How many parts of the name exist below the folder; 0 where the rest cannot be something defined inside."""
        length = 0
        path = folder
        defines = False
        for part in parts:
            path = _joined(path, part)
            is_module = path + ".py" in self._known or path in self._packages
            if not is_module and path not in self._known:
                break
            length += 1
            defines = is_module
        is_found = length == len(parts) or (length == len(parts) - 1 and defines)
        return length if is_found else 0

    def credible(self, root: str, first: str) -> int:
        """The votes for a root, none where they may as well mean an installed library of that name."""
        key = (root, first)
        if key in self._denied:
            return 0
        if root and root in self._packages and self._deep[key] < self.of[key] * DEEP_SHARE:
            return 0
        return self.of[key]


def _root_of(file: str, packages: set[str], votes: _Votes) -> str:
    """The import root of one file: the best-voted folder above it, else the first that is no package."""
    default = _default_root(file, packages)
    best, best_votes = default, votes.credible(default, _first_below(file, default))
    for folder in _ancestors(file):
        count = votes.credible(folder, _first_below(file, folder))
        if count > best_votes:
            best, best_votes = folder, count
    return best


def _default_root(file: str, packages: set[str]) -> str:
    folder = _folder(file)
    while folder and folder in packages:
        folder = _folder(folder)
    return folder


def _packages_by_dots(file: str, imports: Iterable[str]) -> list[str]:
    """The folders that the file's relative imports take for packages, from its own upwards."""
    levels = max((len(name) - len(name.lstrip(".")) for name in imports), default=0)
    return _ancestors(file)[:levels]


def _made_unique(roots: dict[str, str]) -> dict[str, Named]:
    """Where two roots hold the same names, the larger keeps them and the other gets its path as a prefix."""
    by_root: defaultdict[str, list[str]] = defaultdict(list)
    for file, root in roots.items():
        by_root[root].append(file)
    taken: set[str] = set()
    named: dict[str, Named] = {}
    for root in sorted(by_root, key=lambda folder: (-len(by_root[folder]), folder.count("/"), folder)):
        names = {file: _dotted(file, root) for file in by_root[root]}
        prefix = ""
        if root and not taken.isdisjoint(names.values()):
            prefix = root.replace("/", ".") + "."
        for file, name in sorted(names.items(), key=lambda item: (not item[0].endswith("/__init__.py"), item[0])):
            unique = prefix + name
            ordinal = 2
            while unique in taken:
                unique = f"{prefix}{name}~{ordinal}"
                ordinal += 1
            taken.add(unique)
            named[file] = Named(name=unique, root=root, prefix=prefix)
    return named


def _dotted(file: str, root: str) -> str:
    relative = file[len(root) + 1 :] if root else file
    parts = relative.removesuffix(".py").split("/")
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    return ".".join(parts)


def _with_folders(files: list[str]) -> set[str]:
    known = set(files)
    for file in files:
        known.update(_ancestors(file))
    return known


def _ancestors(file: str) -> list[str]:
    """Every folder above the file, nearest first, ending with "" for the root."""
    found = []
    folder = file
    while folder:
        folder = _folder(folder)
        found.append(folder)
    return found


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _first_below(file: str, folder: str) -> str:
    relative = file[len(folder) + 1 :] if folder else file
    return relative.partition("/")[0].removesuffix(".py")


def _is_below(file: str, folder: str, first: str) -> bool:
    return _first_below(file, folder) == first

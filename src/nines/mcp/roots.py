"""Where nines may look and write: nothing outside the allowed folders, links followed before it is decided."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from nines.model.errors import UsageError
from nines.model.record import Record

FOLDERS_MAX = 32
_SHOWN_MAX = 4


class Roots(Record):
    """The folders that are allowed, resolved; relative paths begin at the first."""

    folders: tuple[Path, ...]

    @classmethod
    def of(cls, paths: tuple[Path, ...]) -> Roots:
        """Raises UsageError for what is no folder."""
        found: list[Path] = []
        for path in paths:
            try:
                resolved = path.resolve()
            except (OSError, RuntimeError, ValueError) as error:
                raise UsageError("this root cannot be followed", where=str(path)) from error
            if not resolved.is_dir():
                hint = "Name a folder that exists: nines mcp --root DIR"
                raise UsageError("a root must be a folder", where=str(path), hint=hint)
            found.append(resolved)
        return cls(folders=tuple(dict.fromkeys(found))[:FOLDERS_MAX])

    @classmethod
    def of_here(cls) -> Roots:
        """The working directory; none where it is everything there is, or somebody's home."""
        here = Path.cwd().resolve()
        return cls(folders=()) if here in (Path(here.anchor), Path.home().resolve()) else cls(folders=(here,))

    def holds(self, path: Path) -> bool:
        return any(path.is_relative_to(folder) for folder in self.folders)

    def inside(self, text: str) -> Path:
        """The path with every link followed; raises UsageError where it leads outside, whether or not it exists."""
        if not self.folders:
            hint = "Start it in a project's folder, or with: nines mcp --root DIR"
            raise UsageError("no folder is allowed", where=text, hint=hint)
        try:
            path = Path(os.path.realpath(self.folders[0] / text))
        except (OSError, RuntimeError, ValueError) as error:
            raise UsageError("this path cannot be followed", where=repr(text)) from error
        if not self.holds(path):
            shown = ", ".join(str(folder) for folder in self.folders[:_SHOWN_MAX])
            hint = f"Allowed: {shown}. The owner may allow more: nines mcp --root DIR (may be repeated)."
            raise UsageError("this path is outside the allowed folders", where=text, hint=hint)
        return path

    def with_uris(self, uris: tuple[str, ...]) -> Roots:
        """Those of the client added; what is no folder of this machine is left out."""
        found = [path for uri in uris[:FOLDERS_MAX] if (path := _folder(uri)) is not None]
        return Roots(folders=tuple(dict.fromkeys((*self.folders, *found)))[:FOLDERS_MAX])


def _folder(uri: str) -> Path | None:
    parts = urlsplit(uri)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        return None
    try:
        path = Path(unquote(parts.path)).resolve()
        return path if path.is_dir() else None
    except (OSError, RuntimeError, ValueError):
        return None

"""A project on disk: its root, its settings, its name."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from nines.model.errors import UsageError
from nines.model.record import Record
from nines.model.settings import Settings
from nines.readers import settings as settings_reader

STATE_DIRECTORY = ".nines"
"""Where nines keeps its cache inside a project; it writes a .gitignore into it."""


class Project(Record):
    """What every verb starts from."""

    root: Path
    settings: Settings
    name: str

    @property
    def cache(self) -> Path | None:
        """The cache's folder; None where a link in its place would have nines write outside the project."""
        return None if self.has_strange_state else self.root / STATE_DIRECTORY / "cache"

    @property
    def has_strange_state(self) -> bool:
        """Whether something other than an own folder stands where the state belongs."""
        state = self.root / STATE_DIRECTORY
        return any(_is_strange(path) for path in (state, state / "cache"))


def _is_strange(path: Path) -> bool:
    return path.is_symlink() or (path.exists() and not path.is_dir())


def open_project(path: Path, config: Path | None = None) -> Project:
    """Raises UsageError for a path that is no directory, SettingsError for a configuration that cannot be used."""
    try:
        root = path.resolve()
        is_there, is_directory = path.exists(), path.is_dir()
    except (OSError, RuntimeError) as error:
        said = getattr(error, "strerror", None) or "a loop of symbolic links"
        raise UsageError(f"this path cannot be followed: {said}", where=str(path)) from error
    if not is_there:
        raise UsageError("there is no such directory", where=str(path), hint="Name the folder that holds the backend.")
    if not is_directory:
        raise UsageError(
            "nines works on a directory, and this is a file",
            where=str(path),
            hint=f"Try: nines review {path.parent}",
        )
    if not os.access(root, os.R_OK | os.X_OK):
        hint = "Let this user read it, or run nines as one who may."
        raise UsageError("this folder may not be opened", where=str(path), hint=hint)
    settings = settings_reader.load(root, config)
    return Project(root=root, settings=settings, name=settings.name or root.name)


def keep_out_of_version_control(project: Project) -> None:
    """Makes the state directory ignore itself; a read-only project simply has no cache."""
    if project.has_strange_state:
        return
    directory = project.root / STATE_DIRECTORY
    with contextlib.suppress(OSError):
        directory.mkdir(exist_ok=True)
        # Exclusively, so that nothing is written through a link that stands there already.
        with (directory / ".gitignore").open("x", encoding="utf-8") as marker:
            marker.write("*\n")

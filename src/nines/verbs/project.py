"""A project on disk: its root, its settings, its name."""

from __future__ import annotations

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
    def cache(self) -> Path:
        return self.root / STATE_DIRECTORY / "cache"


def open_project(path: Path, config: Path | None = None) -> Project:
    """Raises UsageError for a path that is no directory, SettingsError for a configuration that cannot be used."""
    if not path.exists():
        raise UsageError("there is no such directory", where=str(path), hint="Name the folder that holds the backend.")
    if not path.is_dir():
        raise UsageError(
            "nines works on a directory, and this is a file",
            where=str(path),
            hint=f"Try: nines review {path.parent}",
        )
    root = path.resolve()
    settings = settings_reader.load(root, config)
    return Project(root=root, settings=settings, name=settings.name or root.name)


def keep_out_of_version_control(project: Project) -> None:
    """Makes the state directory ignore itself; a read-only project simply has no cache."""
    directory = project.root / STATE_DIRECTORY
    try:
        directory.mkdir(exist_ok=True)
        marker = directory / ".gitignore"
        if not marker.exists():
            marker.write_text("*\n", encoding="utf-8")
    except OSError:
        return

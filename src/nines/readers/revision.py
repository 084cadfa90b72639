"""An earlier revision of a project, taken from git without touching the work tree."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

from nines.model.errors import UsageError

_TIMEOUT_S = 120.0
_SUFFIXES = (".py", ".toml", ".json", ".yaml", ".yml", ".sql")
"""What a review reads; everything else stays in the archive."""


def export(project: Path, revision: str, folder: Path) -> None:
    """Writes the project's readable files as they were at `revision` into `folder`; raises UsageError."""
    if revision.startswith("-"):
        raise UsageError(f"{revision!r} is not a revision", hint="Name a commit, a tag or a branch.")
    prefix = _git(project, "rev-parse", "--show-prefix").decode("utf-8", "replace").strip()
    tree = f"{revision}:{prefix.rstrip('/')}" if prefix else revision
    archive = _git(project, "archive", "--format=tar", tree)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        members = [member for member in tar.getmembers() if member.isfile() and member.name.endswith(_SUFFIXES)]
        tar.extractall(folder, members=members, filter="data")


def _git(project: Path, *arguments: str) -> bytes:
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(project), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_TIMEOUT_S)  # noqa: S603
    except FileNotFoundError as error:
        raise UsageError("git is not installed, so an earlier revision cannot be read") from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"git did not answer within {_TIMEOUT_S:.0f} s", where=str(project)) from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip()
        hint = "Name a commit, a tag or a branch of this repository; a shallow clone may not have it."
        raise UsageError("git cannot read that revision", where=str(project), detail=said, hint=hint)
    return done.stdout

"""An earlier revision of a project, taken from git without touching the work tree.

Only git's plumbing is asked, for a repository's own configuration can name filters that `git archive` would execute."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from nines.model.errors import UsageError

_TIMEOUT_S = 120.0
_SUFFIXES = (".py", ".toml", ".json", ".yaml", ".yml", ".sql")
"""What a review reads; everything else stays in the repository."""
_BYTES_MAX = 20_000_000
"""Of one file; no reader reads more."""
_TOTAL_BYTES_MAX = 500_000_000
_HARMLESS = ("-c", "core.fsmonitor=false", "-c", "protocol.allow=never", "-c", "core.hooksPath=/dev/null")


def export(project: Path, revision: str, folder: Path) -> None:
    """Writes the project's readable files as they were at `revision` into `folder`; raises UsageError."""
    if revision.startswith("-") or not revision.strip() or "\0" in revision:
        raise UsageError(f"{revision!r} is not a revision", hint="Name a commit, a tag or a branch.")
    prefix = _git(project, "rev-parse", "--show-prefix").decode("utf-8", "surrogateescape").rstrip("\n")
    commit = _commit(project, revision)
    tree = _tree(project, f"{commit}:{prefix.rstrip('/')}")
    if not tree:
        # The folder did not exist then, so everything in it is new.
        return
    wanted = list(_wanted(_git(project, "ls-tree", "-r", "-z", "--long", "--full-tree", tree)))
    contents = _git(project, "cat-file", "--batch", given="".join(f"{sha}\n" for sha, _ in wanted).encode())
    _write(contents, [name for _, name in wanted], folder)


def _commit(project: Path, revision: str) -> str:
    try:
        found = _git(project, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except UsageError as error:
        is_shallow = _git(project, "rev-parse", "--is-shallow-repository").strip() == b"true"
        hint = "Name a commit, a tag or a branch of this repository; a branch of a remote has to be fetched first."
        if is_shallow:
            hint = "This is a shallow clone, which holds the newest commits only. Fetch the rest: git fetch --unshallow"
            hint += " (in GitHub Actions: fetch-depth: 0)."
        raise UsageError(f"git knows no revision {revision!r}", where=str(project), hint=hint) from error
    return found.decode().strip()


def _tree(project: Path, name: str) -> str:
    try:
        return _git(project, "rev-parse", "--verify", "--quiet", "--end-of-options", name).decode().strip()
    except UsageError:
        return ""


def _wanted(listed: bytes) -> Iterator[tuple[str, str]]:
    """The object and the name, relative to the project, of each plain file that a review may read."""
    total = 0
    for line in listed.split(b"\0"):
        facts, _, name = line.partition(b"\t")
        parts = facts.decode("ascii", "replace").split()
        if len(parts) != 4 or parts[1] != "blob" or parts[0] not in ("100644", "100755"):
            continue
        path = os.fsdecode(name)
        size = int(parts[3]) if parts[3].isdecimal() else 0
        if not path.endswith(_SUFFIXES) or size > _BYTES_MAX or total + size > _TOTAL_BYTES_MAX:
            continue
        total += size
        pure = PurePosixPath(path)
        if not pure.is_absolute() and ".." not in pure.parts:
            yield parts[2], path


def _write(contents: bytes, names: list[str], folder: Path) -> None:
    """Takes `git cat-file --batch` apart: "SHA blob SIZE", the bytes, an empty line."""
    position = 0
    for name in names:
        end = contents.index(b"\n", position)
        heading = contents[position:end].split()
        position = end + 1
        if len(heading) != 3:
            # An object that is missing, as in a partial clone, is one line only.
            continue
        size = int(heading[2])
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(contents[position : position + size])
        position += size + 1


def _git(project: Path, *arguments: str, given: bytes = b"") -> bytes:
    command = ["git", *_HARMLESS, "-C", str(project), *arguments]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
    try:
        done = subprocess.run(  # noqa: S603
            command, input=given, capture_output=True, check=False, timeout=_TIMEOUT_S, env=environment
        )
    except FileNotFoundError as error:
        hint = "Install git, or run without --since."
        raise UsageError("git is not installed, so an earlier revision cannot be read", hint=hint) from error
    except OSError as error:
        raise UsageError(f"git cannot be started: {error.strerror}", where=str(project)) from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"git did not answer within {_TIMEOUT_S:.0f} s", where=str(project)) from error
    if done.returncode == 0:
        return done.stdout
    said = done.stderr.decode("utf-8", "replace").strip()
    if "not a git repository" in said:
        hint = "--since compares with an earlier commit; run it in a clone, or without --since."
        raise UsageError("this folder is in no git repository", where=str(project), hint=hint)
    raise UsageError("git cannot read that revision", where=str(project), detail=said)

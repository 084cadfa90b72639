"""Installs what was built, as `make setup` would: a virtual environment beside it, from its own pins."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from nines.model.errors import LaunchError
from nines.model.progress import Progress

LIMIT_S = 600.0
_SAID_MAX = 4_000


def settle(folder: Path, progress: Progress) -> None:
    """Raises LaunchError with the words of the step that failed."""
    progress.stage("installing what it needs", 30.0)
    _run(["make", "setup", f"PYTHON={sys.executable}"], folder)


def _run(words: Sequence[str], folder: Path) -> None:
    line = " ".join(words)
    hint = f"Try it by hand: cd {folder} && {line}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    try:
        found = subprocess.run(  # noqa: S603 -- the Makefile that was just written
            words, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S, check=False, env=environment
        )
    except FileNotFoundError:
        raise LaunchError(f"there is no {words[0]} here", where=line, hint=hint) from None
    except subprocess.TimeoutExpired:
        raise LaunchError(f"not done within {LIMIT_S:.0f} s", where=line, hint=hint) from None
    if found.returncode != 0:
        said = f"{found.stdout}{found.stderr}"[-_SAID_MAX:]
        raise LaunchError(f"it failed with exit code {found.returncode}", where=line, detail=said, hint=hint)

"""A process that outlives its run by a moment: when the run is gone, however it went, it settles the premises."""

from __future__ import annotations

import os
import select
import signal
import sys
from pathlib import Path

from nines.lab.launch.cleanup import settle

_LOOK_EVERY_S = 1.0


def watch(directory: Path) -> None:
    """Waits until the pipe on standard input closes or the parent changes, then settles."""
    parent = os.getppid()
    while directory.is_dir():
        ready, _, _ = select.select([sys.stdin], [], [], _LOOK_EVERY_S)
        if (ready and not os.read(sys.stdin.fileno(), 1)) or os.getppid() != parent:
            break
    settle(directory)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    watch(Path(sys.argv[1]))


if __name__ == "__main__":
    main()

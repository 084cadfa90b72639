"""Turns many sources into facts with several processes, where that pays."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence

from nines.readers.python.facts import Facts, decode, facts_of
from nines.readers.python.worker import READY, read_frame, write_frame

PARALLEL_BYTES_MIN = 4_000_000
"""Fewer bytes are read sooner than another process has started."""
BYTES_PER_PROCESS = 2_000_000
PROCESSES_MAX = 8
WORKER_TIME_MAX_S = 300.0
"""How long a worker may take after this process has done its own share."""
CRASHES_MAX = 8
"""Sources that may bring down the interpreter before the rest is given up."""

COMMAND = (sys.executable, "-P", "-c", "from nines.readers.python.worker import main; main()")
"""-P, because the folder that nines runs in is often the one that it must not trust."""


def facts_of_all(sources: Sequence[bytes], jobs: int = 0, command: Sequence[str] = COMMAND) -> list[Facts]:
    """The facts of every source, in their order. Call it within `quiet()`."""
    processes = _processes(sources, jobs)
    shares = _shares(sources, processes)
    results: list[Facts | None] = [None] * len(sources)
    workers = [_Worker(sources, share, results, command) for share in shares[1:]]
    try:
        for worker in workers:
            worker.start()
        for index in shares[0]:
            results[index] = facts_of(sources[index])
        deadline = time.monotonic() + WORKER_TIME_MAX_S
        for worker in workers:
            worker.wait(max(deadline - time.monotonic(), 0.0))
    finally:
        for worker in workers:
            worker.stop()
    return [facts_of(sources[index]) if found is None else found for index, found in enumerate(results)]


def _processes(sources: Sequence[bytes], jobs: int) -> int:
    if jobs > 0:
        return max(min(jobs, PROCESSES_MAX, len(sources)), 1)
    size = sum(map(len, sources))
    if size < PARALLEL_BYTES_MIN or not sys.executable:
        return 1
    return max(min(_available(), PROCESSES_MAX, size // BYTES_PER_PROCESS), 1)


def _available() -> int:
    affinity: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def _shares(sources: Sequence[bytes], processes: int) -> list[list[int]]:
    """The sources' indexes in shares of about equal size, the largest dealt out first."""
    shares: list[list[int]] = [[] for _ in range(processes)]
    sizes = [0] * processes
    for index in sorted(range(len(sources)), key=lambda i: len(sources[i]), reverse=True):
        smallest = sizes.index(min(sizes))
        shares[smallest].append(index)
        sizes[smallest] += len(sources[index])
    return shares


class _Worker:
    """One share, in one process after another if a source brings the interpreter down."""

    def __init__(
        self, sources: Sequence[bytes], share: list[int], results: list[Facts | None], command: Sequence[str]
    ) -> None:
        self._sources = sources
        self._left = share
        self._results = results
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._is_stopped = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            self.stop()
            self._give_up(self._left[:1], "reading it took too long")

    def stop(self) -> None:
        """Ends the process at once; harmless when it has ended."""
        with self._lock:
            self._is_stopped = True
            if self._process is not None:
                self._process.kill()
                self._process.wait()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        for _ in range(CRASHES_MAX):
            if not self._left or not self._serve() or self._is_stopped:
                return
            self._give_up(self._left[:1], "Python's own parser breaks down over it")
            self._left = self._left[1:]
        self._give_up(self._left, "Python's own parser broke down over too many files")

    def _serve(self) -> bool:
        """Works off what is left; says whether the process began to work, and so broke down over a source."""
        try:
            with self._lock:
                if self._is_stopped:
                    return False
                process = self._process = subprocess.Popen(  # noqa: S603 (our own module)
                    self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
                )
        except OSError:
            return False
        with process:
            assert process.stdin is not None
            assert process.stdout is not None
            with contextlib.suppress(OSError):
                if read_frame(process.stdout) != READY:
                    return False
                for index in self._left:
                    write_frame(process.stdin, self._sources[index])
                process.stdin.close()
                while self._left and (frame := read_frame(process.stdout)) is not None:
                    self._results[self._left[0]] = decode(frame)
                    self._left = self._left[1:]
        return True

    def _give_up(self, indexes: list[int], reason: str) -> None:
        for index in indexes:
            self._results[index] = Facts(reason=reason, hint="Exclude the file in the settings.")

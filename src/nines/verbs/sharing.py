"""Shares work that depends on nothing but this process's memory with copies of it, where that pays.

A copy ends with its share, with a signal, or when this process is gone; what it did not do is done by whoever asked."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import IO

PARTS_MIN = 64
"""Fewer are done sooner than they are shared."""
PROCESSES_MAX = 4
TAKEN_AT_ONCE = 4
PARTS_MAX = 16_000
"""More would not fit into the queue, a pipe that is filled before anybody reads it."""
WAIT_MAX_S = 300.0
"""How long a copy may take after this process has found nothing left to do."""
_PAUSE_S = 0.005
_NUMBER_BYTES = 4


def shared(count: int, work: Callable[[int], bytes]) -> dict[int, bytes]:
    """What `work` gives for the numbers below `count`; some or all may be missing."""
    processes = min(len(os.sched_getaffinity(0)), PROCESSES_MAX) if sys.platform == "linux" else 1
    if processes < 2 or not PARTS_MIN <= count <= PARTS_MAX:
        return {}
    queue, filling = os.pipe()
    os.write(filling, b"".join(first.to_bytes(_NUMBER_BYTES) for first in range(0, count, TAKEN_AT_ONCE)))
    os.close(filling)
    copies: dict[int, IO[bytes]] = {}
    try:
        for _ in range(processes - 1):
            results: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 -- it is closed below, after the copy has ended
            copies[_copy(queue, count, work, results)] = results
        found = {number: work(number) for number in _taken(queue, count)}
        _wait(set(copies))
        for results in copies.values():
            found.update(_read(results))
        return found
    finally:
        os.close(queue)
        _end(set(copies))
        for results in copies.values():
            results.close()


def _copy(queue: int, count: int, work: Callable[[int], bytes], results: IO[bytes]) -> int:
    """Starts a copy of this process that takes its share; the process id."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        for each in _taken(queue, count):
            if os.getppid() != parent:
                break
            done = work(each)
            results.write(each.to_bytes(_NUMBER_BYTES) + len(done).to_bytes(_NUMBER_BYTES) + done)
        results.flush()
    finally:
        # Nothing of this process may run twice: no buffer is written, no handler called.
        os._exit(0)


def _taken(queue: int, count: int) -> Iterator[int]:
    """The numbers that nobody else has taken."""
    while head := os.read(queue, _NUMBER_BYTES):
        first = int.from_bytes(head)
        yield from range(first, min(first + TAKEN_AT_ONCE, count))


def _wait(running: set[int]) -> None:
    deadline_s = time.monotonic() + WAIT_MAX_S
    while running and time.monotonic() < deadline_s:
        running -= {pid for pid in running if os.waitpid(pid, os.WNOHANG)[0]}
        if running:
            time.sleep(_PAUSE_S)


def _end(pids: set[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            if not os.waitpid(pid, os.WNOHANG)[0]:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _read(results: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """What a copy has written to its end."""
    results.seek(0)
    while len(head := results.read(2 * _NUMBER_BYTES)) == 2 * _NUMBER_BYTES:
        done = results.read(int.from_bytes(head[_NUMBER_BYTES:]))
        if len(done) < int.from_bytes(head[_NUMBER_BYTES:]):
            return
        yield int.from_bytes(head[:_NUMBER_BYTES]), done

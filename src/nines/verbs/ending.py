"""Ctrl-C and SIGTERM: the first ends everything in order, the second is told to wait, the third waits no longer.

What the third leaves standing is cleared away by the laboratory's warden, which outlives this process."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

WATCHED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 3
"""At this many signals nobody waits for an orderly end any more."""
EXIT_INTERRUPTED = 130


class _Count:
    """Signals of the whole process: a run that is being ended stays one, whoever handles signals at that moment."""

    received = 0
    is_last = False
    """Whether the process ends with this run, so that a signal on its way out must not meet Python's own handlers."""


def was_asked() -> bool:
    """Whether an end was asked for since `interruptible` was entered."""
    return _Count.received > 0


def ends_with_process() -> None:
    """To be said by a program that does nothing after the run: late signals are then counted as well."""
    _Count.is_last = True


def ignore_late_signals() -> None:
    """For the last moments of a process that was asked to end: Python takes our handlers away before it is gone."""
    if was_asked():
        for watched in WATCHED:
            signal.signal(watched, signal.SIG_IGN)


@contextmanager
def interruptible() -> Iterator[None]:
    """Signals raise KeyboardInterrupt where the work is, once."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    _Count.received = 0
    with _handled(interrupt):
        yield


@contextmanager
def cancelling() -> Iterator[None]:
    """Within an event loop: signals cancel the current task, so that every `async with` is left in order."""
    import asyncio  # noqa: PLC0415 -- most commands never need it, and it takes a while

    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    with _handled(lambda: loop.call_soon_threadsafe(task.cancel)):
        if was_asked():
            # It came between reading and starting, when no task was there to be cancelled.
            raise asyncio.CancelledError
        yield


@contextmanager
def _handled(end: Callable[[], object]) -> Iterator[None]:
    def on_signal(_number: int, _frame: FrameType | None) -> None:
        _Count.received += 1
        if _Count.received == 1:
            end()
        elif _Count.received < PATIENCE:
            _say("nines: still stopping what was started; once more leaves it to be cleared away behind you")
        else:
            os._exit(EXIT_INTERRUPTED)

    taken: list[tuple[signal.Signals, Any]] = []
    for watched in WATCHED:
        # Only the main thread may set handlers, and what the owner ignores (nohup) stays ignored.
        with suppress(ValueError):
            before = signal.getsignal(watched)
            if before is not signal.SIG_IGN:
                signal.signal(watched, on_signal)
                taken.append((watched, before))
    try:
        yield
    finally:
        for watched, before in taken if not (_Count.is_last and was_asked()) else ():
            signal.signal(watched, before)


def _say(text: str) -> None:
    """Past every buffer, for the signal may have come in the middle of a print."""
    with suppress(OSError, ValueError):
        os.write(sys.stderr.fileno(), f"{text}\n".encode())

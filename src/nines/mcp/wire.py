"""The standard streams as the protocol's alone: everybody else's input is empty, and their output goes to the log."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

LINE_BYTES_MAX: Final = 4 * 1024 * 1024
_WAITING_MAX = 256
_CHUNK = 1 << 16


class Lines:
    """Standard input as lines, read by a thread that a stopping server need not wait for."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._room = threading.Semaphore(_WAITING_MAX)
        threading.Thread(target=self._read, daemon=True).start()

    def __aiter__(self) -> Lines:
        return self

    async def __anext__(self) -> str:
        line = await self._lines.get()
        self._room.release()
        if line is None:
            raise StopAsyncIteration
        return line

    def _read(self) -> None:
        waiting = bytearray()
        while True:
            try:
                part = os.read(self._descriptor, _CHUNK)
            except OSError:
                part = b""
            *ended, rest = part.split(b"\n")
            for line in ended:
                waiting += line
                self._hand_over(waiting.decode("utf-8", "replace"))
                waiting.clear()
            waiting += rest
            if not part or len(waiting) > LINE_BYTES_MAX:
                if part:
                    os.write(sys.stderr.fileno(), b"nines mcp: a message is longer than any that it takes; it ends\n")
                self._hand_over(None)
                return

    def _hand_over(self, line: str | None) -> None:
        """Waits while too many lines are unread, so that a flood of them stays in the pipe."""
        self._room.acquire()
        # A loop that is closed takes nothing any more.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._lines.put_nowait, line)


class Output:
    """Standard output, written by a thread that a stopping server need not wait for."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()

    async def write(self, text: str) -> None:
        """Raises BrokenPipeError when nobody reads any more."""
        done: asyncio.Future[None] = self._loop.create_future()

        def tell(error: OSError | None) -> None:
            if not done.done():
                done.set_exception(error) if error else done.set_result(None)

        def write() -> None:
            error: OSError | None = None
            content = memoryview(text.encode("utf-8"))
            try:
                while content:
                    content = content[os.write(self._descriptor, content) :]
            except OSError as failure:
                error = failure
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(tell, error)

        threading.Thread(target=write, daemon=True).start()
        await done

    async def flush(self) -> None:
        """Nothing waits: `write` has written."""


@contextmanager
def claimed() -> Iterator[tuple[int, int]]:
    """Private copies of standard input and output; the descriptors 0 and 1 lead to nothing and to the log meanwhile."""
    sys.stdout.flush()
    incoming, outgoing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    try:
        yield incoming, outgoing
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        os.dup2(outgoing, 1)
        os.dup2(incoming, 0)

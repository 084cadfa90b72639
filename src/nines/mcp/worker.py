"""The process in which one tool does its work: the job comes on standard input, whose end is the order to stop."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any, get_type_hints

import msgspec

from nines.mcp import frames
from nines.model.errors import NinesError
from nines.verbs import ending

_PACKAGE = "nines.mcp.tools."
_JOB_BYTES_MAX = 16 * 1024 * 1024


class _Telling:
    """Progress as messages on the pipe."""

    def __init__(self, send: Callable[[frames.Frame], None]) -> None:
        self._send = send

    def stage(self, name: str, duration_s: float = 0.0) -> None:
        self._send(frames.Stage(name=name, duration_s=duration_s))

    def plan(self, remaining_s: float) -> None:
        self._send(frames.Plan(remaining_s=remaining_s))

    def note(self, text: str) -> None:
        self._send(frames.Note(text=text))


def main() -> int:
    wire = os.dup(sys.stdout.fileno())
    # Whatever anybody prints goes where people look, never into the messages.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    commands = os.dup(sys.stdin.fileno())
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())

    def send(frame: frames.Frame) -> None:
        content = memoryview(frames.encode(frame))
        while content:
            content = content[os.write(wire, content) :]

    ending.ends_with_process()
    try:
        with ending.interruptible():
            job = _received(commands)
            _stop_at_end_of(commands)
            send(_carried_out(job, _Telling(send)))
    except KeyboardInterrupt:
        return ending.EXIT_INTERRUPTED
    except BrokenPipeError:
        return ending.EXIT_INTERRUPTED
    ending.ignore_late_signals()
    return 0


def _carried_out(job: bytes, progress: _Telling) -> frames.Frame:
    module = sys.argv[1]
    if not module.startswith(_PACKAGE):
        return frames.Failed(what=f"{module} is no tool")
    work = importlib.import_module(module).work
    kind = get_type_hints(work)
    asked = next(kind[name] for name in kind if name not in ("progress", "return"))
    try:
        result: Any = work(msgspec.msgpack.decode(job, type=asked), progress)
    except NinesError as error:
        return frames.Failed(what=error.what, where=error.where, hint=error.hint, detail=error.detail)
    return frames.Done(result=msgspec.Raw(msgspec.msgpack.encode(result)))


def _received(commands: int) -> bytes:
    """The job: its length, then itself."""
    (length,) = frames.LENGTH.unpack(_exactly(commands, frames.LENGTH.size))
    if length > _JOB_BYTES_MAX:
        raise KeyboardInterrupt
    return _exactly(commands, length)


def _exactly(descriptor: int, count: int) -> bytes:
    found = b""
    while len(found) < count:
        part = os.read(descriptor, count - len(found))
        if not part:
            raise KeyboardInterrupt
        found += part
    return found


def _stop_at_end_of(commands: int) -> None:
    """Interrupts this process when whoever gave the job closes the pipe, or is gone."""

    def wait() -> None:
        while os.read(commands, 1):
            pass
        if not ending.was_asked():
            os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())

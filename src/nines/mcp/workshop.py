"""Work in processes of their own: cancelled by closing a pipe, ended with the server, counted and limited."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Protocol, TypeVar, get_type_hints

import anyio
import msgspec

from nines.mcp import frames
from nines.model.errors import NinesError, UsageError
from nines.model.progress import Progress
from nines.model.record import Record

WORKERS_MAX = 4
WORK_LIMIT_S = 3_600.0
STOP_LIMIT_S = 45.0
"""How long a worker may take to stop everything that it started; what it leaves then, its warden clears away."""
_REST_LIMIT_S = 10.0
"""How long a worker may take to go after it has told its result."""
_TELL_EVERY_S = 5.0

_Job = TypeVar("_Job", bound=Record)
_Done = TypeVar("_Done", bound=Record)


class Tell(Protocol):
    """Where progress goes: a sentence, and how long the rest should take where that is known."""

    async def __call__(self, text: str, remaining_s: float | None) -> None: ...


class Workshop:
    """Bounds how much is done at once; belongs to one event loop."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(WORKERS_MAX)
        self._alone = asyncio.Lock()

    async def work(
        self, work: Callable[[_Job, Progress], _Done], job: _Job, tell: Tell, *, is_alone: bool = False
    ) -> _Done:
        """The result; raises NinesError as the worker did. Whatever ends this ends the worker in order."""
        async with AsyncExitStack() as held:
            if is_alone and self._alone.locked():
                await tell("waiting until another measurement is over", None)
            if is_alone:
                await held.enter_async_context(self._alone)
            await held.enter_async_context(self._places)
            process = await held.enter_async_context(_started(work.__module__))
            body = msgspec.msgpack.encode(job)
            assert process.stdin is not None
            process.stdin.write(frames.LENGTH.pack(len(body)) + body)
            with suppress(ConnectionError):
                await process.stdin.drain()
            try:
                raw = await asyncio.wait_for(_followed(process, tell), WORK_LIMIT_S)
            except TimeoutError:
                hint = "Ask for less (only=..., path=...), or use the command line."
                raise UsageError(f"it took longer than {WORK_LIMIT_S:g} s, and was stopped", hint=hint) from None
        return msgspec.msgpack.decode(raw, type=get_type_hints(work)["return"])  # type: ignore[no-any-return]


@asynccontextmanager
async def _started(module: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker in a session of its own, so that a terminal's Ctrl-C reaches it through its pipe, once."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # Without the working directory on the path: it may be the project that is examined.
        "-m",
        "nines.mcp.worker",
        module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with anyio.CancelScope(shield=True):
            await _stopped(process)


async def _stopped(process: asyncio.subprocess.Process) -> None:
    """Closes the pipe, waits for the orderly end, and kills only what does not come to it."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    drained = asyncio.ensure_future(_drained(process.stdout))
    try:
        await asyncio.wait_for(process.wait(), STOP_LIMIT_S)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    finally:
        drained.cancel()
        with suppress(asyncio.CancelledError):
            await drained


async def _drained(stream: asyncio.StreamReader) -> None:
    """A worker that cannot write cannot stop either."""
    while await stream.read(1 << 16):
        pass


async def _followed(process: asyncio.subprocess.Process, tell: Tell) -> msgspec.Raw:
    """Passes progress on until the result comes."""
    telling = _Telling(tell)
    async with _heartbeat(telling):
        while True:
            frame = await _read(process)
            if isinstance(frame, frames.Done):
                return frame.result
            if isinstance(frame, frames.Failed):
                raise NinesError(frame.what, where=frame.where, hint=frame.hint, detail=frame.detail)
            await telling.take(frame)


async def _read(process: asyncio.subprocess.Process) -> frames.Frame:
    assert process.stdout is not None
    try:
        (length,) = frames.LENGTH.unpack(await process.stdout.readexactly(frames.LENGTH.size))
        if length > frames.FRAME_BYTES_MAX:
            raise UsageError("the result is too large to be kept", hint="Use the command line: nines ... --output FILE")
        return frames.decode(await process.stdout.readexactly(length))
    except asyncio.IncompleteReadError:
        code = await asyncio.wait_for(process.wait(), _REST_LIMIT_S)
        hint = "Its last words are in the server's log (standard error). The same on the command line tells more."
        raise NinesError(f"the process that did the work ended early (exit code {code})", hint=hint) from None


class _Telling:
    """Progress as sentences; the last one is repeated while nothing new happens."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._stage = "starting"
        self._ends_s: float | None = None

    async def take(self, frame: frames.Stage | frames.Plan | frames.Note) -> None:
        if isinstance(frame, frames.Plan):
            self._ends_s = anyio.current_time() + frame.remaining_s
            return
        if isinstance(frame, frames.Stage):
            self._stage = frame.name
        await self.again(frame.text if isinstance(frame, frames.Note) else frame.name)

    async def again(self, text: str = "") -> None:
        left = max(0.0, self._ends_s - anyio.current_time()) if self._ends_s is not None else None
        await self._tell(text or self._stage, left)


@asynccontextmanager
async def _heartbeat(telling: _Telling) -> AsyncIterator[None]:
    """Clients give up on what is silent for long."""

    async def beat() -> None:
        while True:
            await anyio.sleep(_TELL_EVERY_S)
            await telling.again()

    beating = asyncio.ensure_future(beat())
    try:
        yield
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating

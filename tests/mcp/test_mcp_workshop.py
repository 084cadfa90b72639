"""Work in a process of its own: what goes wrong there is one clear error here, and nothing is left."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import msgspec
import psutil
import pytest

from nines.mcp import frames
from nines.mcp.tools import review
from nines.mcp.workshop import Workshop
from nines.model.errors import NinesError
from nines.model.progress import Progress
from nines.model.record import Record
from nines.model.report import Report
from tests.mcp.conversation import EXAMPLES

CARELESS = EXAMPLES / "payments-careless"


class Job(Record):
    name: str = ""


def strange(job: Job, progress: Progress) -> Job:
    """Of a module that is no tool."""
    return job


def workers() -> list[psutil.Process]:
    own = psutil.Process().children()
    return [each for each in own if each.status() != psutil.STATUS_ZOMBIE and "nines.mcp.worker" in each.cmdline()]


def working(body: Callable[[Workshop, list[str]], Awaitable[None]]) -> list[str]:
    """What was told meanwhile; afterwards no worker is left."""
    told: list[str] = []

    async def main() -> None:
        await body(Workshop(), told)

    anyio.run(main)
    assert workers() == []
    return told


async def reviewed(workshop: Workshop, told: list[str], path: Path = CARELESS) -> Report:
    async def tell(text: str, remaining_s: float | None) -> None:
        told.append(text)

    return await workshop.work(review.work, review.Arguments(path=str(path)), tell)


def test_a_result_comes_back_as_the_record_that_it_was() -> None:
    async def body(workshop: Workshop, told: list[str]) -> None:
        report = await reviewed(workshop, told)
        assert len(report.findings) > 30
        assert report.findings[0].options

    assert "reading the code" in working(body)


def test_an_error_of_the_work_is_the_error_of_the_call() -> None:
    async def body(workshop: Workshop, told: list[str]) -> None:
        with pytest.raises(NinesError, match="there is no such directory") as caught:
            await reviewed(workshop, told, Path("/not/there"))
        assert caught.value.hint

    working(body)


def test_only_tools_can_be_worked() -> None:
    async def body(workshop: Workshop, told: list[str]) -> None:
        async def tell(text: str, remaining_s: float | None) -> None: ...

        with pytest.raises(NinesError, match="is no tool"):
            await workshop.work(strange, Job(), tell)

    working(body)


def test_a_worker_that_dies_is_one_clear_error() -> None:
    async def body(workshop: Workshop, told: list[str]) -> None:
        task = asyncio.ensure_future(reviewed(workshop, told))
        while not workers():  # noqa: ASYNC110 -- a process tells nobody that it is there
            await asyncio.sleep(0.01)
        workers()[0].kill()
        with pytest.raises(NinesError, match="ended early"):
            await task

    working(body)


def test_a_cancelled_call_takes_its_worker_along() -> None:
    async def body(workshop: Workshop, told: list[str]) -> None:
        task = asyncio.ensure_future(reviewed(workshop, told))
        while not workers():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    working(body)


def test_many_calls_are_worked_in_turn() -> None:
    async def body(workshop: Workshop, told: list[str]) -> None:
        found = await asyncio.gather(*(reviewed(workshop, told) for _ in range(6)))
        assert len({len(report.findings) for report in found}) == 1

    working(body)


def test_a_worker_without_a_master_ends() -> None:
    """Its input is closed before a job came, and in the middle of one."""
    for sent in (b"", frames.LENGTH.pack(100) + b"x"):
        worker = subprocess.Popen(
            [sys.executable, "-P", "-m", "nines.mcp.worker", "nines.mcp.tools.review"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        out, _ = worker.communicate(sent, timeout=60)
        assert worker.returncode == 130
        assert out == b""


def test_a_project_cannot_slip_modules_of_its_own_under(tmp_path: Path) -> None:
    """The server may be started in the very folder that is examined."""
    (tmp_path / "nines").mkdir()
    for name in ("json.py", "msgspec.py", "nines/__init__.py"):
        (tmp_path / name).write_text("raise SystemExit('executed')\n")
    (tmp_path / "app.py").write_text("from fastapi import FastAPI\n\napp = FastAPI()\n")
    here = Path.cwd()
    os.chdir(tmp_path)
    try:

        async def body(workshop: Workshop, told: list[str]) -> None:
            assert (await reviewed(workshop, told, tmp_path)).command == "review"

        working(body)
    finally:
        os.chdir(here)


def test_frames_are_read_as_they_were_written() -> None:
    for frame in (
        frames.Stage(name="a", duration_s=1.5),
        frames.Plan(remaining_s=2.0),
        frames.Note(text="ü"),
        frames.Failed(what="w", hint="h"),
        frames.Done(result=msgspec.Raw(msgspec.msgpack.encode({"a": 1}))),
    ):
        written = frames.encode(frame)
        (length,) = frames.LENGTH.unpack(written[: frames.LENGTH.size])
        assert length == len(written) - frames.LENGTH.size
        assert type(frames.decode(written[frames.LENGTH.size :])) is type(frame)

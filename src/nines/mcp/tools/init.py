"""Tool `init`: find out how a service is started and used, and propose its nines.toml."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from nines.mcp import shapes
from nines.mcp.call import Call
from nines.mcp.shapes import ProjectPath
from nines.mcp.tool import ToolInfo
from nines.model.errors import UsageError
from nines.model.progress import Progress
from nines.model.record import Record, StrictRecord
from nines.readers import settings as settings_reader
from nines.readers.settings import OWN_FILE
from nines.verbs.init import Answers, propose
from nines.verbs.project import open_project

INFO = ToolInfo(
    title="Propose a nines.toml",
    says=(
        "Reads how a backend is started, what it needs of its environment, its database and its remote services, and "
        "proposes the nines.toml that prove and check need, with the questions that reading cannot answer. Executes "
        "nothing; writes only with write=true, and never over a file that is there."
    ),
    is_read_only=False,
)


class Arguments(StrictRecord):
    path: ProjectPath = "."
    app: Annotated[str, Meta(description="The application object, package.module:name.")] = ""
    command: Annotated[str, Meta(description="How it is started, with {host} and {port}.")] = ""
    write: Annotated[bool, Meta(description="Write nines.toml into the folder.")] = False


class Result(Record):
    text: str
    """The configuration, as TOML."""
    found: tuple[str, ...]
    questions: tuple[str, ...]
    """For the owner."""
    written: str = ""


def work(job: Arguments, progress: Progress) -> Result:
    """Reads in a process of its own."""
    progress.stage("reading the code")
    proposal = propose(open_project(Path(job.path)), Answers(app=job.app, command=job.command))
    return Result(
        text=settings_reader.dump(proposal.settings),
        found=tuple(map(shapes.cut, proposal.found)),
        questions=tuple(shapes.cut(question.text) for question in proposal.questions),
        written=_written(Path(job.path) / OWN_FILE, settings_reader.dump(proposal.settings)) if job.write else "",
    )


def _written(target: Path, text: str) -> str:
    if os.path.lexists(target):
        hint = "Look at it first; replace it on the command line: nines init --force"
        raise UsageError(f"there is a {OWN_FILE} already", where=str(target), hint=hint)
    try:
        with target.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise UsageError(f"it cannot be written: {error.strerror}", where=str(target)) from None
    return str(target)


async def run(call: Call, asked: Arguments) -> Result:
    folder = str(call.folder(asked.path))
    return await call.work(work, Arguments(path=folder, app=asked.app, command=asked.command, write=asked.write))

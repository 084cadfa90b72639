"""Tool `ask`: a question in plain words, answered from findings, measurements and pages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from nines.asking import telling
from nines.asking.answer import Sureness
from nines.mcp import shapes
from nines.mcp.call import Call
from nines.mcp.shapes import ConfigPath, ProjectPath
from nines.mcp.tool import ToolInfo
from nines.model.progress import Progress
from nines.model.record import Record, StrictRecord
from nines.verbs.ask import ask
from nines.verbs.project import open_project

INFO = ToolInfo(
    title="Ask in plain words",
    says=(
        "Answers a question about a backend, or about one that is to be built, as a whole: reasoning, approaches with "
        "trade-offs, standards, risks, figures, questions to the owner, and what to run next. Reads only, uses reports "
        "that are there and tells their age. Good as a first call for a broad question."
    ),
)
_CHARACTERS_MAX = 16_000


class Arguments(StrictRecord):
    question: Annotated[str, Meta(max_length=4_000, description="The question, in a sentence.")]
    path: ProjectPath = "."
    config: ConfigPath = ""


class Next(Record):
    """Something to run next."""

    command: str
    why: str
    is_heavy: bool = False
    """Puts load or faults on the service: ask the owner first."""


class Result(Record):
    answer: str
    """Markdown; each claim names its source in brackets."""
    understood: str
    sureness: Sureness
    because: str
    questions: tuple[str, ...] = ()
    """To put to the owner."""
    next: tuple[Next, ...] = ()
    pages: tuple[str, ...] = ()
    """Ids for explain."""
    blueprint: str = ""
    """YAML, for design."""


class Job(Record):
    asked: Arguments
    where: str
    """The folder as the caller wrote it, for commands."""


def work(job: Job, progress: Progress) -> Result:
    """Reads in a process of its own."""
    asked = job.asked
    project = open_project(Path(asked.path), Path(asked.config) if asked.config else None)
    found = ask(asked.question, project, where=job.where, progress=progress).answer
    return Result(
        answer=shapes.cut(telling.markdown(found), _CHARACTERS_MAX),
        understood=found.understood,
        sureness=found.sureness,
        because=found.because,
        questions=tuple(each.question for each in found.questions),
        next=tuple(Next(command=each.command, why=each.why, is_heavy=each.is_heavy) for each in found.steps),
        pages=found.pages,
        blueprint=found.blueprint,
    )


async def run(call: Call, asked: Arguments) -> Result:
    resolved = msgspec.structs.replace(asked, path=str(call.folder(asked.path)), config=call.inside(asked.config))
    return await call.work(work, Job(asked=resolved, where=asked.path))

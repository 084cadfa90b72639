"""Tool `design`: from a blueprint, from answers, or from code that exists, to the dossier."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from nines import dossier
from nines.mcp.call import Call
from nines.mcp.objections import Objected, objected
from nines.mcp.tool import ToolInfo
from nines.model import words
from nines.model.design import Design
from nines.model.errors import BlueprintError, UsageError
from nines.model.progress import Progress
from nines.model.record import Record, StrictRecord
from nines.verbs.answers import Answers
from nines.verbs.ask_design import bottleneck_of
from nines.verbs.design import Planned, from_blueprint, from_code, hand_over
from nines.verbs.interview import QUESTIONS, interview
from nines.verbs.project import open_project

INFO = ToolInfo(
    title="Design a service",
    says=(
        "From a blueprint (a page of YAML: what and how much, never how) to contract, data, capacity, security, "
        "failure and operation, or to the reasons why it cannot hold, with options. Without arguments: the questions "
        "to put to the owner first. With `answers`: a first blueprint, and its design. With `from_code`: the design of "
        "a backend that exists. Writes nothing unless write=true; the chapters are resources otherwise."
    ),
    is_read_only=False,
)
_LISTED_MAX = 20
_PATH_USUAL = "blueprint.yaml"
_TEXT_BYTES_MAX = 200_000


class Arguments(StrictRecord):
    blueprint: Annotated[str, Meta(description="Path of a blueprint inside the allowed roots.")] = ""
    text: Annotated[str, Meta(description="The blueprint itself, as YAML.")] = ""
    answers: Annotated[
        dict[str, str] | None, Meta(description="Answers by question key; what stays open is assumed, and named.")
    ] = None
    from_code: Annotated[str, Meta(description="Folder of a backend that exists.")] = ""
    output: Annotated[str, Meta(description="With write=true: the dossier's folder.")] = "dossier"
    write: Annotated[bool, Meta(description="Write the dossier, and a first blueprint made of answers.")] = False
    force: Annotated[bool, Meta(description="Overwrite what was edited by hand.")] = False


class Asked(Record):
    """A question to put before designing."""

    key: str
    question: str
    assumed: str
    matters: str
    choices: tuple[str, ...] = ()
    example: str = ""


class File(Record):
    """A document of the dossier; read it as the resource `uri`, or in the folder."""

    path: str
    characters: int


class Result(Record):
    says: str
    is_refused: bool = False
    reasons: tuple[Objected, ...] = ()
    warnings: tuple[Objected, ...] = ()
    questions: tuple[Asked, ...] = ()
    """To put to the owner: all of them when nothing was given, else those that are open."""
    blueprint: str = ""
    """The YAML that answers made."""
    bottleneck: str = ""
    availability: float | None = None
    availability_promised: float | None = None
    dossier: str = ""
    """Read nines://dossier/{dossier}/{path}."""
    files: tuple[File, ...] = ()
    written: tuple[str, ...] = ()


class Job(Record):
    asked: Arguments
    output: str = ""
    """Where to write, resolved; "" writes nothing."""


class Designed(Record):
    result: Result
    documents: dict[str, str]


def work(job: Job, progress: Progress) -> Designed:
    """Plans in a process of its own, and writes where it was asked to."""
    asked = job.asked
    written: list[str] = []
    blueprint = asked.text
    if asked.answers is not None:
        blueprint = interview(_answers(asked.answers)).text
        if job.output:
            written.append(_first_blueprint(Path(job.output).parent / _PATH_USUAL, blueprint, force=asked.force))
    planned = _planned(asked, blueprint, progress)
    result = Result(
        says=_says(planned),
        is_refused=planned.design is None,
        reasons=tuple(map(objected, planned.reasons)),
        warnings=tuple(map(objected, planned.warnings)),
        blueprint=blueprint if asked.answers is not None else "",
    )
    if planned.design is None:
        return Designed(result=msgspec.structs.replace(result, written=tuple(written)), documents={})
    documents = {str(document.path): document.text for document in dossier.write(planned.design)}
    if job.output:
        found = hand_over(planned.design, Path(job.output), force=asked.force, progress=progress)
        written += [str(Path(job.output) / path) for path in (*found.new, *found.changed, *found.edited)]
    return Designed(result=_told(result, planned.design, written), documents=documents)


def _planned(asked: Arguments, text: str, progress: Progress) -> Planned:
    if asked.from_code:
        return from_code(open_project(Path(asked.from_code)), progress)
    if not text:
        return from_blueprint(Path(asked.blueprint), progress=progress)
    with tempfile.TemporaryDirectory(prefix="nines-blueprint-") as folder:
        path = Path(folder) / _PATH_USUAL
        path.write_text(text, encoding="utf-8")
        try:
            return from_blueprint(path, progress=progress)
        except BlueprintError as error:
            raise UsageError(error.what, where="the blueprint", detail=error.detail, hint=error.hint) from None


def _answers(given: dict[str, str]) -> Answers:
    known = {question.key for question in QUESTIONS}
    strange = sorted(set(given) - known)
    if strange:
        hint = f"The keys are: {', '.join(question.key for question in QUESTIONS)}."
        raise UsageError(f"nothing asked for {', '.join(strange)}", hint=hint)
    return Answers(**given)


def _first_blueprint(target: Path, text: str, *, force: bool) -> str:
    """Raises UsageError where a file stands there already and `force` is not given."""
    try:
        with target.open("w" if force and not target.is_symlink() else "x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        hint = "Design it with blueprint=..., or replace it with force=true."
        raise UsageError("there is a blueprint already", where=str(target), hint=hint) from None
    except OSError as error:
        raise UsageError(f"it cannot be written: {error.strerror}", where=str(target)) from None
    return str(target)


def _says(planned: Planned) -> str:
    if planned.design is None:
        return f"{planned.name} cannot hold: {words.many(len(planned.reasons), 'objection')}. Nothing was written."
    return f"{planned.name} was designed; {words.many(len(planned.warnings), 'warning')}."


def _told(result: Result, design: Design, written: list[str]) -> Result:
    forecast = design.forecast
    return msgspec.structs.replace(
        result,
        questions=tuple(
            Asked(key=gap.where, question=gap.question, assumed=gap.assumed, matters=gap.matters)
            for gap in design.gaps[:_LISTED_MAX]
        ),
        bottleneck=bottleneck_of(design),
        availability=forecast.availability if forecast else None,
        availability_promised=forecast.target if forecast else None,
        written=tuple(written),
    )


async def run(call: Call, asked: Arguments) -> Result:
    sources = [name for name in ("blueprint", "text", "answers", "from_code") if getattr(asked, name) not in ("", None)]
    if len(sources) > 1:
        raise UsageError(
            f"a design has one source, and {' and '.join(sources)} were given", hint="Leave out the others."
        )
    if not sources:
        return Result(says="Put these to the owner, then call design again with answers.", questions=_questions())
    if len(asked.text) > _TEXT_BYTES_MAX:
        raise UsageError("the blueprint is larger than any that a person reads", hint="Divide the service.")
    resolved = msgspec.structs.replace(
        asked, blueprint=call.inside(asked.blueprint), from_code=call.inside(asked.from_code)
    )
    output = call.inside(asked.output) if asked.write else ""
    if output and not call.roots.holds(Path(output).parent):
        raise UsageError(
            "the dossier needs a folder of its own inside the allowed folders", where=asked.output, hint="Name one."
        )
    done = await call.work(work, Job(asked=resolved, output=output))
    if not done.documents:
        return done.result
    id = call.desk.keep_dossier(done.documents)
    files = tuple(File(path=path, characters=len(text)) for path, text in sorted(done.documents.items()))
    return msgspec.structs.replace(done.result, dossier=id, files=files)


def _questions() -> tuple[Asked, ...]:
    return tuple(
        Asked(
            key=each.key,
            question=each.text,
            assumed=each.assumed,
            matters=each.matters,
            choices=each.choices,
            example=each.example,
        )
        for each in QUESTIONS
    )

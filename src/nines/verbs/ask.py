"""`nines ask`: a question is recognised and answered from verbs and pages; load is put on nothing unasked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from nines.asking import recipes, telling
from nines.asking.answer import Answer, Open, Step, Sureness
from nines.asking.material import Material
from nines.asking.recognise import Asked, intents, recognise
from nines.model.errors import UsageError
from nines.model.progress import Progress, Silent
from nines.model.record import Record
from nines.model.report import Report
from nines.verbs import check, prove
from nines.verbs.ask_material import Gathered
from nines.verbs.project import Project

Run = Callable[[Project, tuple[str, ...], Progress], Report]
_ROUNDS_MAX = 3
"""How often somebody at a terminal is asked back."""


class Told(Record):
    """The answer, and what was run for it."""

    answer: Answer
    asked: Asked
    ran: tuple[str, ...] = ()


def ask(
    question: str,
    project: Project | None,
    *,
    where: str = "",
    runs: bool = False,
    ask_back: Callable[[Open], str] | None = None,
    run: Run | None = None,
    progress: Progress | None = None,
) -> Told:
    """Answers without a model; `where` is the project as it is written in commands.

    Reading is done at once; load and faults are proposed, or run where `runs`. `ask_back` puts a decisive question, and
    gives "" where nobody answers it. `run` carries out experiments, all of them where none is named."""
    progress = progress or Silent()
    material = Gathered(project, where=where, progress=progress)
    told = _answered(recognise(question), material)
    for _ in range(_ROUNDS_MAX):
        said = _said(told.answer, ask_back)
        if not said:
            break
        told = _answered(recognise(f"{told.asked.text.rstrip('.?! ')} ({said})"), material)
    if runs and project is not None:
        ran = _run(told.answer, project, material, run or _run_experiments, progress)
        if ran:
            return msgspec.structs.replace(_answered(told.asked, material), ran=ran)
    return told


def markdown(told: Told) -> str:
    return telling.markdown(told.answer)


def _answered(asked: Asked, material: Material) -> Told:
    if asked.intent not in recipes.names():
        return Told(answer=_not_understood(asked), asked=asked)
    answer = recipes.recipe(asked.intent)(asked, material)
    if not asked.is_sure:
        others = " or ".join(_title(intent) for intent in asked.also[:2])
        if others:
            answer = msgspec.structs.replace(answer, understood=f"{answer.understood} (it could also be {others})")
    return Told(answer=answer, asked=asked)


def _title(intent: str) -> str:
    return next((f"the question {each.title}" for each in intents() if each.id == intent), intent)


def _not_understood(asked: Asked) -> Answer:
    return Answer(
        question=asked.text,
        intent="",
        understood="",
        headline="This was not understood: nines answers questions about backends.",
        sureness=Sureness.LOW,
        because="for no word of it names anything that nines does.",
        questions=(
            Open(
                question="What do you want to know about your backend?",
                matters="say it in a sentence, such as the ones below",
                is_decisive=True,
            ),
        ),
        steps=tuple(Step(command=f'nines ask "{each.example}"', why=f"asks {each.title}") for each in intents()),
    )


def _said(answer: Answer, ask_back: Callable[[Open], str] | None) -> str:
    decisive = next((each for each in answer.questions if each.is_decisive), None)
    return ask_back(decisive).strip() if ask_back is not None and decisive is not None else ""


def _run_experiments(project: Project, wanted: tuple[str, ...], progress: Progress) -> Report:
    """The whole is a matter of check, a part of prove."""
    return prove.prove(project, only=wanted, progress=progress) if wanted else check.check(project, progress=progress)


def _run(answer: Answer, project: Project, material: Gathered, run: Run, progress: Progress) -> tuple[str, ...]:
    """Carries out what the answer proposes, keeps the report where the next question finds it."""
    wanted = tuple(dict.fromkeys(id for step in answer.steps for id in step.experiments))
    if not wanted:
        return ()
    report = run(project, () if answer.intent == "ready" else wanted, progress)
    material.keep(report)
    return (f"nines {report.command}", *wanted)


def write(told: Told, target: Path) -> None:
    """Writes the answer's blueprint; raises UsageError where there is none, or a file stands there."""
    if not told.answer.blueprint:
        raise UsageError("this answer holds no blueprint", hint='Ask for one: nines ask "design a ... service"')
    try:
        with target.open("x", encoding="utf-8") as stream:
            stream.write(told.answer.blueprint)
    except FileExistsError:
        raise UsageError("there is a file already", where=str(target), hint="Name another with --write.") from None
    except OSError as error:
        raise UsageError(f"it cannot be written: {error.strerror}", where=str(target)) from None

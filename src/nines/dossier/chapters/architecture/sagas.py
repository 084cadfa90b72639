"""Operations that span services: what each step does, what undoes it, and what happens when nobody knows."""

from __future__ import annotations

from nines.dossier import words
from nines.dossier.chapters.architecture import deployables as parts
from nines.dossier.markdown import code, heading, table
from nines.model.blueprint import Operation
from nines.model.design import Design, FlowStep, PlannedEndpoint, PlannedJob, StepKind

_COLUMNS = ("step", "does", "where", "deadline", "when refused", "undone by")


def sections(design: Design) -> list[str]:
    if design.blueprint is None:
        return []
    found = [each for each in design.blueprint.operations if each.saga]
    if not found:
        return [_none(design)]
    said: list[str] = []
    for operation in found:
        endpoint = design.endpoint(operation.name)
        said += [heading(3, operation.name), _opening(design, operation), _table(design, operation, endpoint)]
        said.append(_unknown(design, endpoint))
    return said


def _none(design: Design) -> str:
    calls = [each.id for each in design.endpoints if each.flow.calls]
    if not calls:
        return "There is none: no operation changes something in two places that one transaction could not hold."
    shown = ", ".join(code(each) for each in calls)
    return (
        f"There is none: no operation spans services. {shown} {'change' if len(calls) > 1 else 'changes'} something "
        "at somebody else's; "
        "there the row is reserved first, the other is asked under a key made of the row, and the answer settles "
        "the row, so there "
        "is nothing that another service would have to undo."
    )


def _opening(design: Design, operation: Operation) -> str:
    home = parts.module_of(design, operation.on) or design.name
    return (
        f"Led by {code(home)}, which writes down every step before and after it, so that a process that dies leaves "
        "a saga and not a "
        "riddle. The last step is local and commits together with the note that it is done."
        if _last_is_local(design, operation)
        else f"Led by {code(home)}, which writes down every step before and after it."
    )


def _last_is_local(design: Design, operation: Operation) -> bool:
    home = parts.module_of(design, operation.on)
    return bool(operation.saga) and operation.saga[-1].module in ("", home)


def _table(design: Design, operation: Operation, endpoint: PlannedEndpoint | None) -> str:
    steps = {}
    if endpoint is not None:
        steps = {each.do: _step(endpoint, each.do) for each in operation.saga}
    home = parts.module_of(design, operation.on) or design.name
    rows = []
    for number, each in enumerate(operation.saga, start=1):
        step = steps.get(each.do)
        deadline = words.duration(step.timeout_s) if step and step.timeout_s else "local"
        refused = step.branches[0].then if step and step.branches else ""
        undo = code(each.undo) if each.undo else "nothing: it cannot be undone"
        rows.append((str(number), code(each.do), code(each.module or home), deadline, refused, undo))
    return table(_COLUMNS, rows)


def _step(endpoint: PlannedEndpoint, does: str) -> FlowStep | None:
    """The step of the flow that carries out the operation of that name."""
    return next(
        (step for step in endpoint.flow.steps if does in step.says.split() and (step.branches or step.undo)), None
    )


def _unknown(design: Design, endpoint: PlannedEndpoint | None) -> str:
    said = (
        "A step whose outcome is not known is asked again under the same key until it is: "
        "neither skipped nor undone on a guess."
    )
    job = _continuing(design, endpoint) if endpoint else None
    if job is None:
        return said
    every = f" every {words.duration(job.every_s)}" if job.every_s else ""
    end = f" What fails for good ends in {job.dead_letter}: an alert, and a person." if job.dead_letter else ""
    return f"{said} {code(job.name)} takes up{every} what a dead process left half done.{end}"


def _continuing(design: Design, endpoint: PlannedEndpoint) -> PlannedJob | None:
    """The job that goes on where the operation stopped: it works on the same record of progress."""
    kept = {step.target for step in endpoint.flow.steps if step.query}
    kept -= {each.name for each in design.tables if each.resource}
    working = (StepKind.CALL, StepKind.COMPUTE)
    return next(
        (
            job
            for job in design.jobs
            if any(step.target in kept for step in job.flow.steps[:1])
            and any(step.kind in working for step in job.flow.steps)
        ),
        None,
    )

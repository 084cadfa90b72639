"""The chapter's own page."""

from __future__ import annotations

from nines.dossier import diagrams, words
from nines.dossier.chapters.architecture import boundaries, sagas, talking
from nines.dossier.chapters.architecture.deployables import shared_jobs
from nines.dossier.chapters.architecture.states import unmade
from nines.dossier.diagrams import Graph, States
from nines.dossier.markdown import bullets, code, heading, link, page, sentence, table
from nines.dossier.words import many
from nines.model.blueprint import Resource
from nines.model.design import Design, Flow, PlannedEndpoint

Listed = tuple[str, str, Flow, PlannedEndpoint | None]
"""A flow with a picture: its name, where that is, the flow, and its endpoint where it has one."""


def text(
    design: Design,
    views: tuple[Graph, Graph],
    lives: tuple[tuple[Resource, States], ...],
    drawn: tuple[Listed, ...],
) -> str:
    context, containers = views
    return page(
        heading(1, "Architecture"),
        _opening(design),
        heading(2, "Context"),
        diagrams.as_markdown(context),
        heading(2, "Containers"),
        diagrams.as_markdown(containers),
        _shared(design),
        heading(2, "Boundaries"),
        *boundaries.sections(design),
        heading(2, "How the parts talk"),
        talking.links(design),
        *_section("Discovery, balancing, mesh", talking.discovery(design)),
        *_section("Operations over several services", *sagas.sections(design)),
        *_section(
            "Step by step" if design.is_recovered else "Critical operations step by step", *_flows(design, drawn)
        ),
        *_lives(lives),
        *_section("What is not known", _unknown(design)),
    )


def _shared(design: Design) -> str:
    jobs = shared_jobs(design)
    named = ", ".join(code(job.name) for job in jobs)
    return f"Each service runs its own of these, where it needs them: {named}." if jobs else ""


def _section(title: str, *blocks: str) -> list[str]:
    return [heading(2, title), *blocks] if any(blocks) else []


def _opening(design: Design) -> str:
    if design.is_recovered:
        return (
            f"Recovered from the code of {code(design.name)}: what it calls, what it keeps and in which order. "
            "Where the code was not understood, this chapter says so."
        )
    said = (
        many(len(design.endpoints), "operation"),
        many(len(design.jobs), "job"),
        many(len(design.tables), "table"),
        many(len(design.dependencies), "dependency", "dependencies"),
    )
    return f"{design.card.purpose or design.name} {', '.join(said)}."


def _flows(design: Design, drawn: tuple[Listed, ...]) -> list[str]:
    rows = [
        (link(name, place), _called(endpoint), str(flow.transactions), _calls(flow), _deadline(flow))
        for name, place, flow, endpoint in drawn
    ]
    said = [table(("flow", "begun by", "transactions", "asks", "deadlines of its calls"), rows)]
    shown = {name for name, *_ in drawn}
    left = [each for each in design.critical() if each.flow.steps and each.id not in shown]
    if left:
        does, are = ("does", "is") if len(left) == 1 else ("do", "are")
        said.append(f"{many(len(left), 'operation')} more {does} less than those above and {are} not drawn.")
    return said if rows else []


def _called(endpoint: PlannedEndpoint | None) -> str:
    return code(f"{endpoint.method} {endpoint.path}") if endpoint else "a job"


def _calls(flow: Flow) -> str:
    return ", ".join(dict.fromkeys(code(step.target) for step in flow.calls if step.target))


def _deadline(flow: Flow) -> str:
    """Every attempt at every call, one after the other; what is unbounded is said."""
    if not flow.calls:
        return ""
    if any(step.timeout_s is None for step in flow.calls):
        return "no deadline known"
    parts = [(step.attempts_max, step.timeout_s or 0.0) for step in flow.calls]
    total = sum(count * each for count, each in parts)
    sums = " + ".join(
        f"{count} × {words.duration(each)}" if count > 1 else words.duration(each) for count, each in parts
    )
    return words.duration(total) if sums == words.duration(total) else f"{sums} = {words.duration(total)}"


def _lives(lives: tuple[tuple[Resource, States], ...]) -> list[str]:
    said: list[str] = []
    for resource, life in lives:
        said += [heading(3, resource.name), diagrams.as_markdown(life)]
        loose = unmade(life)
        if loose:
            moves = ", ".join(f"{code(move.source)} → {code(move.target)}" for move in loose)
            said.append(f"Allowed, but made by no operation and no job of the blueprint: {moves}.")
    return [heading(2, "States"), *said] if said else []


def _unknown(design: Design) -> str:
    said = [
        f"{sentence(gap.question)} {f'Assumed: {sentence(gap.assumed)}' if gap.assumed else ''}".rstrip()
        for gap in design.gaps
        if gap.kind == "reading"
    ]
    broken = [each.id for each in design.endpoints if not each.flow.is_complete]
    if broken:
        shown = ", ".join(code(each) for each in broken[:10])
        more = f" and {len(broken) - 10} more" if len(broken) > 10 else ""
        said.append(
            f"Parts of {many(len(broken), 'operation')} were not understood; the diagrams show what was: {shown}{more}."
        )
    if design.is_recovered:
        said.append(
            "States and the moves between them, who may be called how often, and how many copies run: none of it is "
            "in the code in a form that can be read."
        )
    return bullets(said)

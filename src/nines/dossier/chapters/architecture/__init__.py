"""The architecture: what runs and why in these parts, how they talk, and each critical operation step by step."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nines.dossier import diagrams
from nines.dossier.chapter import Chapter
from nines.dossier.chapters.architecture import readme, sequences, states, views
from nines.dossier.diagrams import Sequence
from nines.dossier.markdown import anchor, code, heading, page
from nines.model.design import Design, Document, Flow, PlannedEndpoint, PlannedJob, StepKind

CHAPTER = Chapter(
    number=2,
    folder="architecture",
    title="Architecture",
    says="What runs, why it is cut like this, how the parts talk, and every critical operation step by step.",
)
DRAWN_MAX = 80
"""Of a recovered design, the flows that change most; a blueprint says itself what is critical."""
_JOBS = "outside-requests.md"
_HOW_TO_READ = (
    "An alternative in a frame tells what happens instead; where its condition is not met, the flow goes on below it."
)


def write(design: Design) -> Iterator[Document]:
    """The page, and the sequence diagrams on one page for each kind of thing."""
    endpoints, jobs = _drawn(design), _drawn_jobs(design)
    pages = _pages(design, endpoints)
    told: list[tuple[str, str, Flow, PlannedEndpoint | None]] = [
        (each.id, f"{_file(each)}#{anchor(each.id)}", each.flow, each) for each in endpoints
    ]
    told += [(job.name, f"{_JOBS}#{anchor(job.name)}", job.flow, None) for job in jobs]
    both = (views.context(design), views.containers(design))
    lives = states.lives(design)
    yield Document(
        path=f"{CHAPTER.folder}/README.md",
        text=readme.text(design, both, lives, tuple(told)),
        title=CHAPTER.title,
        drawings=diagrams.drawings(*both, *(life for _, life in lives)),
    )
    for name, (title, drawn) in pages.items():
        yield _page(name, title, drawn)
    if jobs:
        yield _page(_JOBS, "Work outside requests", [(job.says, sequences.of_job(design, job)) for job in jobs])


def _drawn(design: Design) -> list[PlannedEndpoint]:
    found = [each for each in design.critical() if len(each.flow.steps) > 1]
    if not design.is_recovered:
        return found
    most = sorted(found, key=lambda each: (each.is_safe, -len(each.flow.calls), -len(each.flow.steps)))[:DRAWN_MAX]
    chosen = {each.id for each in most}
    return [each for each in found if each.id in chosen]


def _drawn_jobs(design: Design) -> list[PlannedJob]:
    """Those that reach somebody else or are told something; what only deletes old rows needs no picture."""
    reaching = (StepKind.CALL, StepKind.PUBLISH)
    return [job for job in design.jobs if job.receives or any(step.kind in reaching for step in job.flow.steps)]


def _pages(design: Design, endpoints: list[PlannedEndpoint]) -> dict[str, tuple[str, list[tuple[str, Sequence]]]]:
    found: dict[str, tuple[str, list[tuple[str, Sequence]]]] = {}
    for each in endpoints:
        says = "" if _same(each.summary, each.id) else each.summary
        if not each.flow.is_complete:
            says = f"{says} Not all of it was understood.".strip()
        _, drawn = found.setdefault(_file(each), (each.resource or "Other operations", []))
        drawn.append((says, sequences.of_endpoint(design, each)))
    return found


def _same(summary: str, id: str) -> bool:
    """ "Capture payment" says no more than capturePayment."""
    return "".join(summary.split()).lower() == id.lower()


def _file(endpoint: PlannedEndpoint) -> str:
    kebab = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", endpoint.resource or "others").lower()
    return "flows-" + re.sub(r"[^a-z0-9]+", "-", kebab).strip("-") + ".md"


def _named(title: str) -> str:
    """Names out of code may hold signs that Markdown would take for its own."""
    return title if re.fullmatch(r"[A-Za-z0-9]+", title) else code(title)


def _page(name: str, title: str, drawn: list[tuple[str, Sequence]]) -> Document:
    blocks = [
        block for says, each in drawn for block in (heading(2, _named(each.title)), says, diagrams.as_markdown(each))
    ]
    text = page(heading(1, title), _HOW_TO_READ, *blocks)
    return Document(
        path=f"{CHAPTER.folder}/{name}",
        text=text,
        title=f"Step by step: {title}",
        drawings=diagrams.drawings(*(each for _, each in drawn)),
    )

"""What `nines design` tells: what was written and what is worth knowing at once, or why the blueprint was refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from nines.cli.telling import Files, Reason, headline, reason, told_in, warnings, wrapped
from nines.model import words
from nines.model.design import Design, Gap, Objection
from nines.model.record import Record
from nines.verbs.design import Planned
from nines.verbs.handover import Comparison

_REASONS_MAX = 20
"""Objections that are told with their options; of more, the codes are counted."""
_SHOWN_MAX = 10
"""Files, questions and warnings that are listed; more are counted."""


class Question(Record, omit_defaults=False):
    question: str
    assumed: str
    matters: str
    where: str


class Summary(Record, omit_defaults=False):
    """The JSON of `nines design --format json`."""

    name: str
    is_refused: bool
    reasons: tuple[Reason, ...] = ()
    folder: str = ""
    is_check: bool = False
    is_current: bool = False
    """Whether the folder was up to date before."""
    front: str = ""
    """The page to read first."""
    files: Files = Files()
    breaking: tuple[str, ...] = ()
    """What breaks those who call by the released contract."""
    bottleneck: str = ""
    availability: float | None = None
    availability_promised: float | None = None
    questions: tuple[Question, ...] = ()
    warnings: tuple[Reason, ...] = ()

    @classmethod
    def refused(cls, planned: Planned) -> Summary:
        return cls(
            name=planned.name,
            is_refused=True,
            reasons=tuple(map(reason, planned.reasons)),
            warnings=tuple(map(reason, planned.warnings)),
        )

    @classmethod
    def of(cls, planned: Planned, found: Comparison, folder: Path, *, is_check: bool) -> Summary:
        design = planned.design
        assert design is not None
        forecast = design.forecast
        return cls(
            name=planned.name,
            is_refused=False,
            folder=str(folder),
            front=_front(folder, found),
            is_check=is_check,
            is_current=found.is_current,
            files=Files.of(found),
            breaking=tuple(f"{each.operation} {each.where} {each.says}" for each in planned.breaking),
            bottleneck=_bottleneck(design),
            availability=forecast.availability if forecast else None,
            availability_promised=forecast.target if forecast else None,
            questions=tuple(map(_question, design.gaps)),
            warnings=tuple(map(reason, planned.warnings)),
        )


def refusal(planned: Planned) -> str:
    """Every reason with its options and their trade-offs."""
    count = len(planned.reasons)
    lines = [f"{planned.name} cannot hold: {count} objection{'s' if count > 1 else ''}. Nothing was written."]
    for objection in planned.reasons[:_REASONS_MAX]:
        lines += ["", *_objection(objection)]
    if count > _REASONS_MAX:
        codes = Counter(objection.code for objection in planned.reasons[_REASONS_MAX:])
        more = ", ".join(f"{number} × {code}" for code, number in codes.most_common())
        lines += ["", *wrapped(f"and {count - _REASONS_MAX} more: {more}", "", "  ")]
    lines += warnings(tuple(map(reason, planned.warnings)))
    return told_in(lines)


def summary(told: Summary) -> str:
    lines = list(
        headline(told.name, "dossier", told.folder, told.files, is_check=told.is_check, is_current=told.is_current)
    )
    lines += _breaking(told.breaking)
    if told.bottleneck:
        lines.append(f"first bottleneck: {told.bottleneck}")
    if told.availability is not None and told.availability_promised is not None:
        verdict = "holds" if told.availability >= told.availability_promised else "does not hold"
        lines.append(
            f"forecast: {words.share(told.availability)} available, {words.share(told.availability_promised)} is "
            f"promised: {verdict}"
        )
    lines += _questions(told.questions)
    lines += warnings(told.warnings)
    if told.front and not told.is_check:
        lines.append(f"read first: {told.front}")
    return told_in(lines)


def _breaking(breaking: Sequence[str]) -> Iterator[str]:
    if breaking:
        yield f"breaks callers of the released contract: {len(breaking)} change{'s' if len(breaking) > 1 else ''}"
    for each in breaking[:_SHOWN_MAX]:
        yield from wrapped(each, "  - ", "    ")


def _questions(questions: Sequence[Question]) -> Iterator[str]:
    if questions:
        yield f"open questions: {len(questions)}"
    for each in questions[:_SHOWN_MAX]:
        assumed = f" Assumed: {each.assumed}." if each.assumed else ""
        yield from wrapped(f"{each.question}{assumed}", "  - ", "    ")
    if len(questions) > _SHOWN_MAX:
        yield f"  ... and {len(questions) - _SHOWN_MAX} more"


def _objection(objection: Objection) -> Iterator[str]:
    yield f"{objection.where}: {objection.code}"
    yield from wrapped(objection.says, "  ", "  ")
    for number, each in enumerate(objection.options, 1):
        yield from wrapped(each.name, f"  {number}. ", "     ")
        yield from wrapped(each.gains, "     + ", "       ")
        yield from wrapped(each.costs, "     - ", "       ")
        if each.when:
            yield from wrapped(f"when {each.when}", "       ", "       ")


def _front(folder: Path, found: Comparison) -> str:
    """The front page, else the first chapter's own."""
    pages = (*found.new, *found.changed, *found.unchanged, *found.edited)
    first = min(
        (path for path in pages if path.endswith("README.md")), key=lambda path: (path.count("/"), path), default=""
    )
    return str(folder / first) if first else ""


def _bottleneck(design: Design) -> str:
    """The first multiple of the load that something cannot carry."""
    points = design.capacity.points if design.capacity else ()
    found = next((point for point in points if point.bottleneck), None)
    if found is None:
        return f"none up to {words.rate(points[-1].rate_hz)}" if points else ""
    times = f"{found.utilisation:.3g} times what there is"
    used = times if found.utilisation > 1 else f"{words.share(round(found.utilisation, 3))} used"
    return f"{found.bottleneck} at {found.factor:g}× the peak ({words.rate(found.rate_hz)}), {used}"


def _question(gap: Gap) -> Question:
    return Question(question=gap.question, assumed=gap.assumed, matters=gap.matters, where=gap.where)

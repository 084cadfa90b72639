"""What `nines design` tells: what was written and what is worth knowing at once, or why the blueprint was refused."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from nines.model import words
from nines.model.design import Choice, Design, Gap, Objection
from nines.model.record import Record
from nines.reports import harmless
from nines.verbs.design import Planned
from nines.verbs.handover import Comparison

_WIDTH = 100
_REASONS_MAX = 20
"""Objections that are told with their options; of more, the codes are counted."""
_SHOWN_MAX = 10
"""Files, questions and warnings that are listed; more are counted."""


class Option(Record, omit_defaults=False):
    name: str
    gains: str
    costs: str
    when: str


class Reason(Record, omit_defaults=False):
    """An objection, as a machine wants it."""

    code: str
    where: str
    path: str
    says: str
    options: tuple[Option, ...]


class Question(Record, omit_defaults=False):
    question: str
    assumed: str
    matters: str
    where: str


class Files(Record, omit_defaults=False):
    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: int = 0
    edited: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    """Of an earlier run and edited since: they stay, and are no longer the dossier's."""


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
            reasons=tuple(map(_reason, planned.reasons)),
            warnings=tuple(map(_reason, planned.warnings)),
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
            files=Files(
                new=found.new,
                changed=found.changed,
                unchanged=len(found.unchanged),
                edited=found.edited,
                removed=found.stale,
                kept=found.orphaned,
            ),
            breaking=tuple(f"{each.operation} {each.where} {each.says}" for each in planned.breaking),
            bottleneck=_bottleneck(design),
            availability=forecast.availability if forecast else None,
            availability_promised=forecast.target if forecast else None,
            questions=tuple(map(_question, design.gaps)),
            warnings=tuple(map(_reason, planned.warnings)),
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
        lines += ["", *_wrapped(f"and {count - _REASONS_MAX} more: {more}", "", "  ")]
    lines += _warnings(tuple(map(_reason, planned.warnings)))
    return _told(lines)


def summary(told: Summary) -> str:
    lines = [_headline(told)]
    if told.is_check:
        lines += _differences(told.files)
    lines += [f"  kept, for it was edited: {path}" for path in told.files.kept[:_SHOWN_MAX]]
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
    lines += _warnings(told.warnings)
    if told.front and not told.is_check:
        lines.append(f"read first: {told.front}")
    return _told(lines)


def _headline(told: Summary) -> str:
    files = told.files
    total = len(files.new) + len(files.changed) + len(files.edited) + files.unchanged
    if told.is_check:
        state = "is up to date" if told.is_current else "is out of date"
        return f"{told.name}: the dossier of {total} files in {told.folder} {state}"
    counts = (
        (len(files.new), "new"),
        (len(files.changed), "changed"),
        (len(files.edited), "overwritten"),
        (files.unchanged, "unchanged"),
        (len(files.removed), "removed"),
    )
    parts = ", ".join(f"{count} {word}" for count, word in counts if count)
    return f"{told.name}: {total} files in {told.folder}" + (f" ({parts})" if parts else "")


def _differences(files: Files) -> Iterator[str]:
    found = [f"  missing: {path}" for path in files.new]
    found += [f"  out of date: {path}" for path in files.changed]
    found += [f"  edited by hand: {path}" for path in files.edited]
    found += [f"  no longer made: {path}" for path in files.removed]
    yield from found[: 2 * _SHOWN_MAX]
    if len(found) > 2 * _SHOWN_MAX:
        yield f"  ... and {len(found) - 2 * _SHOWN_MAX} more"


def _breaking(breaking: Sequence[str]) -> Iterator[str]:
    if breaking:
        yield f"breaks callers of the released contract: {len(breaking)} change{'s' if len(breaking) > 1 else ''}"
    for each in breaking[:_SHOWN_MAX]:
        yield from _wrapped(each, "  - ", "    ")


def _questions(questions: Sequence[Question]) -> Iterator[str]:
    if questions:
        yield f"open questions: {len(questions)}"
    for each in questions[:_SHOWN_MAX]:
        assumed = f" Assumed: {each.assumed}." if each.assumed else ""
        yield from _wrapped(f"{each.question}{assumed}", "  - ", "    ")
    if len(questions) > _SHOWN_MAX:
        yield f"  ... and {len(questions) - _SHOWN_MAX} more"


def _warnings(warnings: Sequence[Reason]) -> Iterator[str]:
    if warnings:
        yield f"warnings: {len(warnings)}"
    for each in warnings[:_SHOWN_MAX]:
        yield from _wrapped(f"{each.where} {each.code}: {each.says}", "  - ", "    ")
    if len(warnings) > _SHOWN_MAX:
        yield f"  ... and {len(warnings) - _SHOWN_MAX} more"


def _objection(objection: Objection) -> Iterator[str]:
    yield f"{objection.where}: {objection.code}"
    yield from _wrapped(objection.says, "  ", "  ")
    for number, each in enumerate(objection.options, 1):
        yield from _wrapped(each.name, f"  {number}. ", "     ")
        yield from _wrapped(each.gains, "     + ", "       ")
        yield from _wrapped(each.costs, "     - ", "       ")
        if each.when:
            yield from _wrapped(f"when {each.when}", "       ", "       ")


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()),
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


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


def _reason(objection: Objection) -> Reason:
    return Reason(
        code=objection.code,
        where=objection.where,
        path=objection.path,
        says=objection.says,
        options=tuple(map(_option, objection.options)),
    )


def _option(choice: Choice) -> Option:
    return Option(name=choice.name, gains=choice.gains, costs=choice.costs, when=choice.when)


def _question(gap: Gap) -> Question:
    return Question(question=gap.question, assumed=gap.assumed, matters=gap.matters, where=gap.where)


def _told(lines: Sequence[str]) -> str:
    text: str = harmless("\n".join(lines))
    return text

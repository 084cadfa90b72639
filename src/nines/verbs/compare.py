"""`nines compare`: what changed between two reports, and whether it is for the better."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import msgspec

from nines.model.budget import Standing as BudgetStanding
from nines.model.errors import SourceError
from nines.model.experiment import Figure, Trial
from nines.model.finding import Finding, Standing
from nines.model.record import Record
from nines.model.report import Report
from nines.model.verdict import Verdict

REPORT_BYTES_MAX = 200_000_000
_GOOD = {Verdict.BROKEN: 0, Verdict.UNKNOWN: 1, Verdict.HOLDS: 2}
_KEPT = {BudgetStanding.MISSED: 0, BudgetStanding.NOT_SHOWN: 1, BudgetStanding.MET: 2}


class Kind(StrEnum):
    FINDING = "finding"
    CLAIM = "claim"
    BUDGET = "budget"
    FIGURE = "figure"
    SCOPE = "scope"
    """What only one of the two examined, so that nothing about it can be compared."""


class Change(Record):
    """One difference, in words and with its id."""

    kind: Kind
    id: str
    says: str


class Comparison(Record):
    """Everything that differs, sorted into better, worse and neither."""

    says: str
    better: tuple[Change, ...]
    worse: tuple[Change, ...]
    other: tuple[Change, ...]


def load(path: Path) -> Report:
    """The JSON report in a file; raises SourceError for what is none."""
    hint = "Give the JSON of a run: nines review PATH --format json --output report.json"
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:  # noqa: PTH123 -- of a descriptor
            content = stream.read(REPORT_BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise SourceError(f"it cannot be read: {said.lower()}", where=str(path), hint=hint) from None
    if len(content) > REPORT_BYTES_MAX:
        raise SourceError("it is larger than any report that nines compares", where=str(path), hint=hint)
    try:
        return msgspec.json.decode(content, type=Report)
    except (ValueError, msgspec.DecodeError) as error:
        raise SourceError(f"this is no report of nines: {error}", where=str(path), hint=hint) from None


def compare(before: Report, after: Report) -> Comparison:
    """What only one of the two examined is never better or worse."""
    better: list[Change] = []
    worse: list[Change] = []
    other: list[Change] = []
    for change, is_better in (*_findings(before, after), *_claims(before, after), *_budgets(before, after)):
        (other if is_better is None else better if is_better else worse).append(change)
    return Comparison(says=_says(better, worse, other), better=tuple(better), worse=tuple(worse), other=tuple(other))


_Judged = Iterator[tuple[Change, bool | None]]


def _findings(before: Report, after: Report) -> _Judged:
    if not (before.reading.rules or before.findings) or not (after.reading.rules or after.findings):
        if before.findings or after.findings:
            read = "before" if before.findings else "after"
            says = f"only the report {read} holds a review, so findings cannot be compared"
            yield Change(kind=Kind.SCOPE, id="review", says=says), None
        return
    old, new = (Counter(f.fingerprint for f in report.findings if _stands(f)) for report in (before, after))
    found = {finding.fingerprint: finding for report in (before, after) for finding in report.findings}
    for fingerprint in dict.fromkeys((*old, *new)):
        difference = new[fingerprint] - old[fingerprint]
        finding = found[fingerprint]
        if difference:
            word = "came" if difference > 0 else "is gone"
            times = f" ({abs(difference)} times)" if abs(difference) > 1 else ""
            says = f"{word}{times}: {finding.rule} at {finding.place or finding.endpoint}: {finding.message}"
            yield Change(kind=Kind.FINDING, id=fingerprint, says=says), difference < 0


def _stands(finding: Finding) -> bool:
    return finding.standing is not Standing.REFUTED


def _claims(before: Report, after: Report) -> _Judged:
    old, new = ({trial.experiment: trial for trial in report.trials} for report in (before, after))
    for id in dict.fromkeys((*old, *new)):
        if id not in old or id not in new:
            if old and new:
                when = "before" if id in old else "after"
                yield Change(kind=Kind.SCOPE, id=id, says=f"{id} was tried {when} only"), None
            continue
        one, other = old[id], new[id]
        if one.verdict is not other.verdict:
            says = f"{other.claim.rstrip('.')}: {one.verdict.value} before, {other.verdict.value} now. {other.says}"
            yield Change(kind=Kind.CLAIM, id=id, says=says), _GOOD[other.verdict] > _GOOD[one.verdict]
        yield from _figures(one, other)


def _figures(one: Trial, other: Trial) -> _Judged:
    """Figures whose intervals do not overlap; which direction is good, a figure does not say."""
    old = {figure.name: figure for figure in one.figures}
    for figure in other.figures:
        past = old.get(figure.name)
        if past is not None and past.unit == figure.unit and _is_apart(past, figure):
            says = f"{other.experiment}: {figure.name} {_told(past)} before, {_told(figure)} now"
            yield Change(kind=Kind.FIGURE, id=other.experiment, says=says), None


def _is_apart(one: Figure, other: Figure) -> bool:
    if None in (one.lower, one.upper, other.lower, other.upper):
        return False
    assert one.lower is not None
    assert one.upper is not None
    assert other.lower is not None
    assert other.upper is not None
    return one.upper < other.lower or other.upper < one.lower


def _told(figure: Figure) -> str:
    return f"{figure.value:.4g} {figure.unit} ({figure.lower:.4g} to {figure.upper:.4g})".replace("  ", " ")


def _budgets(before: Report, after: Report) -> _Judged:
    old = {budget.name: budget for budget in before.budgets}
    for budget in after.budgets:
        past = old.get(budget.name)
        if past is not None and past.standing is not budget.standing:
            says = f"{budget.name}: {past.standing.value} before, {budget.standing.value} now. {budget.says}"
            change = Change(kind=Kind.BUDGET, id=budget.name, says=says)
            yield change, _KEPT[budget.standing] > _KEPT[past.standing]


def _says(better: list[Change], worse: list[Change], other: list[Change]) -> str:
    if not (better or worse or other):
        return "Nothing differs."
    counts = f"{len(better)} better, {len(worse)} worse, {len(other)} neither or not comparable"
    return f"Worse: {counts}." if worse else f"Better: {counts}." if better else f"No better and no worse: {counts}."

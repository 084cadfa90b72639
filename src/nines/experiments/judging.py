"""Figures and sentences that several judgements share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nines.checkers.binomial import CONFIDENCE, lower_bound, upper_bound
from nines.checkers.quantiles import Quantile
from nines.model.experiment import Figure, Judgement
from nines.model.history import Exchange, History
from nines.model.verdict import Verdict

REASONS_MAX = 3
OFFENDING_MAX = 20


def share_figure(name: str, failures: int, samples: int) -> Figure:
    """A share of failures with its exact one-sided bounds."""
    return Figure(
        name=name,
        value=failures / samples if samples else 0.0,
        unit="share",
        lower=lower_bound(failures, samples) if samples else None,
        upper=upper_bound(failures, samples) if samples else None,
        confidence=CONFIDENCE,
        samples=samples,
    )


def quantile_figure(name: str, found: Quantile, unit: str = "ms") -> Figure:
    return Figure(
        name=name,
        value=found.value,
        unit=unit,
        lower=found.lower,
        upper=found.upper,
        confidence=CONFIDENCE,
        samples=found.samples,
    )


def unbounded(figures: Iterable[Figure]) -> tuple[Figure, ...]:
    """The same figures without their intervals, where the run does not support any."""
    return tuple(Figure(name=f.name, value=f.value, unit=f.unit, samples=f.samples) for f in figures)


def unknown(says: str, history: History, figures: tuple[Figure, ...] = ()) -> Judgement:
    """No conclusion, with the reasons that the run itself gave."""
    reasons = [f"{skip.subject}: {skip.reason}" for skip in history.skips[:REASONS_MAX]]
    more = len(history.skips) - len(reasons)
    told = "; ".join(reasons) + (f"; and {more} more" if more > 0 else "")
    return Judgement(verdict=Verdict.UNKNOWN, says=f"{says} ({told})" if told else says, figures=figures)


def indexed(history: History, *phases: str) -> list[tuple[int, Exchange]]:
    """The exchanges of these phases with their indexes."""
    return [(index, exchange) for index, exchange in enumerate(history.exchanges) if exchange.phase in phases]


def merged_subjects(found: Iterable[tuple[str, Verdict]]) -> tuple[tuple[str, Verdict], ...]:
    """One verdict for each subject, in the order of their first appearance."""
    by_subject: dict[str, list[Verdict]] = {}
    for subject, verdict in found:
        by_subject.setdefault(subject, []).append(verdict)
    return tuple((subject, Verdict.merge(verdicts)) for subject, verdicts in by_subject.items())


def listed(names: Sequence[str], limit: int = REASONS_MAX) -> str:
    """Names for a sentence: "a, b and 3 more"."""
    shown = ", ".join(names[:limit])
    more = len(names) - limit
    return f"{shown} and {more} more" if more > 0 else shown


def answered(exchange: Exchange) -> str:
    """What came back, in a word: the status, or how it ended without one."""
    return str(exchange.status) if exchange.status is not None else exchange.error or "no answer"

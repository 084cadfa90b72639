"""What several tools answer with: small records, cut to what one decides on; the rest is asked for by id."""

from __future__ import annotations

from typing import Annotated

import msgspec

from nines.model.budget import BudgetResult
from nines.model.budget import Standing as BudgetStanding
from nines.model.experiment import Figure, Trial
from nines.model.finding import Finding, Standing
from nines.model.record import Record
from nines.model.report import Report, Unexamined
from nines.model.tier import Confidence, Severity, Tier
from nines.model.verdict import Verdict

LIMIT_USUAL = 10
LIMIT_MAX = 50
TEXT_MAX = 600
"""Characters of a sentence that came from code or from a service."""
_FIGURES_MAX = 8
_REPRODUCTION_MAX = 2_000
_UNEXAMINED_MAX = 5

ProjectPath = Annotated[str, msgspec.Meta(description="Folder of the backend, inside the allowed roots.")]
ConfigPath = Annotated[str, msgspec.Meta(description="A configuration file other than the project's own.")]
Limit = Annotated[int, msgspec.Meta(ge=1, le=LIMIT_MAX, description="How many to return.")]
Cursor = Annotated[str, msgspec.Meta(description="next_cursor of an earlier answer; everything else is ignored then.")]


class Found(Record):
    """A finding in one line; explain(what=id, report=report) tells everything about it."""

    id: str
    rule: str
    tier: Tier
    severity: Severity
    confidence: Confidence
    standing: Standing
    message: str
    where: str = ""
    entry_point: str = ""
    entry_points: int = 0

    @classmethod
    def of(cls, finding: Finding) -> Found:
        return cls(
            id=finding.fingerprint,
            rule=finding.rule,
            tier=finding.tier,
            severity=finding.severity,
            confidence=finding.confidence,
            standing=finding.standing,
            message=cut(finding.message),
            where=str(finding.place) if finding.place else "",
            entry_point=finding.endpoint,
            entry_points=len(finding.endpoints) or (1 if finding.endpoint else 0),
        )


class Measured(Record):
    """A figure with its interval."""

    name: str
    value: float
    unit: str = ""
    lower: float | None = None
    upper: float | None = None
    samples: int = 0

    @classmethod
    def of(cls, figure: Figure) -> Measured:
        return cls(
            name=figure.name,
            value=figure.value,
            unit=figure.unit,
            lower=figure.lower,
            upper=figure.upper,
            samples=figure.samples,
        )


class Tried(Record):
    """What became of one experiment."""

    experiment: str
    claim: str
    verdict: Verdict
    says: str
    figures: tuple[Measured, ...] = ()
    reproduction: tuple[str, ...] = ()
    """The first request that repeats what broke."""
    explained_by: tuple[str, ...] = ()
    """Ids of the findings that explain it."""

    @classmethod
    def of(cls, trial: Trial) -> Tried:
        return cls(
            experiment=trial.experiment,
            claim=trial.claim,
            verdict=trial.verdict,
            says=cut(trial.says),
            figures=tuple(map(Measured.of, trial.figures[:_FIGURES_MAX])),
            reproduction=tuple(cut(line, _REPRODUCTION_MAX) for line in trial.reproduction[:1]),
            explained_by=trial.explained_by,
        )


class Kept(Record):
    """A budget and how it stands: met, missed, or not shown, which is no pass."""

    name: str
    standing: BudgetStanding
    limit: float
    unit: str
    says: str
    value: float | None = None
    bound: float | None = None

    @classmethod
    def of(cls, result: BudgetResult) -> Kept:
        return cls(
            name=result.name,
            standing=result.standing,
            limit=result.limit,
            unit=result.unit,
            says=cut(result.says),
            value=result.value,
            bound=result.bound,
        )


class Left(Record):
    """What was not examined: silence about it is no pass."""

    what: str
    reason: str
    count: int = 1
    hint: str = ""


class LeftOut(Record):
    """The first of them, and how many there are."""

    total: int
    first: tuple[Left, ...]

    @classmethod
    def of(cls, items: tuple[Unexamined, ...]) -> LeftOut:
        first = tuple(
            Left(what=cut(item.what), reason=cut(item.reason), count=item.count, hint=cut(item.hint))
            for item in items[:_UNEXAMINED_MAX]
        )
        return cls(total=len(items), first=first)


class Counted(Record):
    """How many findings there are of a tier."""

    tier: Tier
    count: int


def counted(findings: tuple[Finding, ...]) -> tuple[Counted, ...]:
    counts = {tier: sum(1 for finding in findings if finding.tier is tier) for tier in Tier}
    return tuple(Counted(tier=tier, count=count) for tier, count in counts.items() if count)


def cut(text: str, limit: int = TEXT_MAX) -> str:
    """What came from a repository or a service, shortened and unable to drive a terminal."""
    from nines.reports import harmless  # noqa: PLC0415 -- a list of tools needs none of it

    plain: str = harmless(text)
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"


def without_histories(report: Report) -> Report:
    """A report as it is kept: of every trial the figures and the reproduction, not each single request."""
    trials = tuple(msgspec.structs.replace(trial, history=type(trial.history)()) for trial in report.trials)
    return msgspec.structs.replace(report, trials=trials)

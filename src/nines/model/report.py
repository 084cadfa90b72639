"""What a verb concludes: the only thing that reports/ sees, and, as JSON, nines' stable interface."""

from __future__ import annotations

from enum import StrEnum

from nines.model.budget import BudgetResult, Budgets
from nines.model.experiment import Trial
from nines.model.finding import Finding, Standing
from nines.model.record import Record
from nines.model.rule import Standard, Tier
from nines.model.verdict import Verdict

REPORT_FORMAT = 1


class Readiness(StrEnum):
    """The verdict of `nines check`."""

    READY = "READY"
    NOT_READY = "NOT READY"
    NOT_SHOWN = "NOT SHOWN"
    """Nothing is broken, but not enough was tried to say that it will hold."""


class Excerpt(Record):
    """Source lines around a place, for reports; `first` is the number of the first line."""

    file: str
    first: int
    lines: tuple[str, ...]


class Unexamined(Record):
    """Something that was left out, and why: a report that hides its blind spots is a lie."""

    what: str
    reason: str
    count: int = 1
    hint: str = ""


class RuleSummary(Record):
    """What a reader of a report needs to know about a rule that fired."""

    id: str
    title: str
    tier: Tier
    help: str
    """The page's Markdown."""
    standards: tuple[Standard, ...] = ()


class PatternSummary(Record):
    """A pattern to which findings or broken claims of this report point; `nines explain ID` shows its page."""

    id: str
    title: str
    summary: str
    about: tuple[str, ...]
    """The rules and experiments of this report that it answers."""


class Reading(Record):
    """How much was read, and how well."""

    files: int = 0
    lines: int = 0
    parsed: int = 0
    endpoints: int = 0
    effects: int = 0
    rules: tuple[str, ...] = ()
    duration_s: float = 0.0


class Machine(Record):
    """Where the figures were measured; no host name, no path."""

    cores: int = 0
    memory_bytes: int = 0
    system: str = ""
    python: str = ""


class Report(Record):
    """One run of review, prove or check."""

    command: str
    project: str
    format: int = REPORT_FORMAT
    version: str = ""
    started_at: str = ""
    """RFC 3339, UTC."""
    duration_s: float = 0.0
    seed: int | None = None
    readiness: Readiness | None = None
    verdict: Verdict = Verdict.UNKNOWN
    says: str = ""
    """The verdict in one sentence."""
    findings: tuple[Finding, ...] = ()
    """Sorted, those in the baseline and those allowed taken out."""
    allowed: int = 0
    baselined: int = 0
    stale: tuple[str, ...] = ()
    """Baseline entries that no longer match anything; they fail the run, so that a baseline only shrinks."""
    excerpts: tuple[Excerpt, ...] = ()
    rules: tuple[RuleSummary, ...] = ()
    patterns: tuple[PatternSummary, ...] = ()
    """What to do instead, those that answer most closely first."""
    trials: tuple[Trial, ...] = ()
    limits: Budgets = Budgets()
    budgets: tuple[BudgetResult, ...] = ()
    unexamined: tuple[Unexamined, ...] = ()
    reading: Reading = Reading()
    machine: Machine = Machine()
    next_steps: tuple[str, ...] = ()

    def patterns_of(self, id: str) -> tuple[PatternSummary, ...]:
        """The patterns that answer a rule or an experiment."""
        return tuple(pattern for pattern in self.patterns if id in pattern.about)

    def failing(self, tier: Tier) -> tuple[Finding, ...]:
        """The findings of this tier or above that nothing refuted."""
        return tuple(f for f in self.findings if f.tier.rank <= tier.rank and f.standing is not Standing.REFUTED)

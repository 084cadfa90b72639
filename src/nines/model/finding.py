"""What a rule reports."""

from __future__ import annotations

import hashlib
from enum import StrEnum

from nines.model.place import Place, Step
from nines.model.record import Record
from nines.model.tier import Confidence, Severity, Tier
from nines.model.trace import Witness


class Standing(StrEnum):
    """How far a finding has been tried."""

    PROVEN = "proven"
    SUSPECTED = "suspected"
    REFUTED = "refuted"

    @property
    def rank(self) -> int:
        return list(Standing).index(self)


class Option(Record):
    """One way to fix it, with what it costs."""

    title: str
    trade_off: str = ""


class Evidence(Record):
    """What an experiment or an observed trace says about a finding."""

    source: str
    """An experiment's id, or "observed trace"."""
    says: str
    """One sentence with the figures: "10 of 10 simultaneous creates won in 3 of 60 rounds"."""
    supports: bool
    effort: str = ""
    """How hard it tried: "60 rounds of 10", "200 requests"."""
    reproduction: str = ""


class Finding(Record):
    """A defect, where it is, how the entry point gets there, what follows from it, and what to do."""

    rule: str
    message: str
    """One sentence, specific to this place, without a full stop."""
    place: Place | None
    """None only for what was observed and has no known source line."""
    endpoint: str = ""
    """The id of the first entry point that reaches it."""
    endpoints: tuple[str, ...] = ()
    """Every entry point that reaches it, after merging."""
    path: tuple[Step, ...] = ()
    related: tuple[tuple[str, Place], ...] = ()
    """Other places with what they are: ("the transaction begins here", place)."""
    consequence: str = ""
    """What a caller or the owner will see when it happens."""
    subject: str = ""
    """What keeps the fingerprint stable when lines move: the effect's kind, target and function."""
    touches: str = ""
    """The kind and the target of the effect in question, so that what was read can be matched with what was seen."""
    tier: Tier = Tier.CONVENIENCE
    severity: Severity = Severity.LOW
    confidence: Confidence = Confidence.MEDIUM
    standing: Standing = Standing.SUSPECTED
    witness: Witness = Witness.PREDICTED
    options: tuple[Option, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that survive moved lines; equal findings in one function share it."""
        file = self.place.file if self.place else ""
        parts = (self.rule, file, self.subject or self.message)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:16]

    @property
    def order(self) -> tuple[object, ...]:
        """Sort key: tier, severity, standing, confidence, then place."""
        place = self.place or Place(file="~", line=0)
        return (
            self.standing is Standing.REFUTED,
            self.tier.rank,
            self.severity.rank,
            self.standing.rank,
            self.confidence.rank,
            place.file,
            place.line,
            self.rule,
        )

"""How findings and claims are ranked, and the standards that they cite."""

from __future__ import annotations

from enum import StrEnum

from nines.model.record import Record


class Tier(StrEnum):
    """The order in which everything is ranked."""

    RELIABILITY = "reliability"
    SECURITY = "security"
    PERFORMANCE = "performance"
    FEATURES = "features"
    CONVENIENCE = "convenience"

    @property
    def rank(self) -> int:
        return list(Tier).index(self)


class Severity(StrEnum):
    """How bad it is when it happens."""

    CRITICAL = "critical"
    """Data lost, money moved twice, strangers inside."""
    HIGH = "high"
    """An outage, or wrong data for some callers."""
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class Confidence(StrEnum):
    """How sure the reading is, before anything is run."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        return list(Confidence).index(self)


class Standard(Record):
    """A published source: `id` as it is cited ("CWE-667", "RFC 9110, 9.2.2"), `url` where it can be read."""

    id: str
    url: str = ""

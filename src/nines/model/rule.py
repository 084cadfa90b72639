"""What a rule is: metadata and one pure function from a service to findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from nines.model.record import Record

if TYPE_CHECKING:
    from nines.model.finding import Finding
    from nines.model.service import Service


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


class RuleInfo(Record):
    """What a rule says about itself; its id is its path under rules/."""

    title: str
    tier: Tier
    severity: Severity
    standards: tuple[Standard, ...] = ()
    decided_by: tuple[str, ...] = ()
    """Ids of the experiments that can prove or refute a finding of this rule."""
    needs_code: bool = False
    """True when it can only judge what was read (a value's origin), so that a clean observed trace proves nothing."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule as it is found in its folder: `id`, its info, its decision and its page's text."""

    id: str
    info: RuleInfo
    check: Callable[[Service], Iterator[Finding]]
    page: str

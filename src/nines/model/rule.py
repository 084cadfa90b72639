"""What a rule is: metadata and one pure function from a service to findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nines.model.finding import Finding
from nines.model.record import Record
from nines.model.service import Service
from nines.model.tier import Confidence, Severity, Standard, Tier

__all__ = ["Confidence", "Rule", "RuleInfo", "Severity", "Standard", "Tier"]


class RuleInfo(Record):
    """What a rule says about itself; its id is its path under rules/."""

    title: str
    tier: Tier
    severity: Severity
    standards: tuple[Standard, ...] = ()
    decided_by: tuple[str, ...] = ()
    """Ids of the experiments that can prove or refute a finding of this rule."""
    seen_decides: bool = False
    """Whether an observed trace with the same effects and without the defect refutes a finding: the order of effects
    does not depend on the data, the number of statements does."""
    needs_code: bool = False
    """True when it can only judge what was read (a value's origin), so that a clean observed trace proves nothing."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule as it is found in its folder: `id`, its info, its decision and its page's text."""

    id: str
    info: RuleInfo
    check: Callable[[Service], Iterator[Finding]]
    page: str

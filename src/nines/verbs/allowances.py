"""Silencing a finding in place, with a reason, and noticing when the reason is gone."""

from __future__ import annotations

from collections.abc import Iterable

from nines.model.code import Program
from nines.model.finding import Finding
from nines.model.place import Place
from nines.model.record import Record
from nines.model.rule import Confidence, Severity, Tier

UNUSED = "nines/unused-allowance"
WITHOUT_REASON = "nines/allowance-without-reason"


class Allowed(Record):
    """The findings that remain, and how many were allowed."""

    findings: tuple[Finding, ...]
    count: int


def apply(findings: Iterable[Finding], program: Program) -> Allowed:
    """Takes out what a comment allows; an allowance without a reason, or that hides nothing, becomes a finding."""
    permits = {
        (module.file, index): allowance
        for module in program.modules
        for index, allowance in enumerate(module.allowances)
    }
    used: set[tuple[str, int]] = set()
    remaining: list[Finding] = []
    count = 0
    for finding in findings:
        matching = [
            key
            for key, allowance in permits.items()
            if finding.place is not None
            and key[0] == finding.place.file
            and allowance.covers in (0, finding.place.line)
            and any(_names(rule, finding.rule) for rule in allowance.rules)
        ]
        used.update(matching)
        if any(permits[key].reason for key in matching):
            count += 1
        else:
            remaining.append(finding)
    for key, allowance in permits.items():
        place = Place(file=key[0], line=allowance.line)
        named = ", ".join(allowance.rules)
        if key not in used:
            remaining.append(_complaint(UNUSED, f"this allowance of {named} hides nothing any more", place, named))
        elif not allowance.reason:
            message = f"this allowance of {named} gives no reason, so it is not followed"
            remaining.append(_complaint(WITHOUT_REASON, message, place, named))
    return Allowed(findings=tuple(sorted(remaining, key=lambda f: f.order)), count=count)


def _names(written: str, rule: str) -> bool:
    """A rule may be named in full or by its last part."""
    return written == rule or written == rule.rsplit("/", 1)[-1]


def _complaint(rule: str, message: str, place: Place, subject: str) -> Finding:
    return Finding(
        rule=rule,
        message=message,
        place=place,
        subject=subject,
        consequence="Nobody can tell a decision from a leftover.",
        tier=Tier.CONVENIENCE,
        severity=Severity.LOW,
        confidence=Confidence.HIGH,
    )

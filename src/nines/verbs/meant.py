"""What a project's settings declare to be meant: operations that are open to all, objects that everybody may see."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from nines.model.finding import Finding
from nines.model.record import Record
from nines.model.rule import Rule
from nines.model.settings import SecuritySettings


class Meant(Record):
    findings: tuple[Finding, ...]
    count: int
    """Those that were left out."""


def apply(findings: Iterable[Finding], rules: Iterable[Rule], settings: SecuritySettings) -> Meant:
    """Leaves out what every entry point of a finding is declared to do on purpose.

    A rule is told by the experiment that decides it: both go by the same declaration."""
    named = {"security/authentication": settings.public, "security/object-authorization": settings.shared}
    declared = {
        rule.id: tuple(name for trial in rule.info.decided_by for name in named.get(trial, ())) for rule in rules
    }
    given = tuple(findings)
    kept = tuple(each for each in given if not _is_meant(each, declared.get(each.rule, ())))
    return Meant(findings=kept, count=len(given) - len(kept))


def _is_meant(finding: Finding, patterns: tuple[str, ...]) -> bool:
    entries = finding.endpoints or ((finding.endpoint,) if finding.endpoint else ())
    return bool(entries and patterns) and all(_is_named(entry, patterns) for entry in entries)


def _is_named(entry: str, patterns: tuple[str, ...]) -> bool:
    """By its path or by method and path; what a contract calls the operation is not known to who reads code."""
    texts = (entry, entry.partition(" ")[2])
    return any(text == pattern or fnmatchcase(text, pattern) for pattern in patterns for text in texts)

"""The patterns to which a report's findings and broken claims point."""

from __future__ import annotations

import msgspec

from nines import patterns
from nines.model.pattern import Pattern
from nines.model.report import PatternSummary, Report
from nines.model.verdict import Verdict


def recommended(report: Report) -> Report:
    """The report with its patterns: what answers a rule that fired, or a claim that was broken."""
    wanted = {finding.rule for finding in report.findings}
    wanted |= {trial.experiment for trial in report.trials if trial.verdict is Verdict.BROKEN}
    found = [(pattern, wanted.intersection(_ties(pattern))) for pattern in patterns.discover()]
    answering = sorted((each for each in found if each[1]), key=lambda each: _distance(*each))
    return msgspec.structs.replace(
        report,
        patterns=tuple(
            PatternSummary(id=pattern.id, title=pattern.title, summary=pattern.summary, about=tuple(sorted(about)))
            for pattern, about in answering
        ),
    )


def _ties(pattern: Pattern) -> tuple[str, ...]:
    return (*pattern.rules, *pattern.experiments)


def _distance(pattern: Pattern, about: set[str]) -> tuple[bool, int, int, str]:
    """A page that names a rule answers more closely than one that only makes a claim hold, one that names few things
    more closely than one that names many."""
    return (not about.intersection(pattern.rules), len(_ties(pattern)), pattern.topic.rank, pattern.id)

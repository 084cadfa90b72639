"""Reports lead to patterns: what answers a finding more closely stands first."""

from __future__ import annotations

import msgspec

from nines.model.finding import Finding
from nines.model.report import Report
from nines.model.rule import Confidence, Severity, Tier
from nines.model.verdict import Verdict
from nines.verbs.recommending import recommended
from tests.reports.sample import report


def found(rule: str) -> Finding:
    return Finding(
        rule=rule,
        place=None,
        message="something",
        tier=Tier.RELIABILITY,
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        subject="somewhere",
    )


def test_a_finding_leads_to_what_to_do_instead() -> None:
    told = recommended(Report(command="review", project="p", findings=(found("deadlines/call-without-deadline"),)))
    assert {pattern.id for pattern in told.patterns} == {"deadline", "database-timeouts"}
    assert all(pattern.about == ("deadlines/call-without-deadline",) for pattern in told.patterns)
    assert told.patterns_of("deadlines/call-without-deadline") == told.patterns


def test_only_broken_claims_lead_to_patterns() -> None:
    trials = tuple(
        msgspec.structs.replace(trial, experiment="dependencies/dependency-stall", verdict=verdict)
        for trial in report().trials[:1]
        for verdict in (Verdict.HOLDS, Verdict.UNKNOWN)
    )
    assert recommended(Report(command="prove", project="p", trials=trials)).patterns == ()
    broken = msgspec.structs.replace(trials[0], verdict=Verdict.BROKEN)
    told = recommended(Report(command="prove", project="p", trials=(broken,)))
    assert {"deadline", "circuit-breaker", "bulkhead"} <= {pattern.id for pattern in told.patterns}


def test_what_names_the_rule_comes_before_what_only_helps() -> None:
    broken = msgspec.structs.replace(
        report().trials[0], experiment="dependencies/dependency-stall", verdict=Verdict.BROKEN
    )
    told = recommended(
        Report(
            command="check",
            project="p",
            findings=(found("transactions/remote-call-in-transaction"),),
            trials=(broken,),
        )
    )
    assert told.patterns[0].id == "reserve-call-settle"
    assert set(told.patterns[0].about) == {"transactions/remote-call-in-transaction", "dependencies/dependency-stall"}


def test_nothing_found_nothing_recommended() -> None:
    assert recommended(Report(command="review", project="p")).patterns == ()

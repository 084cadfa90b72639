"""Parts that several answers have: findings as claims, their ways out, experiments as next steps, measured figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from nines.asking.answer import Approach, Basis, Claim, Step, Sureness
from nines.asking.material import Material, Measurement
from nines.model import words
from nines.model.experiment import Experiment
from nines.model.finding import Finding, Standing
from nines.model.pattern import Pattern
from nines.model.report import Report
from nines.model.tier import Confidence
from nines.model.verdict import Verdict

CLAIMS_MAX = 6
WAYS_MAX = 5
STANDARDS_MAX = 6
CHOICES_MAX = 8
STEPS_MAX = 4
REVIEW = "review, just now"


def chosen(report: Report | None, is_wanted: Callable[[Finding], bool]) -> tuple[Finding, ...]:
    found = report.findings if report else ()
    return tuple(each for each in found if each.standing is not Standing.REFUTED and is_wanted(each))


def by_rules(*prefixes: str) -> Callable[[Finding], bool]:
    return lambda finding: any(finding.rule.startswith(prefix) for prefix in prefixes)


def claims(findings: Sequence[Finding], limit: int = CLAIMS_MAX) -> tuple[Claim, ...]:
    """One for each rule and place, those of one rule together, with what follows from it once."""
    told: list[Claim] = []
    seen: dict[str, int] = {}
    for finding in findings:
        seen[finding.rule] = seen.get(finding.rule, 0) + 1
        if seen[finding.rule] == 1 and len(told) < limit:
            told.append(_claim(finding, sum(each.rule == finding.rule for each in findings)))
    return tuple(told)


def _claim(finding: Finding, count: int) -> Claim:
    place = f" at {finding.place}" if finding.place else ""
    reached = f", reached by {finding.endpoint}" if finding.endpoint else ""
    more = f" ({count - 1} more of this rule)" if count > 1 else ""
    follows = f". {finding.consequence.rstrip('.')}" if finding.consequence else ""
    basis = Basis.MEASURED if finding.standing is Standing.PROVEN else Basis.READ
    says = f"{finding.message}{place}{reached}{more}{follows}."
    return Claim(says=says, basis=basis, source=f"finding {finding.fingerprint}, {finding.rule}")


def ways(findings: Sequence[Finding], limit: int = WAYS_MAX) -> tuple[Approach, ...]:
    """Of each rule its first two, so that there is a choice."""
    found = [
        Approach(title=option.title, trade_off=option.trade_off, source=f"page {rule}", about=rule)
        for rule in dict.fromkeys(finding.rule for finding in findings)
        for option in next(finding.options for finding in findings if finding.rule == rule)[:2]
    ]
    return tuple(found[:limit])


def standards(findings: Sequence[Finding], material: Material, limit: int = STANDARDS_MAX) -> tuple[str, ...]:
    """What the rules behind the findings cite."""
    fired = dict.fromkeys(finding.rule for finding in findings)
    known = {rule.id: rule for rule in material.rules()}
    cited = [
        f"{standard.id}{f': {standard.url}' if standard.url else ''}"
        for id in fired
        if id in known
        for standard in known[id].info.standards
    ]
    return tuple(dict.fromkeys(cited))[:limit]


def deciding(findings: Sequence[Finding], material: Material) -> tuple[str, ...]:
    """The experiments that would settle what was only read, those that decide most first."""
    known = {rule.id: rule for rule in material.rules()}
    counts: dict[str, int] = {}
    for finding in findings:
        if finding.standing is Standing.SUSPECTED and finding.rule in known:
            for id in known[finding.rule].info.decided_by:
                counts[id] = counts.get(id, 0) + 1
    return tuple(sorted(counts, key=lambda each: (-counts[each], each)))


def steps(ids: Iterable[str], material: Material, limit: int = STEPS_MAX) -> tuple[Step, ...]:
    """The experiments as commands, for the project that there is."""
    known = {experiment.id: experiment for experiment in material.experiments()}
    wanted = [known[id] for id in dict.fromkeys(ids) if id in known]
    return tuple(_step(each, material.where or "PATH") for each in wanted[:limit])


def _step(experiment: Experiment, where: str) -> Step:
    return Step(
        command=f"nines prove {where} --only {experiment.id}",
        why=f"tries whether this holds: {experiment.info.claim.rstrip('.')}",
        duration_s=experiment.info.duration_s,
        is_heavy=True,
        experiments=(experiment.id,),
    )


def told_age(measurement: Measurement) -> str:
    """ "report.json, 3 d old; the code has changed since"."""
    changed = "" if measurement.is_fresh else "; the code has changed since"
    return f"{measurement.where}, {words.duration(max(1.0, round(measurement.age_s)))} old{changed}"


def measured(measurement: Measurement | None, *ids: str) -> tuple[Claim, ...]:
    """What a report that is there tells about these experiments, the broken ones first; of all where none is named."""
    if measurement is None:
        return ()
    rank = {Verdict.BROKEN: 0, Verdict.HOLDS: 1, Verdict.UNKNOWN: 2}
    trials = [trial for trial in measurement.report.trials if not ids or trial.experiment in ids]
    return tuple(
        Claim(
            says=f"{trial.claim.rstrip('.')}: {trial.verdict.value}. {trial.says.rstrip('.')}.",
            basis=Basis.MEASURED,
            source=f"{trial.experiment} in {told_age(measurement)}",
            is_settled=trial.verdict is not Verdict.UNKNOWN,
        )
        for trial in sorted(trials, key=lambda trial: rank[trial.verdict])
    )


def budgets(measurement: Measurement | None) -> tuple[Claim, ...]:
    if measurement is None:
        return ()
    return tuple(
        Claim(
            says=f"{budget.name.replace('_', ' ')}: {budget.standing.value}. {budget.says.rstrip('.')}.",
            basis=Basis.MEASURED,
            source=told_age(measurement),
        )
        for budget in measurement.report.budgets
    )


def sureness(findings: Sequence[Finding], figures: Sequence[Claim], measurement: Measurement | None) -> Sureness:
    """High for what was seen to happen in this state of the code, medium for what was read without doubt."""
    if any(finding.standing is Standing.PROVEN for finding in findings):
        return Sureness.HIGH
    if measurement is not None and any(figure.is_settled for figure in figures):
        return Sureness.HIGH if measurement.is_fresh else Sureness.MEDIUM
    if any(finding.confidence is Confidence.HIGH for finding in findings):
        return Sureness.MEDIUM
    return Sureness.LOW


def because(findings: Sequence[Finding], figures: Sequence[Claim], measurement: Measurement | None) -> str:
    """Why one may be as sure."""
    if measurement is not None and any(figure.is_settled for figure in figures):
        return f"for it was measured ({told_age(measurement)})."
    if findings:
        return "for it was read in the code and not measured; the experiments under Next would settle it."
    return "for nothing was found by reading, and nothing was measured."


def choices(findings: Sequence[Finding], patterns: Sequence[Pattern]) -> tuple[Approach, ...]:
    """What mends the findings, then what the patterns offer."""
    return (*ways(findings), *pattern_ways(patterns))[:CHOICES_MAX]


def cited(findings: Sequence[Finding], patterns: Sequence[Pattern], material: Material) -> tuple[str, ...]:
    found = (*standards(findings, material), *pattern_standards(patterns))
    return tuple(dict.fromkeys(found))[:STANDARDS_MAX]


def known_patterns(ids: Iterable[str], material: Material) -> tuple[Pattern, ...]:
    there = {pattern.id: pattern for pattern in material.patterns()}
    return tuple(there[id] for id in ids if id in there)


def pattern_ways(patterns: Sequence[Pattern]) -> tuple[Approach, ...]:
    """Two options of each of the first few."""
    return tuple(
        Approach(title=option.title, trade_off=option.trade_off, source=f"page {pattern.id}", about=pattern.title)
        for pattern in patterns
        for option in pattern.options[:2]
    )


def pattern_standards(patterns: Sequence[Pattern]) -> tuple[str, ...]:
    cited = [f"{source.title}: {source.url}" for pattern in patterns for source in pattern.sources[:1]]
    return tuple(dict.fromkeys(cited))[:STANDARDS_MAX]


def left_out(report: Report | None, *more: str) -> tuple[str, ...]:
    found = [f"{item.what}: {item.reason}" for item in (report.unexamined[:3] if report else ())]
    return (*found, *more)

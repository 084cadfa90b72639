"""Joining what was read with what was seen: suspected, proven, refuted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from nines.model.contract import Contract
from nines.model.experiment import Trial
from nines.model.finding import Evidence, Finding, Standing
from nines.model.rule import Rule, Tier
from nines.model.service import Service
from nines.model.trace import Trace, Witness
from nines.model.verdict import Verdict

OBSERVED = "observed trace"


def join(
    findings: tuple[Finding, ...], trials: tuple[Trial, ...], known: Iterable[Rule], service: Service
) -> tuple[tuple[Finding, ...], tuple[Trial, ...]]:
    """Gives every finding its standing and every broken claim the findings that explain it."""
    rules = {rule.id: rule for rule in known}
    merged = _refuted_by_sight(_with_observations(findings), rules, service)
    decided = tuple(_decided(finding, trials, rules, service) for finding in merged)
    explained = tuple(_explained(trial, decided, rules, service) for trial in trials)
    return tuple(sorted(decided, key=lambda f: f.order)), explained


def _with_observations(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """A finding that was read and also seen at the same endpoint becomes one proven finding."""
    predicted = [finding for finding in findings if finding.witness is Witness.PREDICTED]
    alone: list[Finding] = []
    for seen in (finding for finding in findings if finding.witness is Witness.OBSERVED):
        matches = [i for i, finding in enumerate(predicted) if _is_same(finding, seen)]
        for index in matches:
            evidence = Evidence(source=OBSERVED, says=f"seen on the wire: {seen.message}", supports=True)
            predicted[index] = msgspec.structs.replace(
                predicted[index],
                standing=Standing.PROVEN,
                evidence=(*predicted[index].evidence, evidence),
            )
        if not matches:
            alone.append(seen)
    return (*predicted, *alone)


def _is_same(read: Finding, seen: Finding) -> bool:
    """Equal rule, an endpoint in common, and the same effect; a remote peer has another name on the wire."""
    if read.rule != seen.rule or not _endpoints(read) & _endpoints(seen):
        return False
    kinds = read.touches.partition(" ")[0], seen.touches.partition(" ")[0]
    return kinds[0] == kinds[1] and (read.touches == seen.touches or not kinds[0].startswith("database"))


def _refuted_by_sight(
    findings: tuple[Finding, ...], rules: Mapping[str, Rule], service: Service
) -> tuple[Finding, ...]:
    """Where the effect itself was seen at every endpoint in question, and never with the defect, that is evidence."""
    return tuple(_by_sight(finding, rules.get(finding.rule), service) for finding in findings)


def _by_sight(finding: Finding, rule: Rule | None, service: Service) -> Finding:
    is_open = finding.witness is Witness.PREDICTED and finding.standing is Standing.SUSPECTED
    if rule is None or not rule.info.seen_decides or not is_open:
        return finding
    sightings = [_sightings(finding, endpoint, service) for endpoint in sorted(_endpoints(finding))]
    if not sightings or not all(sightings):
        return finding
    evidence = Evidence(
        source=OBSERVED,
        says="the same effect was seen on the wire at every endpoint in question, each time without the defect",
        supports=False,
        effort=f"{sum(sightings)} sightings at {len(sightings)} endpoints, on a quiet system",
    )
    return msgspec.structs.replace(finding, standing=Standing.REFUTED, evidence=(*finding.evidence, evidence))


def _sightings(finding: Finding, endpoint: str, service: Service) -> int:
    """How often the effect occurs in the observed traces of one endpoint; 0 when a predicted one may have been missed.

    A remote peer has another name on the wire, so every call that was predicted must have been seen."""
    kind, _, target = finding.touches.partition(" ")

    def matching(trace: Trace) -> int:
        return sum(1 for e in trace.effects if e.kind.value == kind and (e.target == target or not e.is_database))

    mine = [trace for trace in service.traces if trace.endpoint == endpoint]
    predicted = sum(matching(trace) for trace in mine if trace.witness is Witness.PREDICTED)
    observed = [matching(trace) for trace in mine if trace.witness is Witness.OBSERVED]
    return sum(observed) if max(observed, default=0) >= max(predicted, 1) else 0


def _endpoints(finding: Finding) -> set[str]:
    return {finding.endpoint, *finding.endpoints} - {""}


def _decided(finding: Finding, trials: tuple[Trial, ...], rules: Mapping[str, Rule], service: Service) -> Finding:
    rule = rules.get(finding.rule)
    if rule is None:
        return finding
    evidence: list[Evidence] = list(finding.evidence)
    for trial in trials:
        if trial.experiment not in rule.info.decided_by:
            continue
        verdicts = _verdicts(trial, finding, service)
        if verdicts:
            evidence.append(_evidence(trial, Verdict.merge(verdicts)))
    evidence = [e for e in evidence if e.says]
    if any(e.supports for e in evidence):
        standing = Standing.PROVEN
    elif evidence:
        standing = Standing.REFUTED
    else:
        standing = finding.standing
    # A suspicion that turned out to be true is as grave as its rule says.
    is_raised = standing is Standing.PROVEN and finding.tier is Tier.CONVENIENCE
    tier = rule.info.tier if is_raised else finding.tier
    return msgspec.structs.replace(finding, standing=standing, tier=tier, evidence=tuple(evidence))


def _evidence(trial: Trial, verdict: Verdict) -> Evidence:
    """An unknown verdict decides nothing and is left out by its empty sentence."""
    return Evidence(
        source=trial.experiment,
        says="" if verdict is Verdict.UNKNOWN else trial.says,
        supports=verdict is Verdict.BROKEN,
        effort=_effort(trial),
        reproduction=trial.reproduction[0] if trial.reproduction and verdict is Verdict.BROKEN else "",
    )


def _effort(trial: Trial) -> str:
    samples = max((figure.samples for figure in trial.figures), default=0) or len(trial.history.exchanges)
    return f"{samples} requests in {trial.duration_s:.0f} s, seed {trial.seed}"


def _verdicts(trial: Trial, finding: Finding, service: Service) -> list[Verdict]:
    """The trial's verdicts on the operations behind the finding's endpoints; none where it tried others."""
    endpoints = _endpoints(finding)
    return [
        verdict for subject, verdict in trial.subjects if _endpoint_of(subject, service.contract, service) in endpoints
    ]


def _endpoint_of(subject: str, contract: Contract | None, service: Service) -> str:
    operation = contract.operation(subject) if contract else None
    serving = service.serving(operation) if operation else None
    return serving.id if serving else subject


def _explained(trial: Trial, findings: tuple[Finding, ...], rules: Mapping[str, Rule], service: Service) -> Trial:
    """Findings whose rule this experiment decides, at the operations that broke."""
    if trial.verdict is not Verdict.BROKEN:
        return trial
    broken = {
        _endpoint_of(subject, service.contract, service)
        for subject, verdict in trial.subjects
        if verdict is Verdict.BROKEN
    }
    fingerprints = tuple(
        finding.fingerprint
        for finding in findings
        if finding.rule in rules
        and trial.experiment in rules[finding.rule].info.decided_by
        and (not broken or broken & _endpoints(finding))
    )
    return msgspec.structs.replace(trial, explained_by=tuple(dict.fromkeys(fingerprints)))

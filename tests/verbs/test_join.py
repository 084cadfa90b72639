"""What reading suspects, running proves or refutes."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from nines.model.contract import Contract, Operation
from nines.model.effect import Effect, EffectKind
from nines.model.experiment import Trial
from nines.model.finding import Finding, Standing
from nines.model.place import Place
from nines.model.rule import Rule, RuleInfo, Severity, Tier
from nines.model.service import Endpoint, EndpointKind, Service
from nines.model.trace import Trace, Witness
from nines.model.verdict import Verdict
from nines.verbs import join

PLACE = Place(file="app.py", line=3)


def _silent(service: Service) -> Iterator[Finding]:
    del service
    yield from ()


RULE = Rule(
    id="consistency/check-then-act",
    info=RuleInfo(title="t", tier=Tier.RELIABILITY, severity=Severity.HIGH, decided_by=("consistency/unique-race",)),
    check=_silent,
    page="# t",
)
SERVICE = Service(
    name="s",
    endpoints=(
        Endpoint(id="POST /users", kind=EndpointKind.HTTP, function="f", place=PLACE, method="POST", path="/users"),
        Endpoint(id="GET /users", kind=EndpointKind.HTTP, function="g", place=PLACE, method="GET", path="/users"),
    ),
    contract=Contract(operations=(Operation(id="createUser", method="POST", path="/api/users"),)),
)


def found(witness: Witness = Witness.PREDICTED, endpoint: str = "POST /users") -> Finding:
    return Finding(rule=RULE.id, message="m", place=PLACE, endpoint=endpoint, witness=witness, tier=Tier.RELIABILITY)


def tried(verdict: Verdict, subject: str = "createUser") -> Trial:
    return Trial(
        experiment="consistency/unique-race",
        title="t",
        claim="c",
        tier=Tier.RELIABILITY,
        verdict=verdict,
        says="3 of 60 rounds had two winners",
        subjects=((subject, verdict),),
        reproduction=("curl x",),
    )


def joined(finding: Finding, trial: Trial) -> tuple[Finding, Trial]:
    findings, trials = join.join((finding,), (trial,), (RULE,), SERVICE)
    return findings[0], trials[0]


def test_a_broken_claim_proves_the_finding_and_is_explained_by_it() -> None:
    finding, trial = joined(found(), tried(Verdict.BROKEN))
    assert finding.standing is Standing.PROVEN
    assert finding.evidence[0].reproduction == "curl x"
    assert trial.explained_by == (finding.fingerprint,)


def test_a_claim_that_holds_refutes_it_and_says_how_hard_it_tried() -> None:
    finding, trial = joined(found(), tried(Verdict.HOLDS))
    assert finding.standing is Standing.REFUTED
    assert finding.evidence[0].effort
    assert trial.explained_by == ()


def test_unknown_decides_nothing() -> None:
    finding, _ = joined(found(), tried(Verdict.UNKNOWN))
    assert finding.standing is Standing.SUSPECTED
    assert finding.evidence == ()


def test_a_trial_of_another_operation_decides_nothing() -> None:
    for verdict in Verdict:
        finding, trial = joined(found(endpoint="GET /users"), tried(verdict))
        assert finding.standing is Standing.SUSPECTED
        assert trial.explained_by == ()


def test_read_and_seen_at_one_endpoint_is_one_proven_finding() -> None:
    findings, _ = join.join((found(), found(Witness.OBSERVED)), (), (RULE,), SERVICE)
    assert [f.standing for f in findings] == [Standing.PROVEN]
    assert findings[0].evidence[0].source == join.OBSERVED


def test_seen_elsewhere_stays_a_finding_of_its_own() -> None:
    findings, _ = join.join((found(), found(Witness.OBSERVED, "GET /users")), (), (RULE,), SERVICE)
    assert len(findings) == 2


CALL = Rule(
    id="transactions/remote-call-in-transaction",
    info=RuleInfo(title="t", tier=Tier.RELIABILITY, severity=Severity.HIGH, seen_decides=True),
    check=_silent,
    page="# t",
)


def called(times_predicted: int, times_observed: int) -> Standing:
    suspicion = Finding(
        rule=CALL.id, message="m", place=PLACE, endpoint="POST /users", touches="remote_call localhost:9000"
    )
    traces = tuple(
        Trace(
            endpoint="POST /users",
            witness=witness,
            effects=tuple(Effect(kind=EffectKind.REMOTE_CALL, target=target) for _ in range(times)),
        )
        for witness, target, times in (
            (Witness.PREDICTED, "localhost:9000", times_predicted),
            (Witness.OBSERVED, "gateway", times_observed),
        )
    )
    service = msgspec.structs.replace(SERVICE, traces=traces)
    findings, _ = join.join((suspicion,), (), (CALL,), service)
    return findings[0].standing


def test_seen_without_the_defect_refutes_it() -> None:
    assert called(1, 1) is Standing.REFUTED


def test_what_was_not_seen_or_not_all_of_it_refutes_nothing() -> None:
    assert called(1, 0) is Standing.SUSPECTED
    assert called(2, 1) is Standing.SUSPECTED

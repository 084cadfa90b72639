"""A remote call that may wait for ever."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from nines.model.effect import Known
from nines.model.finding import Finding
from nines.model.rule import Confidence, RuleInfo, Severity, Standard, Tier
from nines.model.service import Endpoint, EndpointKind, Service
from nines.rules import reporting, wording

INFO = RuleInfo(
    title="Call without a deadline",
    tier=Tier.RELIABILITY,
    severity=Severity.HIGH,
    standards=(
        Standard(id="CWE-1088", url="https://cwe.mitre.org/data/definitions/1088.html"),
        Standard(
            id="AWS REL05-BP05",
            url="https://docs.aws.amazon.com/wellarchitected/latest/reliability-pillar/"
            "rel_mitigate_interaction_failure_client_timeouts.html",
        ),
    ),
    decided_by=("dependencies/dependency-stall",),
    needs_code=True,
)


def check(service: Service) -> Iterator[Finding]:
    for endpoint, trace in service.judged():
        for _, effect in trace.remote_calls():
            if effect.deadline.known is not Known.MISSING:
                continue
            yield reporting.at(
                endpoint,
                trace,
                # A wrapper that calls many hosts lacks one timeout, not many.
                replace(effect, target=""),
                message=f"{wording.call(effect)} has no timeout",
                consequence=_consequence(endpoint, wording.peer(effect), after_response=effect.after_response),
                severity=_severity(endpoint, after_response=effect.after_response),
                confidence=Confidence.HIGH,
                about=effect.action,
            )


def _severity(endpoint: Endpoint, *, after_response: bool) -> Severity:
    if endpoint.kind is EndpointKind.COMMAND:
        return Severity.LOW
    return Severity.HIGH if endpoint.kind is EndpointKind.HTTP and not after_response else Severity.MEDIUM


def _consequence(endpoint: Endpoint, peer: str, *, after_response: bool) -> str:
    if endpoint.kind is EndpointKind.COMMAND:
        return f"When {peer} hangs, the command hangs with it and never ends."
    if endpoint.kind is EndpointKind.HTTP and not after_response:
        return f"When {peer} hangs, so does each request that reaches this line, until no worker is left for any other."
    return f"When {peer} hangs, so does each worker that reaches this line, and the queue behind it grows."

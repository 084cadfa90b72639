"""A call to another service between BEGIN and COMMIT."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.effect import Effect, EffectKind
from nines.model.finding import Finding
from nines.model.rule import Confidence, RuleInfo, Severity, Standard, Tier
from nines.model.service import Endpoint, EndpointKind, Service
from nines.model.trace import Trace, Transaction, Witness
from nines.rules import reporting, wording

INFO = RuleInfo(
    title="Remote call in an open transaction",
    tier=Tier.RELIABILITY,
    severity=Severity.HIGH,
    standards=(
        Standard(id="CWE-667", url="https://cwe.mitre.org/data/definitions/667.html"),
        Standard(
            id="AWS REL05",
            url="https://docs.aws.amazon.com/wellarchitected/latest/reliability-pillar/"
            "design-interactions-in-a-distributed-system-to-mitigate-or-withstand-failures.html",
        ),
    ),
    seen_decides=True,
)


def check(service: Service) -> Iterator[Finding]:
    for endpoint, trace in service.judged():
        for index, effect in trace.remote_calls():
            transaction = trace.transaction_of(effect)
            if transaction is not None and not effect.after_response:
                yield _finding(endpoint, trace, index, transaction)


def _finding(endpoint: Endpoint, trace: Trace, index: int, transaction: Transaction) -> Finding:
    effect = trace.effects[index]
    held = next((e for i, e in trace.before(index) if _holds(e) and trace.share_transaction(i, index)), None)
    is_deliberate = transaction.is_explicit and trace.witness is Witness.PREDICTED
    owner = wording.short(wording.holder(endpoint, trace.opening(effect.transaction) or effect))
    call, peer = wording.call(effect), wording.peer(effect)
    if held or is_deliberate:
        message = f"{call} while the transaction of {owner} is open"
        kept = f"the locks on {wording.table(held)}" if held else "its snapshot"
        consequence = (
            f"When {peer} is slow, a pooled connection and {kept} are held just as long: other requests queue and "
            "the pool empties. If the commit fails afterwards, the call has happened all the same."
        )
    else:
        message = f"{call} while a pooled connection waits in a transaction of {owner} that has only read"
        consequence = f"As many slow answers of {peer} as the pool has connections stop every endpoint of the database."
    severity = INFO.severity if held else Severity.MEDIUM if is_deliberate else Severity.LOW
    if endpoint.kind is EndpointKind.COMMAND:
        severity = Severity.LOW
    return reporting.at(
        endpoint,
        trace,
        effect,
        message=message,
        consequence=consequence,
        severity=severity,
        confidence=Confidence.HIGH if held or is_deliberate else Confidence.MEDIUM,
        related=(
            ("the transaction begins here", transaction.place),
            ("this row stays locked", held.place if held else None),
        ),
        about=effect.action,
    )


def _holds(effect: Effect) -> bool:
    return effect.kind is EffectKind.DATABASE_WRITE or effect.locks_rows

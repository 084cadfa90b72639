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
    kept_at = next((i for i, e in trace.before(index) if _holds(e) and trace.share_transaction(i, index)), None)
    held = trace.effects[kept_at] if kept_at is not None else None
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
        confidence=_confidence(trace, index, kept_at, is_deliberate=is_deliberate),
        related=(
            ("the transaction begins here", transaction.place),
            ("this row stays locked", held.place if held else None),
        ),
        about=effect.action,
    )


def _confidence(trace: Trace, index: int, kept_at: int | None, *, is_deliberate: bool) -> Confidence:
    """A commit on a way that may be this one, or a write of nobody knows what, leaves too much open."""
    first = kept_at if kept_at is not None else _opened(trace, index)
    if first is not None and trace.may_have_ended(first, index):
        return Confidence.LOW
    if kept_at is not None and not trace.effects[kept_at].target and not is_deliberate:
        return Confidence.LOW
    return Confidence.HIGH if kept_at is not None or is_deliberate else Confidence.MEDIUM


def _opened(trace: Trace, index: int) -> int | None:
    """The first effect of the transaction in which the call happens."""
    ordinal = trace.effects[index].transaction
    return next((i for i, e in enumerate(trace.effects[:index]) if e.transaction == ordinal), None)


def _holds(effect: Effect) -> bool:
    return effect.kind is EffectKind.DATABASE_WRITE or effect.locks_rows

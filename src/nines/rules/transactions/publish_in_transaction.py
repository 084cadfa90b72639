"""A message or a task that leaves before the commit that it speaks of."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.effect import Effect, EffectKind
from nines.model.finding import Finding
from nines.model.rule import Confidence, RuleInfo, Severity, Standard, Tier
from nines.model.service import Endpoint, Service
from nines.model.trace import Trace, Transaction
from nines.rules import reporting, wording

INFO = RuleInfo(
    title="Message sent before the commit it speaks of",
    tier=Tier.RELIABILITY,
    severity=Severity.HIGH,
    standards=(
        Standard(
            id="Django, transaction.on_commit",
            url="https://docs.djangoproject.com/en/stable/topics/db/transactions/#performing-actions-after-commit",
        ),
        Standard(id="Transactional outbox", url="https://microservices.io/patterns/data/transactional-outbox.html"),
        Standard(id="CWE-662", url="https://cwe.mitre.org/data/definitions/662.html"),
    ),
    seen_decides=True,
)


def check(service: Service) -> Iterator[Finding]:
    for endpoint, trace in service.judged():
        for index, effect in trace.of(EffectKind.PUBLISH):
            transaction = trace.transaction_of(effect)
            if transaction is None or effect.after_response:
                continue
            written = _written(trace, index, transaction)
            if written is not None:
                yield _finding(endpoint, trace, effect, transaction, written)


def _written(trace: Trace, index: int, transaction: Transaction) -> Effect | None:
    """The write that the commit will bring; one that comes later counts only in a block that was opened on purpose."""
    before = (e for i, e in trace.before(index) if _is_write(e) and trace.share_transaction(i, index))
    after = (e for i, e in trace.after(index) if _is_write(e) and trace.share_transaction(index, i))
    return next(before, None) or (next(after, None) if transaction.is_explicit else None)


def _finding(endpoint: Endpoint, trace: Trace, effect: Effect, transaction: Transaction, written: Effect) -> Finding:
    owner = wording.short(wording.holder(endpoint, trace.opening(effect.transaction) or effect))
    what = wording.short(effect.target) if effect.target else "a message"
    is_written_before = trace.effects.index(written) < trace.effects.index(effect)
    return reporting.at(
        endpoint,
        trace,
        effect,
        message=f"{what} is sent before the transaction of {owner} commits",
        consequence=f"The receiver may look at {wording.table(written)} before the commit and find nothing, or the old "
        "row; if the commit fails, it acts on something that never happened.",
        severity=INFO.severity,
        confidence=Confidence.HIGH if is_written_before else Confidence.MEDIUM,
        related=(
            ("the transaction begins here", transaction.place),
            ("this write is not committed yet", written.place),
        ),
    )


def _is_write(effect: Effect) -> bool:
    return effect.kind is EffectKind.DATABASE_WRITE and effect.action.upper() != "DDL"

"""A message or a task that leaves before the commit that it speaks of."""

from __future__ import annotations

import re
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

_LISTS = ("rpush", "lpush", "rpushx", "lpushx", "zadd", "sadd")
_AWAITED = re.compile(r"queue|job|task|event|message|stream|channel|work|inbox|outbox|pending|todo", re.IGNORECASE)


def check(service: Service) -> Iterator[Finding]:
    for endpoint, trace in service.judged():
        for index, effect in trace.of(EffectKind.PUBLISH):
            transaction = trace.transaction_of(effect)
            if transaction is None or effect.after_response:
                continue
            written = _written(trace, index, transaction)
            if written is not None:
                yield _finding(endpoint, trace, index, transaction, written)


def _written(trace: Trace, index: int, transaction: Transaction) -> int | None:
    """The write that the commit will bring; one that comes later counts only in a block that was opened on purpose."""
    before = (i for i, e in trace.before(index) if _is_write(e) and trace.share_transaction(i, index))
    after = (i for i, e in trace.after(index) if _is_write(e) and trace.share_transaction(index, i))
    earlier = next(before, None)
    return next(after, None) if earlier is None and transaction.is_explicit else earlier


def _finding(endpoint: Endpoint, trace: Trace, index: int, transaction: Transaction, at: int) -> Finding:
    effect, written = trace.effects[index], trace.effects[at]
    owner = wording.short(wording.holder(endpoint, trace.opening(effect.transaction) or effect))
    what = wording.short(effect.target) if effect.target else "a message"
    # A write of nobody knows what, and a commit that depends on what was written, tell too little.
    is_unclear = not written.target or trace.may_have_ended(*sorted((at, index))) or _is_kept(effect)
    return reporting.at(
        endpoint,
        trace,
        effect,
        message=f"{what} is sent before the transaction of {owner} commits",
        consequence=f"The receiver may look at {wording.table(written)} before the commit and find nothing, or the old "
        "row; if the commit fails, it acts on something that never happened.",
        severity=INFO.severity,
        confidence=Confidence.LOW if is_unclear else Confidence.HIGH if at < index else Confidence.MEDIUM,
        related=(
            ("the transaction begins here", transaction.place),
            ("this write is not committed yet", written.place),
        ),
    )


def _is_kept(effect: Effect) -> bool:
    """Whether a list may merely be kept there: nothing in its name says that anybody waits for it."""
    return effect.action.lower() in _LISTS and not _AWAITED.search(effect.target)


def _is_write(effect: Effect) -> bool:
    return effect.kind is EffectKind.DATABASE_WRITE and effect.action.upper() != "DDL"

"""The double-entry ledger: postings of two entries that cancel out, never changed afterwards."""

from __future__ import annotations

from payments.ids import new_id
from payments.store.database import Connection
from payments.store.payments import Payment


async def authorize(tx: Connection, payment: Payment, intent_id: str) -> None:
    """The customer's money is held."""
    await _post(tx, payment, intent_id, "authorize", payment.account_id, _holding(payment), payment.amount_minor)


async def capture(tx: Connection, payment: Payment, intent_id: str) -> None:
    """The held money goes to the merchant."""
    await _post(tx, payment, intent_id, "capture", _holding(payment), payment.merchant_account_id, payment.amount_minor)


async def release(tx: Connection, payment: Payment, intent_id: str) -> None:
    """The held money goes back to the customer."""
    await _post(tx, payment, intent_id, "release", _holding(payment), payment.account_id, payment.amount_minor)


async def refund(tx: Connection, payment: Payment, intent_id: str, amount_minor: int) -> None:
    """The merchant gives it back."""
    await _post(tx, payment, intent_id, "refund", payment.merchant_account_id, payment.account_id, amount_minor)


def _holding(payment: Payment) -> str:
    return f"acc_holding_{payment.currency.lower()}"


async def _post(
    tx: Connection, payment: Payment, intent_id: str, kind: str, source: str, target: str, amount_minor: int
) -> None:
    """One statement; the unique intent makes a second posting of the same thing impossible."""
    await tx.execute(
        """
        WITH posting AS (
            INSERT INTO postings (id, payment_id, intent_id, kind, currency) VALUES ($1, $2, $3, $4, $5) RETURNING id
        )
        INSERT INTO entries (id, posting_id, account_id, amount_minor)
        SELECT $6, id, $8, -$10::bigint FROM posting UNION ALL SELECT $7, id, $9, $10::bigint FROM posting
        """,
        new_id("pst"),
        payment.id,
        intent_id,
        kind,
        payment.currency,
        new_id("ent"),
        new_id("ent"),
        source,
        target,
        amount_minor,
    )

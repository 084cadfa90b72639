"""Payments; the database refuses illegal changes of state itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from payments.problems import conflict, invalid
from payments.store.database import Connection


@dataclass(frozen=True, slots=True)
class Payment:
    id: str
    customer_id: str
    account_id: str
    merchant_id: str
    merchant_account_id: str
    amount_minor: int
    currency: str
    refunded_minor: int
    external_ref: str
    description: str
    status: str
    failure_code: str | None
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Total:
    status: str
    currency: str
    count: int
    amount_minor: int
    refunded_minor: int


async def insert(
    tx: Connection,
    *,
    id: str,
    customer_id: str,
    account_id: str,
    merchant_id: str,
    amount_minor: int,
    currency: str,
    external_ref: str,
    description: str,
) -> Payment:
    """Raises a 422 problem when an account does not fit, a 409 problem when the reference is taken."""
    try:
        row = await tx.fetchrow(
            """
            INSERT INTO payments (id, customer_id, account_id, merchant_id, merchant_account_id, amount_minor,
                currency, external_ref, description)
            SELECT $1, a.owner_id, a.id, m.owner_id, m.id, $5, a.currency, $7, $8
            FROM accounts a JOIN accounts m ON m.owner_id = $4 AND m.kind = 'merchant' AND m.currency = a.currency
            WHERE a.id = $3 AND a.owner_id = $2 AND a.kind = 'customer' AND a.currency = $6
            RETURNING id, customer_id, account_id, merchant_id, merchant_account_id, amount_minor, currency,
                refunded_minor, external_ref, description, status, failure_code, version, created_at, updated_at
            """,
            id,
            customer_id,
            account_id,
            merchant_id,
            amount_minor,
            currency,
            external_ref,
            description,
        )
    except asyncpg.UniqueViolationError as error:
        raise conflict("external-ref-taken", "The merchant has a payment with this external_ref.") from error
    if row is None:
        account = await tx.fetchrow(
            "SELECT currency FROM accounts WHERE id = $1 AND owner_id = $2", account_id, customer_id
        )
        if account is None:
            raise invalid("/account_id", "You have no such account.")
        if account["currency"] != currency:
            raise invalid("/amount/currency", "The account holds another currency.")
        raise invalid("/merchant_id", "No merchant with this id takes this currency.")
    return Payment(**row)


async def get(tx: Connection, id: str, *, party_id: str | None) -> Payment | None:
    """With a party, only when they pay or are paid."""
    row = await tx.fetchrow(
        """
        SELECT id, customer_id, account_id, merchant_id, merchant_account_id, amount_minor, currency,
            refunded_minor, external_ref, description, status, failure_code, version, created_at, updated_at
        FROM payments WHERE id = $1 AND ($2::text IS NULL OR customer_id = $2 OR merchant_id = $2)
        """,
        id,
        party_id,
    )
    return Payment(**row) if row else None


# One statement for each kind of reader, so that each has its own index to walk.
_PAGE_OF_CUSTOMER = """
SELECT id, customer_id, account_id, merchant_id, merchant_account_id, amount_minor, currency,
    refunded_minor, external_ref, description, status, failure_code, version, created_at, updated_at
FROM payments WHERE customer_id = $1
    AND ($2::text IS NULL OR id < $2) AND ($3::text IS NULL OR status = $3)
    AND ($4::text IS NULL OR account_id = $4) AND ($5::text IS NULL OR external_ref = $5)
ORDER BY id DESC LIMIT $6
"""
_PAGE_OF_MERCHANT = """
SELECT id, customer_id, account_id, merchant_id, merchant_account_id, amount_minor, currency,
    refunded_minor, external_ref, description, status, failure_code, version, created_at, updated_at
FROM payments WHERE merchant_id = $1
    AND ($2::text IS NULL OR id < $2) AND ($3::text IS NULL OR status = $3)
    AND ($4::text IS NULL OR account_id = $4) AND ($5::text IS NULL OR external_ref = $5)
ORDER BY id DESC LIMIT $6
"""
_PAGE_OF_ALL = """
SELECT id, customer_id, account_id, merchant_id, merchant_account_id, amount_minor, currency,
    refunded_minor, external_ref, description, status, failure_code, version, created_at, updated_at
FROM payments WHERE $1::text IS NOT NULL
    AND ($2::text IS NULL OR id < $2) AND ($3::text IS NULL OR status = $3)
    AND ($4::text IS NULL OR account_id = $4) AND ($5::text IS NULL OR external_ref = $5)
ORDER BY id DESC LIMIT $6
"""
_PAGES = {"customer": _PAGE_OF_CUSTOMER, "merchant": _PAGE_OF_MERCHANT}


async def page(
    tx: Connection,
    *,
    reader_id: str,
    role: str,
    after: str | None,
    status: str | None,
    account_id: str | None,
    external_ref: str | None,
    limit: int,
) -> Sequence[Payment]:
    """Newest first: one's own as a customer or merchant, everybody's as support or admin."""
    statement = _PAGES.get(role, _PAGE_OF_ALL)
    rows = await tx.fetch(statement, reader_id, after, status, account_id, external_ref, limit)
    return [Payment(**row) for row in rows]


async def move(tx: Connection, id: str, *, status: str, failure_code: str | None = None) -> Payment:
    """To another state; the database's trigger refuses an illegal one."""
    row = await tx.fetchrow(
        """
        UPDATE payments SET status = $2, failure_code = $3, version = version + 1, updated_at = now()
        WHERE id = $1
        RETURNING id, customer_id, account_id, merchant_id, merchant_account_id, amount_minor, currency,
            refunded_minor, external_ref, description, status, failure_code, version, created_at, updated_at
        """,
        id,
        status,
        failure_code,
    )
    return Payment(**row)


async def lock(tx: Connection, id: str, *, merchant_id: str | None) -> Payment | None:
    """Reads it for a change; with a merchant, only when it was made to them."""
    row = await tx.fetchrow(
        """
        SELECT id, customer_id, account_id, merchant_id, merchant_account_id, amount_minor, currency,
            refunded_minor, external_ref, description, status, failure_code, version, created_at, updated_at
        FROM payments WHERE id = $1 AND ($2::text IS NULL OR merchant_id = $2) FOR NO KEY UPDATE
        """,
        id,
        merchant_id,
    )
    return Payment(**row) if row else None


async def add_refunded(tx: Connection, id: str, amount_minor: int) -> Payment:
    """Sets money aside for a refund, or gives it back with a negative amount; the table's check bounds the sum."""
    row = await tx.fetchrow(
        """
        UPDATE payments SET refunded_minor = refunded_minor + $2, version = version + 1, updated_at = now()
        WHERE id = $1
        RETURNING id, customer_id, account_id, merchant_id, merchant_account_id, amount_minor, currency,
            refunded_minor, external_ref, description, status, failure_code, version, created_at, updated_at
        """,
        id,
        amount_minor,
    )
    return Payment(**row)


async def totals(tx: Connection, days: int) -> Sequence[Total]:
    """What happened in the last days, by state and currency: at most as many rows as there are of those."""
    rows = await tx.fetch(
        """
        SELECT status, currency, count(*) AS count, sum(amount_minor)::bigint AS amount_minor,
            sum(refunded_minor)::bigint AS refunded_minor
        FROM payments WHERE created_at > now() - make_interval(days => $1)
        GROUP BY status, currency ORDER BY currency, status LIMIT 100
        """,
        days,
    )
    return [Total(**row) for row in rows]

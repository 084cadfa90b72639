"""Refunds of captured payments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from payments.store.database import Connection


@dataclass(frozen=True, slots=True)
class Refund:
    id: str
    payment_id: str
    amount_minor: int
    currency: str
    reason: str
    status: str
    created_at: datetime
    updated_at: datetime


async def insert(tx: Connection, *, id: str, payment_id: str, amount_minor: int, currency: str, reason: str) -> Refund:
    row = await tx.fetchrow(
        """
        INSERT INTO refunds (id, payment_id, amount_minor, currency, reason) VALUES ($1, $2, $3, $4, $5)
        RETURNING id, payment_id, amount_minor, currency, reason, status, created_at, updated_at
        """,
        id,
        payment_id,
        amount_minor,
        currency,
        reason,
    )
    return Refund(**row)


async def get(tx: Connection, id: str, *, payment_id: str) -> Refund | None:
    row = await tx.fetchrow(
        """
        SELECT id, payment_id, amount_minor, currency, reason, status, created_at, updated_at
        FROM refunds WHERE id = $1 AND payment_id = $2
        """,
        id,
        payment_id,
    )
    return Refund(**row) if row else None


async def page(tx: Connection, *, payment_id: str, after: str | None, limit: int) -> Sequence[Refund]:
    """Newest first."""
    rows = await tx.fetch(
        """
        SELECT id, payment_id, amount_minor, currency, reason, status, created_at, updated_at FROM refunds
        WHERE payment_id = $1 AND ($2::text IS NULL OR id < $2) ORDER BY id DESC LIMIT $3
        """,
        payment_id,
        after,
        limit,
    )
    return [Refund(**row) for row in rows]


async def settle(tx: Connection, id: str, *, status: str) -> Refund:
    row = await tx.fetchrow(
        """
        UPDATE refunds SET status = $2, updated_at = now() WHERE id = $1
        RETURNING id, payment_id, amount_minor, currency, reason, status, created_at, updated_at
        """,
        id,
        status,
    )
    return Refund(**row)


async def succeeded_minor(tx: Connection, payment_id: str) -> int:
    """How much of a payment has gone back; a payment has few refunds."""
    total: int = await tx.fetchval(
        "SELECT coalesce(sum(amount_minor), 0)::bigint FROM refunds WHERE payment_id = $1 AND status = 'succeeded'",
        payment_id,
    )
    return total

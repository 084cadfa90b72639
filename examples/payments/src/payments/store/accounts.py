"""Accounts, and what the ledger says about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from payments.problems import conflict
from payments.store.database import Connection


@dataclass(frozen=True, slots=True)
class Account:
    id: str
    owner_id: str
    kind: str
    name: str
    description: str
    currency: str
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an account's statement."""

    id: str
    kind: str
    payment_id: str
    amount_minor: int
    currency: str
    created_at: datetime


async def insert(
    tx: Connection, *, id: str, owner_id: str, kind: str, name: str, description: str, currency: str
) -> Account:
    """Raises a 409 problem when the owner has an account of this name."""
    try:
        row = await tx.fetchrow(
            """
            INSERT INTO accounts (id, owner_id, kind, name, description, currency) VALUES ($1, $2, $3, $4, $5, $6)
            RETURNING id, owner_id, kind, name, description, currency, version, created_at, updated_at
            """,
            id,
            owner_id,
            kind,
            name,
            description,
            currency,
        )
    except asyncpg.UniqueViolationError as error:
        raise conflict("name-taken", "You have an account with this name.") from error
    return Account(**row)


async def get(tx: Connection, id: str, *, owner_id: str | None) -> Account | None:
    """With an owner, only when it is theirs."""
    row = await tx.fetchrow(
        """
        SELECT id, owner_id, kind, name, description, currency, version, created_at, updated_at FROM accounts
        WHERE id = $1 AND owner_id IS NOT NULL AND ($2::text IS NULL OR owner_id = $2)
        """,
        id,
        owner_id,
    )
    return Account(**row) if row else None


async def page(tx: Connection, *, owner_id: str, after: str | None, limit: int) -> Sequence[Account]:
    """Newest first."""
    rows = await tx.fetch(
        """
        SELECT id, owner_id, kind, name, description, currency, version, created_at, updated_at FROM accounts
        WHERE owner_id = $1 AND ($2::text IS NULL OR id < $2) ORDER BY id DESC LIMIT $3
        """,
        owner_id,
        after,
        limit,
    )
    return [Account(**row) for row in rows]


async def update(
    tx: Connection, id: str, *, owner_id: str, version: int, name: str | None, description: str | None
) -> Account | None:
    """Changes what is given, when the version is still the same; None otherwise."""
    try:
        row = await tx.fetchrow(
            """
            UPDATE accounts SET name = coalesce($4, name), description = coalesce($5, description),
                version = version + 1, updated_at = now()
            WHERE id = $1 AND owner_id = $2 AND version = $3
            RETURNING id, owner_id, kind, name, description, currency, version, created_at, updated_at
            """,
            id,
            owner_id,
            version,
            name,
            description,
        )
    except asyncpg.UniqueViolationError as error:
        raise conflict("name-taken", "You have an account with this name.") from error
    return Account(**row) if row else None


async def balance(tx: Connection, id: str) -> int:
    """The sum of the account's entries, from the index alone: nothing is stored that could drift from the ledger."""
    total: int = await tx.fetchval(
        "SELECT coalesce(sum(amount_minor), 0)::bigint FROM entries WHERE account_id = $1", id
    )
    return total


async def statement(tx: Connection, id: str, *, after: str | None, limit: int) -> Sequence[Entry]:
    """Newest first."""
    rows = await tx.fetch(
        """
        SELECT e.id, p.kind, p.payment_id, e.amount_minor, p.currency, p.created_at
        FROM entries e JOIN postings p ON p.id = e.posting_id
        WHERE e.account_id = $1 AND ($2::text IS NULL OR e.id < $2) ORDER BY e.id DESC LIMIT $3
        """,
        id,
        after,
        limit,
    )
    return [Entry(**row) for row in rows]

"""People who can sign in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from payments.problems import conflict
from payments.security import Role
from payments.store.database import Connection


@dataclass(frozen=True, slots=True)
class User:
    id: str
    email: str
    display_name: str
    role: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Credential:
    """What a login is checked against."""

    user_id: str
    role: Role
    password_hash: str


async def insert(tx: Connection, *, id: str, email: str, display_name: str, password_hash: str, role: str) -> User:
    """Raises a 409 problem when the e-mail address is taken."""
    try:
        row = await tx.fetchrow(
            """
            INSERT INTO users (id, email, display_name, password_hash, role) VALUES ($1, $2, $3, $4, $5)
            RETURNING id, email, display_name, role, created_at
            """,
            id,
            email,
            display_name,
            password_hash,
            role,
        )
    except asyncpg.UniqueViolationError as error:
        raise conflict("email-taken", "An account with this e-mail address exists.") from error
    return User(**row)


async def credential(tx: Connection, email: str) -> Credential | None:
    row = await tx.fetchrow("SELECT id AS user_id, role, password_hash FROM users WHERE email = $1", email)
    return Credential(**row) if row else None


async def get(tx: Connection, id: str) -> User | None:
    row = await tx.fetchrow("SELECT id, email, display_name, role, created_at FROM users WHERE id = $1", id)
    return User(**row) if row else None

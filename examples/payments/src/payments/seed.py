"""Makes the people who cannot register themselves: python -m payments.seed. Running it twice is harmless.

Reads SEED_ADMIN_EMAIL, SEED_ADMIN_PASSWORD, SEED_MERCHANT_EMAIL, SEED_MERCHANT_PASSWORD and, optionally,
SEED_MERCHANT_ID; whoever is not named is not made.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from dataclasses import dataclass

import asyncpg

from payments.api.schemas import ID
from payments.ids import new_id
from payments.security import Passwords, Role

CURRENCIES = ("EUR", "GBP", "USD")


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    email: str
    password: str
    role: Role


async def seed(url: str, people: list[Person]) -> None:
    """Makes each of them once; merchants get an account for each currency."""
    passwords = Passwords()
    connection: asyncpg.Connection = await asyncpg.connect(url, timeout=10.0)
    try:
        for person in people:
            password_hash = await passwords.hash(person.password)
            async with connection.transaction():
                made = await connection.fetchval(
                    """
                    INSERT INTO users (id, email, display_name, password_hash, role) VALUES ($1, $2, $3, $4, $5)
                    ON CONFLICT DO NOTHING RETURNING id
                    """,
                    person.id,
                    person.email.lower(),
                    person.role.capitalize(),
                    password_hash,
                    person.role,
                )
                if made and person.role == "merchant":
                    await connection.executemany(
                        "INSERT INTO accounts (id, owner_id, kind, name, currency) VALUES ($1, $2, 'merchant', $3, $3)",
                        [(new_id("acc"), person.id, currency) for currency in CURRENCIES],
                    )
    finally:
        await connection.close(timeout=5.0)
        passwords.close()


def main() -> None:
    """Reads the environment."""
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        sys.exit("DATABASE_URL is not set")
    merchant_id = os.environ.get("SEED_MERCHANT_ID", "") or new_id("usr")
    if not re.fullmatch(ID.format("usr"), merchant_id):
        sys.exit(f"SEED_MERCHANT_ID is not a user's id: {merchant_id}")
    people = []
    roles: tuple[tuple[Role, str], ...] = (("admin", new_id("usr")), ("merchant", merchant_id))
    for role, id in roles:
        email = os.environ.get(f"SEED_{role.upper()}_EMAIL", "")
        password = os.environ.get(f"SEED_{role.upper()}_PASSWORD", "")
        if email and password:
            people.append(Person(id, email, password, role))
    asyncio.run(seed(url, people))
    sys.stdout.write(f"seeded {len(people)} people\n")


if __name__ == "__main__":
    main()

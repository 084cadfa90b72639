"""Brings the schema up to date: python -m payments.migrate. Running it twice, or twice at once, is harmless."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import asyncpg

FOLDER = Path(__file__).parent / "migrations"
LOCK = 0x7061796D656E7473
"""An advisory lock's number: only one migration runs at a time."""


async def migrate(url: str) -> list[str]:
    """Applies every file that the database has not seen, each in a transaction of its own; returns their names."""
    connection: asyncpg.Connection = await asyncpg.connect(url, timeout=10.0)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK, timeout=60.0)
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations "
            "(name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        seen = {row["name"] for row in await connection.fetch("SELECT name FROM schema_migrations LIMIT 10000")}
        applied = []
        for file in sorted(FOLDER.glob("*.sql")):
            if file.name in seen:
                continue
            async with connection.transaction():
                await connection.execute(file.read_text(encoding="utf-8"))
                await connection.execute("INSERT INTO schema_migrations (name) VALUES ($1)", file.name)
            applied.append(file.name)
        return applied
    finally:
        await connection.close(timeout=5.0)


def main() -> None:
    """Reads DATABASE_URL."""
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        sys.exit("DATABASE_URL is not set")
    for name in asyncio.run(migrate(url)):
        sys.stdout.write(f"applied {name}\n")


if __name__ == "__main__":
    main()

"""What the role of the service may do where another one owns the tables: use them, and change nothing of them."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import asyncpg

_GRANT = """\
DO $grant$
DECLARE
    each record;
BEGIN
    IF NOT has_schema_privilege({role}, current_schema(), 'USAGE') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), {role});
    END IF;
    FOR each IN
        SELECT oid::regclass AS name, relkind FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relowner = current_user::regrole
          AND relkind IN ('r', 'p', 'S') AND NOT relispartition
    LOOP
        IF each.relkind = 'S' THEN
            EXECUTE format('GRANT USAGE ON SEQUENCE %s TO %I', each.name, {role});
        ELSE
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %I', each.name, {role});
        END IF;
    END LOOP;
    FOR each IN
        SELECT oid::regprocedure AS name FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace AND proowner = current_user::regrole AND prokind = 'f'
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', each.name, {role});
    END LOOP;
END
$grant$"""


async def grant(connection: asyncpg.Connection, url: str) -> bool:
    """Lets the role that `url` names use what the connection's own role owns; False where they are the same."""
    role = unquote(urlsplit(url).username or "")
    if not role or role == await connection.fetchval("SELECT current_user"):
        return False
    literal = await connection.fetchval("SELECT quote_literal($1::text)", role)
    await connection.execute(_GRANT.format(role=literal))
    return True

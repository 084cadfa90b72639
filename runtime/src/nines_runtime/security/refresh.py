"""Refresh tokens: each is used once, and one that comes twice ends its session (RFC 9700, 4.14.2)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import msgspec

from nines_runtime.calls.deadline import Deadline
from nines_runtime.security.secret import LENGTH_MAX, Secret, digest_of

PREFIX = "rt"


class Connection(Protocol):
    """What is used of a transaction."""

    async def fetchrow(self, query: str, *arguments: Any) -> Any: ...
    async def execute(self, query: str, *arguments: Any) -> str: ...


class Database(Protocol):
    """Where one statement needs no transaction of its own."""

    async def fetchrow(self, deadline: Deadline, query: str, *arguments: Any) -> Any: ...
    def transaction(self, deadline: Deadline) -> AbstractAsyncContextManager[Any]: ...


class RefreshStatements(msgspec.Struct, frozen=True, kw_only=True):
    """Arguments: of `use` and `read` the digest, of `session` and `revoke` the session, of `insert` digest, session and
    end; of `rotate`, which does what `use`, `session` and `insert` do, the digest, the next one and its end at most."""

    rotate: str = """\
WITH used AS (
    UPDATE account_refresh_tokens SET used_at = now()
    WHERE token_hash = $1 AND used_at IS NULL AND expires_at > now()
    RETURNING session_id
), session AS (
    SELECT s.id, a.id AS account_id, a.status, s.expires_at
    FROM account_sessions AS s
    JOIN accounts AS a ON a.id = s.account_id
    WHERE s.id = (SELECT session_id FROM used) AND s.revoked_at IS NULL AND s.expires_at > now()
), added AS (
    INSERT INTO account_refresh_tokens (token_hash, session_id, expires_at)
    SELECT $2::bytea, id, least($3::timestamptz, expires_at) FROM session
)
SELECT session.* FROM used LEFT JOIN session ON true"""

    use: str = """\
UPDATE account_refresh_tokens SET used_at = now()
WHERE token_hash = $1 AND used_at IS NULL AND expires_at > now()
RETURNING session_id"""
    read: str = "SELECT session_id, used_at, expires_at FROM account_refresh_tokens WHERE token_hash = $1"
    session: str = """\
SELECT s.id, a.id AS account_id, a.status, s.expires_at
FROM account_sessions AS s
JOIN accounts AS a ON a.id = s.account_id
WHERE s.id = $1 AND s.revoked_at IS NULL AND s.expires_at > now()"""
    insert: str = "INSERT INTO account_refresh_tokens (token_hash, session_id, expires_at) VALUES ($1, $2, $3)"
    revoke: str = "UPDATE account_sessions SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL"


class Rotated(msgspec.Struct, frozen=True, kw_only=True):
    """The token was good: here is the next one, and the row of its session."""

    token: Secret
    session: Any


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """The token was not good. Commit first, then raise Problem("token-rejected")."""

    reused_session: UUID | None = None
    """The session that was revoked since one of its tokens came twice: it was stolen, or sent twice."""


class RefreshTokens:
    """Runs in the caller's transaction, raises nothing, and never commits: a session that is revoked stays so only if
    the transaction is committed also for a Rejected."""

    def __init__(
        self,
        ttl_s: float,
        *,
        statements: RefreshStatements | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._ttl = timedelta(seconds=ttl_s)
        self._statements = statements or RefreshStatements()
        self._now = now

    async def issue(self, tx: Connection, session: UUID, *, until: datetime | None = None) -> Secret:
        """The first token of a session, or the next; it never outlives the session (`until`)."""
        token = Secret.new(PREFIX)
        ends = self._now() + self._ttl
        await tx.execute(self._statements.insert, token.digest, session, min(ends, until) if until else ends)
        return token

    async def rotate(self, tx: Connection, shown: str) -> Rotated | Rejected:
        """Uses the token up and gives the next one."""
        if not shown.startswith(f"{PREFIX}_") or len(shown) > LENGTH_MAX:
            return Rejected()
        digest = digest_of(shown)
        used = await tx.fetchrow(self._statements.use, digest)
        if used is None:
            return await self._refuse(tx, digest)
        session = await tx.fetchrow(self._statements.session, used["session_id"])
        if session is None:
            return Rejected()
        return Rotated(token=await self.issue(tx, session["id"], until=session["expires_at"]), session=session)

    async def rotate_in(self, database: Database, deadline: Deadline, shown: str) -> Rotated | Rejected:
        """The same in one statement, and committed: the database is asked once for a token that is good."""
        if not shown.startswith(f"{PREFIX}_") or len(shown) > LENGTH_MAX:
            return Rejected()
        digest, token = digest_of(shown), Secret.new(PREFIX)
        session = await database.fetchrow(
            deadline, self._statements.rotate, digest, token.digest, self._now() + self._ttl
        )
        if session is None:
            # Committed also where it is refused, so that a session which is ended for it stays so.
            async with database.transaction(deadline) as tx:
                return await self._refuse(tx, digest)
        return Rejected() if session["id"] is None else Rotated(token=token, session=session)

    async def _refuse(self, tx: Connection, digest: bytes) -> Rejected:
        known = await tx.fetchrow(self._statements.read, digest)
        if known is None or known["used_at"] is None:
            return Rejected()
        await tx.execute(self._statements.revoke, known["session_id"])
        return Rejected(reused_session=known["session_id"])

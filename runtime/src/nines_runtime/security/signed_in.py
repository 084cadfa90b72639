"""Sessions of people who signed in elsewhere, in a table: what was ended is over with the next request."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from nines_runtime.calls.deadline import Deadline
from nines_runtime.data.identifiers import new_id
from nines_runtime.security.sessions import SessionAuthenticator, new_session
from nines_runtime.web.caller import Caller

LIMIT_S = 2.0
"""How long it may take to see whether a session holds."""


class Store(Protocol):
    """What is used of a database."""

    async def fetchrow(self, deadline: Deadline, query: str, *arguments: Any) -> Any: ...

    async def execute(self, deadline: Deadline, query: str, *arguments: Any) -> Any: ...


class SignedIn:
    """The table: `insert` takes what `columns` name, `see` finds by the digest of a cookie what holds and tells whether
    it is_stale, `touch` notes that it was used, `end` ends it; the last two take its id."""

    def __init__(
        self,
        database: Store,
        *,
        insert: str,
        columns: Iterable[str],
        see: str,
        touch: str,
        end: str,
        ttl_s: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._insert, self._columns = insert, tuple(columns)
        self._see, self._touch, self._end = see, touch, end
        self._ttl, self._now = timedelta(seconds=ttl_s), now

    async def open(self, caller: Caller) -> str:
        """A new session, and the secret of its cookie."""
        secret = new_session()
        values = {
            "id": new_id(),
            "token_hash": secret.digest,
            "subject": caller.subject,
            "tenant": caller.tenant,
            "roles": sorted(caller.roles),
            "has_second_factor": caller.has_second_factor,
            "expires_at": self._now() + self._ttl,
        }
        given = (values[each] for each in self._columns)
        await self._database.execute(Deadline.after(LIMIT_S), self._insert, *given)
        return secret.text

    async def end(self, session: str) -> None:
        try:
            id = UUID(session)
        except ValueError:
            # A token of the issuer names its session there, of which nothing is known here.
            return
        await self._database.execute(Deadline.after(LIMIT_S), self._end, id)

    async def find(self, digest: bytes) -> Caller | None:
        row = await self._database.fetchrow(Deadline.after(LIMIT_S), self._see, digest)
        if row is None:
            return None
        found = dict(row)
        if found["is_stale"]:
            await self._database.execute(Deadline.after(LIMIT_S), self._touch, found["id"])
        return Caller(
            subject=found["subject"],
            tenant=found.get("tenant", ""),
            roles=frozenset(found.get("roles") or ()),
            session=str(found["id"]),
            has_second_factor=bool(found.get("has_second_factor")),
            expires_at_s=found["expires_at"].timestamp(),
        )

    def authenticator(self, *, origins: Iterable[str] = ()) -> SessionAuthenticator:
        return SessionAuthenticator(self.find, origins=origins)

"""API keys: `<prefix>_<id>_<secret>`, of which only the digest is kept."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Protocol

import msgspec

from nines_runtime.calls.deadline import Deadline
from nines_runtime.security.guessing import FREE_BY_ADDRESS, Failures
from nines_runtime.security.secret import digest_of, is_same
from nines_runtime.web.caller import ANONYMOUS, Caller, Headers
from nines_runtime.web.problem import Problem

CACHE_SIZE = 10_000
FRESH_S = 5.0
"""So long a key that was revoked may still be believed, by a process that saw it just before."""
SEEN_EVERY_S = 60.0
"""How exactly it is known when a key was used last."""
LOOKING_S = 2.0
"""How long it may take to find a key."""
HEADER = "x-api-key"
_FORM = re.compile(r"([a-z][a-z0-9]{1,15})_([0-9a-f]{16})_([A-Za-z0-9_-]{43})\Z")


class ApiKey:
    """A key that was just made: `id` and `digest` are kept, `text` is shown once."""

    __slots__ = ("digest", "id", "text")

    def __init__(self, prefix: str) -> None:
        self.id = secrets.token_hex(8)
        self.text = f"{prefix}_{self.id}_{secrets.token_urlsafe(32)}"
        self.digest = digest_of(self.text)
        if _FORM.match(self.text) is None:
            raise ValueError("the prefix of API keys is of 2 to 16 lower-case letters and digits, a letter first")

    def __repr__(self) -> str:
        return f"ApiKey({self.id!r}, [redacted])"


class KeptKey(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an API key."""

    digest: bytes
    caller: Caller
    """`expires_at_s` of 0: it does not end by itself."""


FindKey = Callable[[str], Awaitable[KeptKey | None]]
"""Finds a key by its id; None where there is none, or it was revoked."""
KeyUsed = Callable[[str], Awaitable[None]]
"""Told the id of a key that was shown and holds, once in a while."""


class Store(Protocol):
    """What is used of a database."""

    async def fetchrow(self, deadline: Deadline, query: str, *arguments: Any) -> Any: ...

    async def execute(self, deadline: Deadline, query: str, *arguments: Any) -> Any: ...


class ApiKeyTable:
    """The keys of a table: `find` gives key_hash, subject, roles, expires_at and, where there are any, tenant of a key
    that was not revoked, by its id; `use` notes that it was used now."""

    def __init__(self, database: Store, *, find: str, use: str) -> None:
        self._database, self._find, self._use = database, find, use

    async def find(self, id: str) -> KeptKey | None:
        row = await self._database.fetchrow(Deadline.after(LOOKING_S), self._find, id)
        if row is None:
            return None
        expires_at: datetime | None = row["expires_at"]
        caller = Caller(
            subject=row["subject"],
            tenant=dict(row).get("tenant", ""),
            roles=frozenset(row["roles"]),
            expires_at_s=expires_at.astimezone(UTC).timestamp() if expires_at else 0.0,
        )
        return KeptKey(digest=row["key_hash"], caller=caller)

    async def used(self, id: str) -> None:
        await self._database.execute(Deadline.after(LOOKING_S), self._use, id)


class ApiKeyAuthenticator:
    """Reads X-Api-Key; what holds is remembered for a while, in bounded memory.

    An address that shows too many keys that do not hold has to wait, twice as long each time: a key cannot be guessed,
    but looking for it costs a read."""

    def __init__(
        self,
        find: FindKey,
        *,
        header: str = HEADER,
        fresh_s: float = FRESH_S,
        cache_size: int = CACHE_SIZE,
        used: KeyUsed | None = None,
        failures: Failures | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._find = find
        self._header = header.lower()
        self._fresh_s = fresh_s
        self._cache_size = cache_size
        self._used = used
        self._failures = failures
        self._clock = clock
        self._known: dict[bytes, tuple[float, Caller]] = {}
        self._seen: dict[str, float] = {}

    @classmethod
    def of(cls, table: ApiKeyTable, *, limit_factor: float = 1.0) -> ApiKeyAuthenticator:
        """Of a table; `limit_factor` as for all limits, so that one caller of a laboratory may do the work of many."""
        failures = Failures(free_by_address=max(1, int(FREE_BY_ADDRESS * limit_factor)))
        return cls(table.find, used=table.used, failures=failures)

    async def authenticate(self, headers: Headers, *, address: str) -> Caller:
        shown = headers.get(self._header)
        if shown is None:
            return ANONYMOUS
        now = self._clock()
        digest = sha256(shown.encode("utf-8", "surrogatepass")).digest()
        until_s, caller = self._known.get(digest, (0.0, ANONYMOUS))
        if until_s <= now:
            caller = await self._looked_up(shown, address)
            # What is refreshed moves to the end, so that the oldest goes first.
            self._known.pop(digest, None)
            while len(self._known) >= self._cache_size:
                del self._known[next(iter(self._known))]
            self._known[digest] = (now + self._fresh_s, caller)
        if caller.expires_at_s and caller.expires_at_s <= now:
            raise Problem("unauthorized")
        return caller

    async def _looked_up(self, shown: str, address: str) -> Caller:
        if self._failures is not None:
            self._failures.refuse_blocked_address(address)
        form = _FORM.match(shown)
        kept = await self._find(form[2]) if form else None
        if not is_same(digest_of(shown), kept.digest if kept else b"\0" * 32) or kept is None or form is None:
            if self._failures is not None:
                self._failures.failed_address(address)
            raise Problem("unauthorized")
        await self._note(form[2])
        return kept.caller

    async def _note(self, id: str) -> None:
        now = self._clock()
        if self._used is None or self._seen.get(id, -SEEN_EVERY_S) > now - SEEN_EVERY_S:
            return
        self._seen.pop(id, None)
        while len(self._seen) >= self._cache_size:
            del self._seen[next(iter(self._seen))]
        self._seen[id] = now
        await self._used(id)

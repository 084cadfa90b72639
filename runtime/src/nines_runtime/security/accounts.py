"""People who sign in here: what a service that keeps their accounts needs beside its own statements.

accounts = Accounts(
    issuer=issuer, passwords=Passwords(), codes=Codes(code_key), guesses=Guesses(code_key),
    refresh=RefreshTokens(ttl_s), totp=Totp(), cipher=Cipher.parse(field_keys), session_ttl_s=ttl_s,
)"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import msgspec

from nines_runtime.calls.deadline import Deadline
from nines_runtime.data.identifiers import identifier_text
from nines_runtime.security.codes import Codes
from nines_runtime.security.encryption import Cipher
from nines_runtime.security.guessing import Guesses
from nines_runtime.security.issuing import TokenIssuer
from nines_runtime.security.passwords import Passwords
from nines_runtime.security.refresh import RefreshTokens
from nines_runtime.security.sessions import SessionAuthenticator
from nines_runtime.security.totp import Totp
from nines_runtime.web.call import identifier
from nines_runtime.web.caller import Caller, Headers
from nines_runtime.web.problem import Problem

QUANTUM_S = 0.05
SEEING_S = 2.0
"""How long it may take to see whether a session still holds."""


class Evenly:
    """Answers come at whole multiples of a time, so that what was done for them cannot be told by a clock.

    Make one where the work begins, and wait at its end. It hides differences that are small beside the quantum: do as
    much for those who are not there as for those who are, and let this hide the rest."""

    def __init__(
        self,
        quantum_s: float = QUANTUM_S,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        self._quantum_s, self._clock, self._sleep = quantum_s, clock, sleep
        self._began_s = clock()

    async def wait(self) -> None:
        """Until the next multiple."""
        passed_s = self._clock() - self._began_s
        await self._sleep(math.ceil(passed_s / self._quantum_s) * self._quantum_s - passed_s)


class Reads(Protocol):
    """What is used of a database."""

    async def fetchrow(self, deadline: Deadline, query: str, *arguments: Any) -> Any: ...


class ReadsAndWrites(Reads, Protocol):
    """The same, with changes."""

    async def execute(self, deadline: Deadline, query: str, *arguments: Any) -> Any: ...


class SessionAccounts:
    """What signing in to a session takes; one for the whole process."""

    def __init__(
        self,
        *,
        passwords: Passwords,
        codes: Codes,
        guesses: Guesses,
        cipher: Cipher,
        session_ttl_s: float,
        second_factor_roles: frozenset[str] = frozenset(),
        origins: Iterable[str] = (),
        totp: Totp | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.passwords, self.codes, self.guesses = passwords, codes, guesses
        self.cipher, self.totp = cipher, totp or Totp()
        self.session_ttl = timedelta(seconds=session_ttl_s)
        self.second_factor_roles, self.origins = second_factor_roles, tuple(origins)
        self.now = now

    def allowed(self, roles: list[str], *, has_second_factor: bool) -> list[str]:
        """The roles that a caller has: one that needs a second factor is nothing without it."""
        return [role for role in roles if has_second_factor or role not in self.second_factor_roles]

    def close(self) -> None:
        self.passwords.close()


class Accounts(SessionAccounts):
    """The same where the service signs tokens of its own."""

    def __init__(
        self,
        *,
        issuer: TokenIssuer,
        passwords: Passwords,
        codes: Codes,
        guesses: Guesses,
        refresh: RefreshTokens,
        cipher: Cipher,
        session_ttl_s: float,
        totp: Totp | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(
            passwords=passwords,
            codes=codes,
            guesses=guesses,
            cipher=cipher,
            session_ttl_s=session_ttl_s,
            second_factor_roles=issuer.rules.second_factor_roles,
            totp=totp,
            now=now,
        )
        self.issuer, self.refresh = issuer, refresh


class CookieAuthenticator(SessionAuthenticator):
    """Believes the cookies of the sessions of a table.

    `see` finds by the digest of a cookie the session that holds: its id, its account_id, expires_at, whether its
    is_stale, and where there are any roles and has_second_factor. `touch` notes that it was used: when it is stale,
    not with each request."""

    def __init__(
        self, accounts: SessionAccounts, database: ReadsAndWrites, *, see: str, touch: str, prefix: str = ""
    ) -> None:
        super().__init__(self._found, origins=accounts.origins)
        self._accounts, self._database = accounts, database
        self._see, self._touch, self._prefix = see, touch, prefix

    async def _found(self, digest: bytes) -> Caller | None:
        row = await self._database.fetchrow(Deadline.after(SEEING_S), self._see, digest)
        if row is None:
            return None
        found = dict(row)
        if found["is_stale"]:
            await self._database.execute(Deadline.after(SEEING_S), self._touch, found["id"])
        has_second_factor = bool(found.get("has_second_factor"))
        return Caller(
            subject=identifier_text(found["account_id"], self._prefix),
            tenant=found.get("tenant", ""),
            roles=frozenset(self._accounts.allowed(found.get("roles") or [], has_second_factor=has_second_factor)),
            session=str(found["id"]),
            has_second_factor=has_second_factor,
            expires_at_s=found["expires_at"].timestamp(),
        )


class AccountAuthenticator:
    """Believes the tokens that this service issued, as long as their session holds: what is revoked here ends at once.

    `see` is a statement that finds the account of a session by its id, and its tenant where there are any. The subject
    of a token is the account as callers know it: `acc_…`, with the prefix."""

    def __init__(self, issuer: TokenIssuer, database: Reads, *, see: str, prefix: str = "") -> None:
        self._tokens = issuer.authenticator()
        self._database, self._see, self._prefix = database, see, prefix

    async def authenticate(self, headers: Headers, *, address: str) -> Caller:
        caller = await self._tokens.authenticate(headers, address=address)
        if not caller.subject:
            return caller
        account, session = identifier(caller.subject, self._prefix), identifier(caller.session)
        if account is None or session is None:
            raise Problem("unauthorized")
        row = await self._database.fetchrow(Deadline.after(SEEING_S), self._see, session)
        if row is None or row[0] != account:
            raise Problem("unauthorized")
        return msgspec.structs.replace(caller, tenant=row[1]) if len(row) > 1 else caller

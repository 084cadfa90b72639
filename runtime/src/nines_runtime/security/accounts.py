"""People who sign in here: what a service that keeps their accounts needs beside its own statements.

accounts = Accounts(
    issuer=issuer, passwords=Passwords(), codes=Codes(code_key), guesses=Guesses(code_key),
    refresh=RefreshTokens(ttl_s), totp=Totp(), cipher=Cipher.parse(field_keys), session_ttl_s=ttl_s,
)"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from nines_runtime.calls.deadline import Deadline
from nines_runtime.security.codes import Codes
from nines_runtime.security.encryption import Cipher
from nines_runtime.security.guessing import Guesses
from nines_runtime.security.issuing import TokenIssuer
from nines_runtime.security.passwords import Passwords
from nines_runtime.security.refresh import RefreshTokens
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


class Accounts:
    """One for the whole process."""

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
        self.issuer, self.passwords, self.codes, self.guesses = issuer, passwords, codes, guesses
        self.refresh, self.cipher, self.totp = refresh, cipher, totp or Totp()
        self.session_ttl = timedelta(seconds=session_ttl_s)
        self.now = now

    def allowed(self, roles: list[str], *, has_second_factor: bool) -> list[str]:
        """The roles that a token tells of: one that needs a second factor is nothing without it."""
        needing = self.issuer.rules.second_factor_roles
        return [role for role in roles if has_second_factor or role not in needing]

    def close(self) -> None:
        self.passwords.close()


class AccountAuthenticator:
    """Believes the tokens that this service issued, as long as their session holds: what is revoked here ends at once.

    `see` is a statement that finds the account of a session by its id. The subject of a token is the account as callers
    know it: `acc_…`, with the prefix."""

    def __init__(self, issuer: TokenIssuer, database: Reads, *, see: str, prefix: str = "") -> None:
        self._tokens = issuer.authenticator()
        self._database, self._see, self._prefix = database, see, prefix

    async def authenticate(self, headers: Headers, *, address: str) -> Caller:
        caller = await self._tokens.authenticate(headers, address=address)
        if not caller.subject:
            return caller
        account, session = identifier(caller.subject, self._prefix), identifier(caller.session)
        if account is None or session is None or not await self._holds(account, session):
            raise Problem("unauthorized")
        return caller

    async def _holds(self, account: UUID, session: UUID) -> bool:
        row = await self._database.fetchrow(Deadline.after(SEEING_S), self._see, session)
        return row is not None and row[0] == account

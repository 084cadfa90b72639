"""Passwords and access tokens."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias, get_args

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from payments.ids import new_id
from payments.problems import unauthorized, unavailable
from payments.settings import Settings

Role: TypeAlias = Literal["customer", "merchant", "support", "admin"]
ALGORITHM = "HS256"
"""Pinned: what a token says about its own algorithm is never believed."""
HASHERS = 2
HASHES_WAITING_MAX = 64


class Passwords:
    """argon2id as OWASP recommends it (19 MiB, 2 passes), beside the event loop, and only a few at a time."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        self._threads = ThreadPoolExecutor(HASHERS, thread_name_prefix="argon2")
        self._waiting = 0
        self._nobody = self._hasher.hash(new_id("nobody"))

    async def hash(self, password: str) -> str:
        return str(await self._work(self._hasher.hash, password))

    async def matches(self, password: str, stored: str | None) -> bool:
        """Takes as long for somebody who does not exist, so that nobody learns who does."""
        return bool(await self._work(self._verify, stored or self._nobody, password)) and stored is not None

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _work(self, function: object, *arguments: str) -> object:
        if self._waiting >= HASHES_WAITING_MAX:
            raise unavailable("Too many logins at once.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)  # type: ignore[arg-type]
        finally:
            self._waiting -= 1


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking."""

    id: str
    role: Role

    @property
    def sees_all(self) -> bool:
        return self.role in ("support", "admin")

    @property
    def party_id(self) -> str | None:
        """For predicates: whose objects may be seen; None for everybody's."""
        return None if self.sees_all else self.id


class Tokens:
    """Short-lived access tokens."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def issue(self, principal: Principal) -> str:
        now = datetime.now(UTC)
        claims = {
            "sub": principal.id,
            "role": principal.role,
            "iss": self._settings.jwt_issuer,
            "aud": self._settings.jwt_audience,
            "iat": now,
            "exp": now + timedelta(seconds=self._settings.jwt_ttl_s),
            "jti": new_id("tok"),
        }
        return jwt.encode(claims, self._settings.jwt_secret, algorithm=ALGORITHM)

    def read(self, token: str) -> Principal:
        """Raises a 401 problem that does not say what exactly is wrong."""
        try:
            claims = jwt.decode(
                token,
                self._settings.jwt_secret,
                algorithms=[ALGORITHM],
                audience=self._settings.jwt_audience,
                issuer=self._settings.jwt_issuer,
                options={"require": ["sub", "role", "iss", "aud", "iat", "exp"]},
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise unauthorized("The access token is not valid.") from error
        subject, role = claims["sub"], claims["role"]
        if not isinstance(subject, str) or role not in get_args(Role):
            raise unauthorized("The access token is not valid.")
        return Principal(subject, role)

"""A token of another issuer for this service itself: the client credentials grant, from the client's side."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import msgspec

from nines_runtime.calls.client import Client
from nines_runtime.calls.credential import Credential
from nines_runtime.calls.deadline import Deadline

EARLY_SHARE = 0.2
"""So much before its end a token is replaced, so that none ends on its way."""
FETCH_S = 5.0
TTL_S = 300.0
"""Where the issuer does not tell how long a token lives."""


class _Answer(msgspec.Struct):
    access_token: str
    expires_in: float = TTL_S


class ClientCredentials:
    """Goes to a Client as its `credential`; many that wait fetch once.

    `issuer` is a Client with the id and the secret as its credential: `Credential(basic, scheme="Basic")`."""

    def __init__(
        self, issuer: Client, path: str, *, scope: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuer = issuer
        self._path = path
        self._form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        self._clock = clock
        self._held: Credential | None = None
        self._until_s = 0.0
        self._lock = asyncio.Lock()

    def __repr__(self) -> str:
        return "ClientCredentials([redacted])"

    async def __call__(self) -> Credential:
        """Raises Declined or Unanswered, as the issuer does."""
        if self._held is not None and self._clock() < self._until_s:
            return self._held
        async with self._lock:
            if self._held is None or self._clock() >= self._until_s:
                await self._fetch()
            assert self._held is not None
            return self._held

    def refused(self) -> None:
        """Whoever was shown the token did not accept it: the next call fetches another."""
        self._until_s = 0.0

    async def _fetch(self) -> None:
        # The grant may be asked for as often as one likes: each token is as good as the other.
        reply = await self._issuer.request(
            Deadline.after(FETCH_S), "POST", self._path, verb="token", form=self._form, is_idempotent=True
        )
        answer = reply.decode(_Answer)
        self._held = Credential(answer.access_token)
        self._until_s = self._clock() + max(0.0, answer.expires_in) * (1 - EARLY_SHARE)

"""Who asks, by the token in Authorization."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nines_runtime.security.tokens import TokenRefused, Verifier
from nines_runtime.web.caller import ANONYMOUS, Authenticator, Caller, Headers
from nines_runtime.web.problem import Problem

IsRevoked = Callable[[Caller], Awaitable[bool]]
"""Asked for each request whose token holds; keeps what it knows, for it stands on the hot path."""


def bearer(headers: Headers) -> str | None:
    """The token of Authorization (RFC 6750, 2.1); None without the header. Raises Problem("unauthorized") for another
    scheme."""
    given = headers.get("authorization")
    if given is None:
        return None
    scheme, _, token = given.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Problem("unauthorized")
    return token.strip(" ")


class TokenAuthenticator:
    """Believes what a Verifier believes; every refusal looks the same."""

    def __init__(self, verifier: Verifier, *, is_revoked: IsRevoked | None = None) -> None:
        self._verifier = verifier
        self._is_revoked = is_revoked

    async def authenticate(self, headers: Headers, *, address: str) -> Caller:  # noqa: ARG002 -- of the protocol
        token = bearer(headers)
        if token is None:
            return ANONYMOUS
        caller = self._verifier.known(token) or await self._read(token)
        if self._is_revoked is not None and await self._is_revoked(caller):
            raise Problem("unauthorized")
        return caller

    async def _read(self, token: str) -> Caller:
        try:
            return self._verifier.verify(token)
        except TokenRefused as refused:
            raise Problem("unauthorized") from refused


class FirstOf:
    """Several ways to show who one is: the first credential that is there decides, and must hold."""

    def __init__(self, *authenticators: Authenticator) -> None:
        self._authenticators = authenticators

    async def authenticate(self, headers: Headers, *, address: str) -> Caller:
        for each in self._authenticators:
            caller = await each.authenticate(headers, address=address)
            if caller is not ANONYMOUS:
                return caller
        return ANONYMOUS

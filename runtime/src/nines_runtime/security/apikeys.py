"""API keys: `<prefix>_<id>_<secret>`, of which only the digest is kept."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Awaitable, Callable
from hashlib import sha256

import msgspec

from nines_runtime.security.secret import digest_of, is_same
from nines_runtime.web.caller import ANONYMOUS, Caller, Headers
from nines_runtime.web.problem import Problem

CACHE_SIZE = 10_000
FRESH_S = 30.0
"""So long a key that was revoked may still be believed."""
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


class ApiKeyAuthenticator:
    """Reads X-Api-Key; what holds is remembered for a while, in bounded memory."""

    def __init__(
        self,
        find: FindKey,
        *,
        header: str = HEADER,
        fresh_s: float = FRESH_S,
        cache_size: int = CACHE_SIZE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._find = find
        self._header = header.lower()
        self._fresh_s = fresh_s
        self._cache_size = cache_size
        self._clock = clock
        self._known: dict[bytes, tuple[float, Caller]] = {}

    async def authenticate(self, headers: Headers, *, address: str) -> Caller:  # noqa: ARG002 -- of the protocol
        shown = headers.get(self._header)
        if shown is None:
            return ANONYMOUS
        now = self._clock()
        digest = sha256(shown.encode("ascii", "replace")).digest()
        until_s, caller = self._known.get(digest, (0.0, ANONYMOUS))
        if until_s <= now:
            caller = await self._read(shown)
            while len(self._known) >= self._cache_size:
                del self._known[next(iter(self._known))]
            self._known[digest] = (now + self._fresh_s, caller)
        if caller.expires_at_s and caller.expires_at_s <= now:
            raise Problem("unauthorized")
        return caller

    async def _read(self, shown: str) -> Caller:
        form = _FORM.match(shown)
        kept = await self._find(form[2]) if form else None
        if not is_same(digest_of(shown), kept.digest if kept else b"\0" * 32) or kept is None:
            raise Problem("unauthorized")
        return kept.caller

"""Who asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

Headers = Mapping[str, str]
"""Names in lower case."""


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    subject: str = ""
    """Empty: nobody showed who they are."""
    tenant: str = ""
    roles: frozenset[str] = frozenset()
    session: str = ""
    """The session of the token, where this service issued it."""
    has_second_factor: bool = False
    expires_at_s: float = 0.0
    """Unix time."""


class Authenticator(Protocol):
    """Raises Problem("unauthorized") for a credential that does not hold; answers ANONYMOUS where there is none."""

    async def authenticate(self, headers: Headers, *, address: str) -> Caller: ...


ANONYMOUS = Caller()

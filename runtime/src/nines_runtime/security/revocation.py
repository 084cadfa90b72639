"""Sessions that ended before their access tokens do."""

from __future__ import annotations

import time
from collections.abc import Callable

from nines_runtime.web.caller import Caller

SIZE = 100_000


class Revocations:
    """What this process has heard of; fill it from an event, or from the table of sessions every few seconds.

    Kept until the longest-lived token would have expired; when it is full, the oldest go first."""

    def __init__(self, *, ttl_s: float, size: int = SIZE, clock: Callable[[], float] = time.time) -> None:
        self._ttl_s = ttl_s
        self._size = size
        self._clock = clock
        self._ends: dict[str, float] = {}

    def revoke(self, name: str) -> None:
        """A session, or a subject with all of its tokens that are out."""
        self._ends.pop(name, None)
        while len(self._ends) >= self._size:
            del self._ends[next(iter(self._ends))]
        self._ends[name] = self._clock() + self._ttl_s

    async def is_revoked(self, caller: Caller) -> bool:
        """Goes to an authenticator as `is_revoked`."""
        return bool(self._ends) and (self._holds(caller.session) or self._holds(caller.subject))

    def _holds(self, name: str) -> bool:
        ends_s = self._ends.get(name) if name else None
        if ends_s is None:
            return False
        if ends_s > self._clock():
            return True
        del self._ends[name]
        return False

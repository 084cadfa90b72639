"""A bulkhead: one slow dependency never holds more than its part of the service."""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType

from nines_runtime.calls.deadline import Deadline

WAIT_S = 0.1


class BulkheadFull(Exception):  # noqa: N818 -- a state
    """Nothing was begun."""


class Bulkhead:
    """At most `limit` at once; at most `waiting_max` more wait, in their order, each for `wait_s` at the most."""

    def __init__(self, limit: int, *, waiting_max: int | None = None, wait_s: float = WAIT_S) -> None:
        if limit < 1 or wait_s < 0:
            raise ValueError("a bulkhead lets at least one through, and nobody waits for less than no time")
        self.limit = limit
        self.waiting_max = limit if waiting_max is None else waiting_max
        self._wait_s = wait_s
        self._in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def in_flight(self) -> int:
        return self._in_flight

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def enter(self, deadline: Deadline | None = None) -> None:
        """Raises BulkheadFull; whoever entered must leave."""
        if self._in_flight < self.limit:
            self._in_flight += 1
            return
        wait_s = self._wait_s if deadline is None else deadline.within(self._wait_s)
        if wait_s <= 0 or len(self._waiting) >= self.waiting_max:
            raise BulkheadFull
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            async with asyncio.timeout(wait_s):
                await place
        except BaseException as error:
            if place.done() and not place.cancelled():
                # It was given a place in the moment in which it stopped waiting.
                self.leave()
            elif place in self._waiting:
                self._waiting.remove(place)
            if isinstance(error, TimeoutError):
                raise BulkheadFull from None
            raise

    def leave(self) -> None:
        """Hands the place to whoever waits longest."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                return
        self._in_flight -= 1

    async def __aenter__(self) -> None:
        await self.enter()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

"""How much is worked on at once, and for how long: what is too much is refused early, what is too late is cut."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

from nines_runtime.web.problem import Problem

IN_FLIGHT_MAX = 512
FIRST_SHED_AT = 0.75
"""The share of IN_FLIGHT_MAX from which operations that are not critical are refused."""
SWEEP_S = 0.05
"""How often deadlines are looked at: one timer for all requests costs less than one for each."""
RETRY_AFTER_S = 1.0
QUEUE_S_MAX = 0.1
"""How long a request may have waited for the processor before anybody looked at it."""
QUEUE_MEMORY = 256
"""Over so many requests the wait is averaged."""
QUEUE_OVER_S = 0.5
"""How long the average must have been above half of QUEUE_S_MAX before any is refused: what a pause of the process has
left over is worked off sooner, and then nobody needs to be refused."""
FULL, NOT_CRITICAL, WAITED = "full", "not critical", "waited"
SHED_REASONS = (FULL, NOT_CRITICAL, WAITED)
TOO_MUCH = "Too much is asked for at once."


class Ticket:
    """One request that is being worked on."""

    __slots__ = ("at_s", "is_late", "task")

    def __init__(self, at_s: float, task: asyncio.Task[object] | None) -> None:
        self.at_s = at_s
        self.task = task
        self.is_late = False


class Gate:
    """Counts what is in flight, sheds what is over the limit, and cancels what passes its deadline."""

    def __init__(
        self,
        *,
        in_flight_max: int = IN_FLIGHT_MAX,
        first_shed_at: float = FIRST_SHED_AT,
        queue_s_max: float = QUEUE_S_MAX,
        clock: Callable[[], float] = monotonic,
        shed: Callable[[str], None] | None = None,
    ) -> None:
        self.in_flight_max = in_flight_max
        self._first_max = max(1, int(in_flight_max * first_shed_at))
        self._clock = clock
        self._shed = shed
        self._queue_s_max = queue_s_max
        self._waited_s = 0.0
        self._over_since_s: float | None = None
        self._tickets: set[Ticket] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._idle: asyncio.Event | None = None

    @property
    def in_flight(self) -> int:
        return len(self._tickets)

    @property
    def is_crowded(self) -> bool:
        """From now on what is not critical is refused."""
        return len(self._tickets) >= self._first_max

    def enter(
        self,
        at_s: float,
        *,
        sheds_first: bool = False,
        waited_s: float = 0.0,
        task: asyncio.Task[object] | None = None,
    ) -> Ticket:
        """`task` is the one that asks, where it is known already. Raises Problem("unavailable") where there is no room,
        or where there is so much to do that this request has waited for too long already: to answer it would only make
        those behind it late as well."""
        tickets = self._tickets
        if len(tickets) >= (self._first_max if sheds_first else self.in_flight_max):
            raise self._refuse(NOT_CRITICAL if sheds_first else FULL)
        if self._is_standing_queue(waited_s) and waited_s > self._queue_s_max:
            raise self._refuse(WAITED)
        ticket = Ticket(at_s, task or asyncio.current_task())
        tickets.add(ticket)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SWEEP_S, self._sweep)
        return ticket

    def _is_standing_queue(self, waited_s: float) -> bool:
        self._waited_s += (waited_s - self._waited_s) / QUEUE_MEMORY
        if self._waited_s <= self._queue_s_max / 2:
            self._over_since_s = None
            return False
        now_s = self._clock()
        if self._over_since_s is None:
            self._over_since_s = now_s
        return now_s - self._over_since_s > QUEUE_OVER_S

    def _refuse(self, reason: str) -> Problem:
        if self._shed is not None:
            self._shed(reason)
        return Problem("unavailable", TOO_MUCH, retry_after_s=RETRY_AFTER_S)

    def leave(self, ticket: Ticket) -> None:
        self._tickets.discard(ticket)
        if self._idle is not None and not self._tickets:
            self._idle.set()

    async def drained(self, limit_s: float) -> bool:
        """Waits until nothing is in flight; False where the limit came first."""
        if not self._tickets:
            return True
        self._idle = asyncio.Event()
        try:
            async with asyncio.timeout(limit_s):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    def cut(self) -> None:
        """Ends what is in flight: its callers are told to ask again."""
        for ticket in self._tickets:
            self._cancel(ticket)

    def _cancel(self, ticket: Ticket) -> None:
        if not ticket.is_late and ticket.task is not None:
            ticket.is_late = True
            ticket.task.cancel()

    def _sweep(self) -> None:
        self._timer = None
        if not self._tickets:
            return
        now_s = self._clock()
        for ticket in self._tickets:
            if ticket.at_s < now_s:
                self._cancel(ticket)
        self._timer = asyncio.get_running_loop().call_later(SWEEP_S, self._sweep)

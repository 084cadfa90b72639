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
FULL, NOT_CRITICAL = "full", "not critical"
SHED_REASONS = (FULL, NOT_CRITICAL)


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
        clock: Callable[[], float] = monotonic,
        shed: Callable[[str], None] | None = None,
    ) -> None:
        self.in_flight_max = in_flight_max
        self._first_max = max(1, int(in_flight_max * first_shed_at))
        self._clock = clock
        self._shed = shed
        self._tickets: set[Ticket] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._idle: asyncio.Event | None = None

    @property
    def in_flight(self) -> int:
        return len(self._tickets)

    def enter(self, at_s: float, *, sheds_first: bool = False) -> Ticket:
        """Raises Problem("unavailable") where there is no room."""
        tickets = self._tickets
        if len(tickets) >= (self._first_max if sheds_first else self.in_flight_max):
            if self._shed is not None:
                self._shed(NOT_CRITICAL if sheds_first else FULL)
            raise Problem("unavailable", "Too much is asked for at once.", retry_after_s=RETRY_AFTER_S)
        ticket = Ticket(at_s, asyncio.current_task())
        tickets.add(ticket)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SWEEP_S, self._sweep)
        return ticket

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

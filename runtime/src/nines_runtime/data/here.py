"""Events that a service takes from its own outbox: the relay hands them to functions of the same process.

    here = Here(lambda: receivers, database, destinations=everywhere(""), deliver=broker.deliver)
    outbox = Outbox(destinations=here.destinations)
    relay = relay_queue(outbox, here.deliver, service="shop")

Each is taken once: the inbox and what the event causes are one transaction. One that fails stays in the outbox, is
tried again by the relay, and is kept there as dead after the receiver's attempts; others get theirs all the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import msgspec

from nines_runtime.calls.deadline import Deadline
from nines_runtime.data.consuming import Handle, Told
from nines_runtime.data.database import Database
from nines_runtime.data.failures import Unavailable
from nines_runtime.data.inbox import Inbox
from nines_runtime.data.outbox import Destinations
from nines_runtime.data.relay import Deliver, Event
from nines_runtime.data.tasks import Away, GiveUp, reason_of

PREFIX = "here:"
"""Of the destinations that are in this process."""
ATTEMPTS_MAX = 5


class Receiver(msgspec.Struct, frozen=True, kw_only=True):
    """Who takes one of the service's own events."""

    name: str
    event: str
    """As the outbox has it, without service and version: "order.placed"."""
    handle: Handle
    attempts_max: int = ATTEMPTS_MAX
    done: Callable[[], None] = lambda: None
    """Called after the commit."""


class Here:
    """`destinations` and `deliver` tell of everybody else; what they are given here is for both."""

    def __init__(
        self,
        receivers: Callable[[], Sequence[Receiver]],
        database: Database,
        *,
        destinations: Destinations,
        deliver: Deliver,
        inbox: Inbox | None = None,
    ) -> None:
        self._receivers, self._database, self._inbox = receivers, database, inbox or Inbox()
        self._others, self._deliver = destinations, deliver

    @cached_property
    def _by_name(self) -> dict[str, Receiver]:
        return {each.name: each for each in self._receivers()}

    def destinations(self, event: str) -> Sequence[str]:
        mine = (f"{PREFIX}{name}" for name, each in self._by_name.items() if each.event == event)
        return (*self._others(event), *mine)

    async def deliver(self, event: Event, deadline: Deadline) -> None:
        if not event.destination.startswith(PREFIX):
            await self._deliver(event, deadline)
            return
        receiver = self._by_name.get(event.destination.removeprefix(PREFIX))
        if receiver is None:
            # An older or a newer version of the service takes it.
            raise Away("Nobody takes it here.")
        try:
            await self._take(receiver, event, deadline)
        except (Away, GiveUp, Unavailable):
            raise
        except Exception as error:
            if event.attempt >= receiver.attempts_max:
                raise GiveUp(reason_of(error)) from error
            raise
        receiver.done()

    async def _take(self, receiver: Receiver, event: Event, deadline: Deadline) -> None:
        told = Told(
            id=str(event.id),
            source=event.source,
            type=event.type,
            subject=event.subject,
            time=event.time,
            data=event.data,
            traceparent=event.trace_parent,
        )
        async with self._database.transaction(deadline) as tx:
            if await self._inbox.is_new(tx, receiver.name, told.id):
                await receiver.handle(tx, told)

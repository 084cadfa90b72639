"""From the outbox to those who want to know: at least once, each attempt later than the one before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from nines_runtime.calls.deadline import Deadline
from nines_runtime.data.outbox import Outbox
from nines_runtime.data.statements import CLAIM_IN_ORDER, OutboxStatements
from nines_runtime.data.tasks import ATTEMPTS_MAX, Queue, Row

RELAY = "relayOutbox"
CONCURRENCY = 16
AT_ONCE = 100
"""To a broker, which takes many at once."""
LEASE_S = 60.0
BROKER_LEASE_S = 15.0
"""What a dead process had claimed is delivered after that long, and so is what comes behind it."""
DELIVER_S_MAX = 10.0
"""For one event; a destination that takes longer is asked again later."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What goes out, once for each destination."""

    id: UUID
    """Tells a repetition."""
    type: str
    """payments.payment.captured.v1; also the topic where a destination has no other name."""
    source: str
    subject: str
    time: datetime
    data: Any
    destination: str
    trace_parent: str = ""
    attempt: int = 1

    def document(self) -> bytes:
        """As a structured CloudEvent 1.0, in JSON."""
        told = {
            "specversion": "1.0",
            "id": str(self.id),
            "source": self.source,
            "type": self.type,
            "subject": self.subject,
            "time": self.time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "datacontenttype": "application/json",
            "data": self.data,
        }
        if self.trace_parent:
            told["traceparent"] = self.trace_parent
        return msgspec.json.encode(told)


Deliver = Callable[[Event, Deadline], Awaitable[None]]
"""Hands an event over; returns when its destination has taken it, raises where that is not sure."""


def relay_queue(
    outbox: Outbox,
    deliver: Deliver,
    *,
    service: str,
    name: str = RELAY,
    attempts_max: int = ATTEMPTS_MAX,
    concurrency: int = 0,
    lease_s: float = 0.0,
    poll_s: float = 1.0,
    suspends: bool = False,
    in_order: bool = False,
    oldest: str = "",
) -> Queue:
    """The job that relays; `service` is the first part of each event's type and its source.

    `suspends` is for a single broker: of several subscribers one that is down must not hold up the others. `in_order`
    is for a broker: no event of an object is taken before the one before it was delivered, by CLAIM_IN_ORDER or by
    the claim of the service's own table."""

    claim = outbox.statements.claim

    async def work(row: Row, deadline: Deadline) -> None:
        await deliver(_event(row, service), deadline.shortened(DELIVER_S_MAX))

    return Queue(
        name=name,
        claim=CLAIM_IN_ORDER if in_order and claim == OutboxStatements().claim else claim,
        work=work,
        retry=outbox.statements.retry,
        retry_marks_dead=True,
        delete=outbox.statements.delete,
        attempts_max=attempts_max,
        concurrency=concurrency or (AT_ONCE if in_order else CONCURRENCY),
        lease_s=lease_s or (BROKER_LEASE_S if in_order else LEASE_S),
        poll_s=poll_s,
        suspends=suspends or in_order,
        is_chained=in_order,
        oldest=oldest,
    )


def _event(row: Row, service: str) -> Event:
    return Event(
        id=row["id"],
        type=f"{service}.{row['event']}.v{row['event_version']}",
        source=f"/{service}",
        subject=row["subject_id"],
        time=row["created_at"],
        data=row["payload"],
        destination=row["destination"],
        trace_parent=row["trace_parent"] or "",
        attempt=row["attempts"],
    )

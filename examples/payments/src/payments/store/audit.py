"""Who did what, append-only, in the same transaction as the deed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from payments.edge.context import current
from payments.ids import new_id
from payments.store.database import Connection


@dataclass(frozen=True, slots=True)
class AuditEvent:
    id: str
    at: datetime
    actor_id: str
    action: str
    object_id: str
    request_id: str


async def record(tx: Connection, actor_id: str, action: str, object_id: str) -> None:
    await tx.execute(
        "INSERT INTO audit_events (id, actor_id, action, object_id, request_id) VALUES ($1, $2, $3, $4, $5)",
        new_id("aud"),
        actor_id,
        action,
        object_id,
        current().request_id,
    )


async def page(tx: Connection, *, object_id: str | None, after: str | None, limit: int) -> Sequence[AuditEvent]:
    """Newest first."""
    rows = await tx.fetch(
        """
        SELECT id, at, actor_id, action, object_id, request_id FROM audit_events
        WHERE ($1::text IS NULL OR object_id = $1) AND ($2::text IS NULL OR id < $2) ORDER BY id DESC LIMIT $3
        """,
        object_id,
        after,
        limit,
    )
    return [AuditEvent(**row) for row in rows]

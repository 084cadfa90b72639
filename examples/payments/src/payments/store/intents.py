"""Intents: what was promised, to be carried out at the provider exactly once, and what was answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from payments.problems import Problem, conflict
from payments.store.database import Connection

RETENTION = "Keys are kept as long as the payment, and never expire."


@dataclass(frozen=True, slots=True)
class Intent:
    id: str
    kind: str
    subject_id: str
    payment_id: str
    refund_id: str | None


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered, or will be: a retry gets the same status and the same bytes."""

    status: int
    body: str
    is_replay: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    count: int
    oldest_s: float


async def claim(tx: Connection, intent: Intent, *, key: str, fingerprint: bytes, lease_s: float) -> Reply | None:
    """Takes the key; returns the stored reply when the same request was answered before.

    Raises 422 when the key was used for another request, 409 while the first one is in flight.
    Until the lease ends the sweep leaves the intent alone."""
    taken = await tx.fetchval(
        """
        INSERT INTO intents (id, subject_id, idempotency_key, fingerprint, kind, payment_id, refund_id, next_attempt_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(secs => $8))
        ON CONFLICT ON CONSTRAINT intents_key DO NOTHING RETURNING id
        """,
        intent.id,
        intent.subject_id,
        key,
        fingerprint,
        intent.kind,
        intent.payment_id,
        intent.refund_id,
        lease_s,
    )
    if taken is not None:
        return None
    row = await tx.fetchrow(
        "SELECT fingerprint, reply_status, reply_body FROM intents WHERE subject_id = $1 AND idempotency_key = $2",
        intent.subject_id,
        key,
    )
    if row["fingerprint"] != fingerprint:
        raise Problem(422, "idempotency-key-reused", "This Idempotency-Key was used for another request.")
    if row["reply_status"] is None:
        raise conflict("request-in-flight", "The first request with this key is in flight.", retry_after_s=1)
    return Reply(row["reply_status"], row["reply_body"], is_replay=True)


async def settle(tx: Connection, id: str, *, status: str) -> bool:
    """Whether it was still open: of several that carry out the same intent, one settles it."""
    settled = await tx.fetchval(
        "UPDATE intents SET status = $2, settled_at = now() WHERE id = $1 AND status = 'pending' RETURNING id",
        id,
        status,
    )
    return settled is not None


async def store_reply(tx: Connection, id: str, reply: Reply) -> Reply:
    """Keeps the first reply that was given, and returns the one that holds."""
    row = await tx.fetchrow(
        """
        UPDATE intents SET reply_status = coalesce(reply_status, $2), reply_body = coalesce(reply_body, $3)
        WHERE id = $1 RETURNING reply_status, reply_body
        """,
        id,
        reply.status,
        reply.body,
    )
    return Reply(row["reply_status"], row["reply_body"])


async def hasten(tx: Connection, id: str) -> None:
    """Gives the intent to the sweep now, since the request that made it has given up."""
    await tx.execute("UPDATE intents SET next_attempt_at = now() WHERE id = $1 AND status = 'pending'", id)


async def take_due(tx: Connection, *, limit: int, backoff_max_s: float) -> Sequence[Intent]:
    """Those that nobody is working on; each waits twice as long before the next attempt."""
    rows = await tx.fetch(
        """
        UPDATE intents SET attempts = attempts + 1,
            next_attempt_at = now() + make_interval(secs => least($2::float8, 2.0 * 2 ^ least(attempts, 16)))
        WHERE id IN (
            SELECT id FROM intents WHERE status = 'pending' AND next_attempt_at <= now()
            ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED
        )
        RETURNING id, kind, subject_id, payment_id, refund_id
        """,
        limit,
        backoff_max_s,
    )
    return [Intent(**row) for row in rows]


async def waiting(tx: Connection) -> Waiting:
    """For the metrics."""
    row = await tx.fetchrow(
        """
        SELECT count(*) AS count, coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS oldest_s
        FROM (SELECT created_at FROM intents WHERE status = 'pending' LIMIT 10000) AS open
        """
    )
    return Waiting(**row)

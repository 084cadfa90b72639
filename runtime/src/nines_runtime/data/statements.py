"""The statements that the runtime sends for itself: these fit schema.sql, those of a built service its own tables.

A service with tenants gives the texts of its own tables, in which the tenant stands before the other columns; every
class that takes statements is told so by `is_tenanted`."""

from __future__ import annotations

import msgspec


class KeyStatements(msgspec.Struct, frozen=True, kw_only=True):
    """Arguments: the key (tenant, subject, operation, key), of `claim` then hash, lease and time to live; of `finish`
    status, body and resource before the key; of `remember` the resource before the key."""

    claim: str = """\
INSERT INTO idempotency_keys (subject, operation, key, request_hash, locked_until, expires_at)
VALUES ($1, $2, $3, $4, now() + $5::interval, now() + $6::interval)
ON CONFLICT (subject, operation, key) DO UPDATE
SET request_hash = EXCLUDED.request_hash, status_code = NULL, body = NULL,
    resource_id = CASE WHEN idempotency_keys.expires_at > now() THEN idempotency_keys.resource_id END,
    locked_until = EXCLUDED.locked_until, expires_at = EXCLUDED.expires_at
WHERE idempotency_keys.expires_at <= now()
   OR (idempotency_keys.status_code IS NULL AND idempotency_keys.locked_until <= now()
       AND idempotency_keys.request_hash = EXCLUDED.request_hash)
RETURNING resource_id"""
    read: str = """\
SELECT request_hash, status_code, body, locked_until, expires_at
FROM idempotency_keys
WHERE subject = $1 AND operation = $2 AND key = $3"""
    finish: str = """\
UPDATE idempotency_keys
SET status_code = $1, body = $2, resource_id = $3
WHERE subject = $4 AND operation = $5 AND key = $6 AND status_code IS NULL"""
    remember: str = """\
UPDATE idempotency_keys
SET resource_id = $1
WHERE subject = $2 AND operation = $3 AND key = $4"""


_CLAIM = """\
WITH due AS (
    SELECT id FROM outbox
    WHERE NOT is_dead AND next_attempt_at <= now(){and_is_first}
    ORDER BY next_attempt_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE outbox
SET attempts = outbox.attempts + 1, next_attempt_at = now() + $2::interval
FROM due
WHERE outbox.id = due.id
RETURNING outbox.id, outbox.event, outbox.event_version, outbox.destination, outbox.subject_id, outbox.payload,
    outbox.trace_parent, outbox.attempts, outbox.created_at"""


class OutboxStatements(msgspec.Struct, frozen=True, kw_only=True):
    """Arguments of `insert`: id, [tenant], event, version, destination, subject's id, payload, trace parent; of
    `claim` how many and the lease; of `delete` the ids; of `retry` error, wait, attempts_max, id, attempt."""

    insert: str = """\
INSERT INTO outbox (id, event, event_version, destination, subject_id, payload, trace_parent)
VALUES ($1, $2, $3, $4, $5, $6, $7)"""
    claim: str = _CLAIM.format(and_is_first="")
    delete: str = "DELETE FROM outbox WHERE id = ANY($1::uuid[])"
    retry: str = """\
UPDATE outbox
SET last_error = $1, next_attempt_at = now() + $2::interval, is_dead = attempts >= $3
WHERE id = $4 AND attempts = $5"""


CLAIM_IN_ORDER = _CLAIM.format(
    and_is_first="""
      AND NOT EXISTS (
          SELECT FROM outbox AS earlier
          WHERE earlier.subject_id = outbox.subject_id AND NOT earlier.is_dead
            AND (earlier.created_at, earlier.id) < (outbox.created_at, outbox.id)
      )"""
)
"""For relay_queue(in_order=True): an event waits until those before it of
the same subject were delivered, or are dead. The lock on its object, held until the commit, makes their order."""


AUDIT_APPEND = """\
INSERT INTO audit_log (id, actor, operation, changes, request_id, chain, sequence, hash)
SELECT $1::uuid, $2::text, $3::text, $4::jsonb, $5::text, $6::text, coalesce(last.sequence, 0) + 1,
       sha256(coalesce(last.hash, ''::bytea) || convert_to(jsonb_build_array($6::text, coalesce(last.sequence, 0) + 1,
           $1::uuid, $2::text, $3::text, $4::jsonb, $5::text)::text, 'UTF8'))
FROM (VALUES (1)) AS one
LEFT JOIN LATERAL (
    SELECT sequence, hash FROM audit_log
    WHERE chain = $6::text
    ORDER BY sequence DESC
    LIMIT 1
) AS last ON true"""
"""Arguments: id, [tenant], actor, operation, changes, request_id, chain."""


class LedgerStatements(msgspec.Struct, frozen=True, kw_only=True):
    """Arguments of `open_account`: id, [tenant], code, currency; of `insert_posting`: id, [tenant], operation,
    subject's id, its version; of `insert_entry`: id, posting, amount, currency, [tenant], what else an entry holds,
    and the codes of the accounts that are debited and credited."""

    open_account: str = """\
INSERT INTO entry_accounts (id, code, currency)
VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING"""
    insert_posting: str = """\
INSERT INTO entry_postings (id, operation, subject_id, subject_version)
VALUES ($1, $2, $3, $4)
ON CONFLICT (subject_id, operation, subject_version) DO NOTHING
RETURNING id"""
    insert_entry: str = """\
INSERT INTO entries (id, posting_id, amount_minor, currency, debit_account_id, credit_account_id)
SELECT $1::uuid, $2::uuid, $3::bigint, $4::text, debit.id, credit.id
FROM entry_accounts AS debit, entry_accounts AS credit
WHERE debit.code = $5 AND debit.currency = $4::text
  AND credit.code = $6 AND credit.currency = $4::text"""


class SagaStatements(msgspec.Struct, frozen=True, kw_only=True):
    """Arguments of `start`: id, [tenant], operation, subject's id, state, lease; of `advance`: state, status, lease,
    id, step; of `end`: status, id; of `claim`: how many and the lease."""

    start: str = """\
INSERT INTO sagas (id, operation, subject_id, state, next_attempt_at)
VALUES ($1, $2, $3, $4, now() + $5::interval)"""
    advance: str = """\
UPDATE sagas
SET step = step + 1, state = $1, status = $2, attempts = 0, next_attempt_at = now() + $3::interval
WHERE id = $4 AND step = $5"""
    end: str = "UPDATE sagas SET status = $1 WHERE id = $2"
    claim: str = """\
WITH due AS (
    SELECT id FROM sagas
    WHERE status IN ('running', 'compensating') AND next_attempt_at <= now()
    ORDER BY next_attempt_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE sagas
SET attempts = sagas.attempts + 1, next_attempt_at = now() + $2::interval
FROM due
WHERE sagas.id = due.id
RETURNING sagas.id, sagas.operation, sagas.subject_id, sagas.step, sagas.status, sagas.state, sagas.attempts"""


TAKE_TURN = """\
INSERT INTO schedules (name, due_at)
VALUES ($1, now() + $2::interval)
ON CONFLICT (name) DO UPDATE
SET due_at = EXCLUDED.due_at
WHERE schedules.due_at <= now()
RETURNING name"""
"""Arguments: name, how often."""

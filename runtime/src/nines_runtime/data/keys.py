"""Idempotency in the database's own transaction: an effect and the answer that tells of it stand or fall together.

async with database.transaction(call.deadline) as tx:
    claim = await keys.claim(tx, call)
    if claim.answer is not None:
        return claim.answer
    ...
    await keys.finish(tx, claim, answer, resource_id)"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Protocol

import asyncpg
import msgspec

from nines_runtime.calls.deadline import Deadline
from nines_runtime.data.database import Connection, Database
from nines_runtime.data.statements import KeyStatements
from nines_runtime.web.answer import REPLAYED, Answer
from nines_runtime.web.problem import Problem

KEY_LENGTH_MAX = 255
LEASE_S = 60.0
"""How long an attempt may stay silent before another takes over."""
TTL_S = 86_400.0
RETRY_AFTER_S = 1.0
READS_MAX = 3
"""How often a key is looked at that goes away while it is."""
_PROBLEM = "application/problem+json"
_JSON = "application/json"
_WRAPPED = b"\x00"
"""What a kept body begins with when more than itself is kept: no JSON does."""


class Asked(Protocol):
    """What of a Call makes it the same request: its key, who asks, and what it says."""

    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def operation(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def body(self) -> bytes: ...
    @property
    def subject(self) -> str: ...
    @property
    def tenant(self) -> str: ...


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A key that is this attempt's to work under; with `answer` it was answered before, and nothing is to be done."""

    key: str = ""
    """Empty: the request has none, and nothing is kept of it."""
    operation: str = ""
    subject: str = ""
    tenant: str = ""
    resource_id: str | None = None
    """What an attempt that died had made, or finished with."""
    answer: Answer | None = None

    def remembered(self, **more: Any) -> dict[str, Any]:
        """Whose key it is, for a jsonb column, so that a job that settles later can finish it; `more` goes along.

        `keys.recalled(row["pending_request"])` is the claim again."""
        return {"key": self.key, "operation": self.operation, "subject": self.subject, "tenant": self.tenant, **more}


class _Kept(msgspec.Struct, array_like=True):
    media_type: str
    headers: list[tuple[bytes, bytes]]
    body: bytes


_pack, _unpack = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(_Kept).decode


class Keys:
    """`statements` are those of the service's own table. `on_replay` is told the operation whose answer was given
    again: idempotency_replays_total."""

    def __init__(
        self,
        statements: KeyStatements | None = None,
        *,
        is_tenanted: bool = False,
        lease_s: float = LEASE_S,
        on_replay: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._statements = statements or KeyStatements()
        self.is_tenanted = is_tenanted
        self._lease = timedelta(seconds=lease_s)
        self.on_replay = on_replay

    async def claim(self, tx: Connection, call: Asked, *, ttl_s: float | None = None) -> Claim:
        """The first statement of the transaction: whoever inserts the key does the work, others get its answer.

        Raises Problem: idempotency-key-in-use while the first attempt is under way, idempotency-key-reused for
        another request under the same key. Without `ttl_s` the key is kept as long as the operation says."""
        key = key_of(call.headers)
        claim = Claim(key=key, operation=call.operation, subject=call.subject, tenant=call.tenant)
        if not key:
            return claim
        digest = request_hash(call.operation, call.path, call.body)
        ttl_s = ttl_of(call) if ttl_s is None else ttl_s
        for _ in range(READS_MAX):
            row = await self._insert(tx, claim, digest, ttl_s)
            if row is not None:
                return msgspec.structs.replace(claim, resource_id=row["resource_id"])
            row = await tx.fetchrow(self._statements.read, *self._named(claim))
            if row is not None:
                return msgspec.structs.replace(claim, answer=self.answered(call.operation, digest, row))
        raise in_use()

    async def finish(self, tx: Connection, claim: Claim, answer: Answer, resource_id: object | None = None) -> None:
        """The last statement of the transaction: keeps the answer under the key. Nothing for a claim without one."""
        if not claim.key:
            return
        resource = None if resource_id is None else str(resource_id)
        await tx.execute(self._statements.finish, answer.status, kept(answer), resource, *self._named(claim))

    async def remember(self, tx: Connection, claim: Claim, resource_id: object) -> None:
        """Which row was made under the key, while others are still asked: whoever takes the key over finds it in
        `claim.resource_id`, and makes no second one."""
        if claim.key:
            await tx.execute(self._statements.remember, str(resource_id), *self._named(claim))

    def recalled(self, remembered: Mapping[str, Any] | None) -> Claim:
        """The claim that a request left behind by `remembered`."""
        found = remembered or {}
        return Claim(**{name: found.get(name, "") for name in ("key", "operation", "subject", "tenant")})

    async def read(self, database: Database, deadline: Deadline, claim: Claim, digest: bytes) -> Answer | None:
        """What was answered to a key that belongs to another attempt; None where it is gone meanwhile."""
        row = await database.fetchrow(deadline, self._statements.read, *self._named(claim))
        return None if row is None else self.answered(claim.operation, digest, row)

    def answered(self, operation: str, digest: bytes, row: Mapping[str, Any]) -> Answer:
        """What a key that belongs to another attempt means to this one."""
        if row["request_hash"] != digest:
            raise Problem("idempotency-key-reused")
        if row["status_code"] is None:
            raise in_use()
        self.on_replay(operation)
        return replayed(row["status_code"], row["body"])

    async def _insert(self, tx: Connection, claim: Claim, digest: bytes, ttl_s: float) -> asyncpg.Record | None:
        ttl = timedelta(seconds=ttl_s)
        try:
            return await tx.fetchrow(self._statements.claim, *self._named(claim), digest, self._lease, ttl)
        except asyncpg.LockNotAvailableError:
            # The first attempt has not committed yet.
            raise in_use() from None

    def _named(self, claim: Claim) -> tuple[str, ...]:
        own = (claim.subject, claim.operation, claim.key)
        return (claim.tenant, *own) if self.is_tenanted else own


def key_of(headers: Mapping[str, str]) -> str:
    """Empty where there is none; raises Problem("invalid-parameter") for one that cannot be kept."""
    key = headers.get("idempotency-key", "")
    if len(key) > KEY_LENGTH_MAX or not key.isprintable():
        detail = f"An Idempotency-Key has at most {KEY_LENGTH_MAX} printable characters."
        raise Problem("invalid-parameter", errors=(("Idempotency-Key", detail),))
    return key


def ttl_of(call: object) -> float:
    """What the guard `key` of its operation says, if it has one."""
    return float(getattr(getattr(call, "key", None), "ttl_s", TTL_S))


def request_hash(operation: str, path: str, body: bytes) -> bytes:
    """SHA-256 over what makes two requests the same; none of the parts can run into the next."""
    digest = hashlib.sha256(f"{operation}\n{len(path)}\n{path}\n".encode())
    digest.update(body)
    return digest.digest()


def kept(answer: Answer) -> bytes:
    """An answer as the column `body` keeps it: its body, with its headers only where it has any."""
    usual = _PROBLEM if answer.status >= 400 else _JSON
    if not answer.headers and answer.media_type == usual and answer.body[:1] != _WRAPPED:
        return answer.body
    return _WRAPPED + _pack(_Kept(answer.media_type, list(answer.headers), answer.body))


def replayed(status: int, body: bytes) -> Answer:
    """The same answer again, and marked as such."""
    if body[:1] == _WRAPPED:
        found = _unpack(body[1:])
        headers = (*found.headers, REPLAYED)
        return Answer(status=status, body=found.body, media_type=found.media_type, headers=headers)
    return Answer(status=status, body=body, media_type=_PROBLEM if status >= 400 else _JSON, headers=(REPLAYED,))


def in_use() -> Problem:
    """The first attempt under this key is still under way."""
    return Problem("idempotency-key-in-use", retry_after_s=RETRY_AFTER_S)

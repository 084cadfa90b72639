"""Group commit with idempotency keys: claim, effect and answer of many requests in one durable statement.

    sending = Accepting(database, keys, SEND_PUSH, operation="sendPush")
    answer = await sending.accept(call, answer=Answer.of(push, status=202), resource_id=push.id, values=(...))

The answer is made before the row is written, so it must not hold what only the database knows; times and identifiers
come from the service. It is kept with the key, and given to nobody before both are durable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol

from nines_runtime.calls.deadline import Deadline
from nines_runtime.data.batch import LANES, ROWS_MAX, WAITING_MAX, Batch
from nines_runtime.data.database import Database
from nines_runtime.data.keys import READS_MAX, TTL_S, Asked, Claim, Keys, in_use, kept, key_of, request_hash
from nines_runtime.web.answer import Answer
from nines_runtime.web.problem import Problem


class Waiting(Asked, Protocol):
    """A Call: what makes it the same request, and how long it waits."""

    @property
    def deadline(self) -> Deadline: ...


class Accepting:
    """One operation that only inserts. `statement` is what `keyed_insert` writes for its table; its values come in the
    order of its columns, without the tenant, which is that of the key."""

    def __init__(
        self,
        database: Database,
        keys: Keys,
        statement: str,
        *,
        operation: str,
        ttl_s: float = TTL_S,
        rows_max: int = ROWS_MAX,
        waiting_max: int = WAITING_MAX,
        lanes: int = LANES,
    ) -> None:
        self._database, self._keys = database, keys
        self._batch = Batch(
            database,
            statement,
            constants=(operation, timedelta(seconds=ttl_s)),
            rows_max=rows_max,
            waiting_max=waiting_max,
            lanes=lanes,
        )

    async def accept(self, call: Waiting, *, answer: Answer, resource_id: object, values: Sequence[Any]) -> Answer:
        """This answer once row and key are durable, or the one that was given before.

        Raises Problem: idempotency-key-missing, -reused or -in-use, and whatever a row of this kind may break."""
        key = key_of(call.headers)
        if not key:
            raise Problem("idempotency-key-missing")
        digest = request_hash(call.operation, call.path, call.body)
        named = (call.tenant, call.subject, key) if self._keys.is_tenanted else (call.subject, key)
        row = (*named, digest, answer.status, kept(answer), str(resource_id), *values)
        for _ in range(READS_MAX):
            if await self._batch.add(call.deadline, row, alone=named) is not None:
                return answer
            claim = Claim(key=key, operation=call.operation, subject=call.subject, tenant=call.tenant)
            found = await self._keys.read(self._database, call.deadline, claim, digest)
            if found is not None:
                return found
        raise in_use()

    async def close(self) -> None:
        await self._batch.close()


def keyed_insert(
    table: str, columns: Mapping[str, str], *, tenant: str = "", keys_table: str = "idempotency_keys"
) -> str:
    """The statement of an `Accepting`: `columns` are those of the table that are given, with their types, the tenant's
    left out; all other columns have a default.

    A key that is known keeps its row away, so nothing happens twice; one that has expired is taken over."""
    own = [tenant] if tenant else []
    key = [*own, "subject", "key"]
    kept_columns = ["request_hash", "status_code", "body", "resource_id"]
    types = [*("text" for _ in key), "bytea", "smallint", "bytea", "text", *columns.values()]
    names = [*(f"key_{name}" for name in [*key, *kept_columns]), *columns]
    arrays = ", ".join(f"${number}::{type}[]" for number, type in enumerate(types, 3))
    same = " AND ".join(f"claimed.{name} = asked.key_{name}" for name in key)
    given = ", ".join(f"asked.key_{name}" for name in [*key, *kept_columns])
    taken = ", ".join(f"{name} = EXCLUDED.{name}" for name in [*kept_columns, "locked_until", "expires_at"])
    return f"""\
WITH asked AS MATERIALIZED (
    SELECT * FROM unnest({arrays})
        WITH ORDINALITY AS asked ({", ".join(names)}, place)
), claimed AS (
    INSERT INTO {keys_table} ({", ".join([*key, *kept_columns])}, operation, locked_until, expires_at)
    SELECT {given}, $1::text, now(), now() + $2::interval
    FROM asked
    ORDER BY {", ".join(f"asked.key_{name}" for name in key)}
    ON CONFLICT ({", ".join([*own, "subject", "operation", "key"])}) DO UPDATE
    SET {taken}
    WHERE {keys_table}.expires_at <= now()
    RETURNING {", ".join(key)}
), accepted AS MATERIALIZED (
    SELECT asked.* FROM asked JOIN claimed ON {same}
), written AS (
    INSERT INTO {table} ({", ".join([*own, *columns])})
    SELECT {", ".join([*(f"key_{name}" for name in own), *columns])} FROM accepted
)
SELECT place FROM accepted"""  # noqa: S608 -- Names of tables and columns, given by the service itself.

"""Events of others, each taken once: the inbox and what an event causes are one transaction.

    source = NatsSource(address_of("nats://bus:4222"), stream="FLEET", subject="fleet.>", name="billing")
    consumer = Consumer("billing", source, database, handle)       # async def handle(tx, told): ...
    consumer.start()
    ...
    await consumer.stop(limit_s=10)

What was taken is acknowledged after the commit, so that a process that dies, a rebalance or an acknowledgement that is
lost brings a repetition, which the inbox drops. Events of one subject are handled one after the other, in the order in
which the broker gives them to this process; those of others meanwhile. An event that fails is tried again at once and a
few times; then it is kept in `dead_events` with its reason, and those behind it go on. While the database is away
nothing counts as an attempt."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, cast

import asyncpg
import msgspec

from nines_runtime.calls.deadline import Deadline
from nines_runtime.calls.tracing import begun
from nines_runtime.data.database import Connection, Database
from nines_runtime.data.failures import Unavailable
from nines_runtime.data.inbox import Inbox
from nines_runtime.data.tasks import GiveUp, NoMetrics, TaskMetrics, reason_of
from nines_runtime.data.waits import doubled

BATCH_MAX = 100
LANES = 8
"""Events of so many subjects at once."""
ATTEMPTS_MAX = 5
HANDLE_S_MAX, WORK_SHARE = 5.0, 0.8
"""For one event, its transaction included."""
WAIT_S = 1.0
"""How long a source is asked for more."""
LAG_EVERY_S = 15.0
ACKNOWLEDGE_S_MAX = 60.0
"""For a whole batch: what is not acknowledged by then comes again, elsewhere perhaps."""
_AGAIN_S, _AGAIN_S_MAX = 0.2, 2.0
_AWAY_S_MAX = 5.0
_NAME_LENGTH_MAX = 255
_logger = logging.getLogger("nines_runtime.events")


class HandlingError(Exception):
    """What handles an event could not reach others, or did not end: told from a database that is away."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A CloudEvent 1.0, structured, in JSON."""

    id: str
    source: str
    type: str
    subject: str = ""
    time: datetime | None = None
    data: Any = None
    traceparent: str = ""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What a source hands out."""

    document: bytes
    token: Any = None
    """What the source acknowledges it by."""


class Source(Protocol):
    async def fetch(self, limit: int, wait_s: float) -> Sequence[Delivery]:
        """The next ones, in their order, none where nothing came; also those that were never acknowledged."""

    async def acknowledge(self, done: Sequence[Delivery]) -> None:
        """They need not come again."""

    async def lag(self) -> int:
        """How many are not acknowledged yet."""

    async def close(self) -> None: ...


Handle = Callable[[Connection, Told], Awaitable[None]]
"""Does what an event causes, within the transaction; raises GiveUp for one that will never do."""

KEEP_DEAD = """\
INSERT INTO dead_events (consumer, source, id, type, subject, document, reason, attempts)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"""


class Consumer:
    """`name` is what its inbox, its metrics and its dead letters are told by; `on_lag` hears how many wait."""

    def __init__(
        self,
        name: str,
        source: Source,
        database: Database,
        handle: Handle,
        *,
        inbox: Inbox | None = None,
        keep_dead: str = KEEP_DEAD,
        attempts_max: int = ATTEMPTS_MAX,
        metrics: TaskMetrics | None = None,
        on_lag: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._name, self._source, self._database, self._handle = name, source, database, handle
        self._inbox, self._keep_dead, self._attempts_max = inbox or Inbox(), keep_dead, attempts_max
        self._metrics: TaskMetrics = metrics or NoMetrics()
        self._on_lag = on_lag
        self._task: asyncio.Task[None] | None = None
        self._stopped = asyncio.Event()

    def start(self) -> None:
        """Begins to work in the running event loop."""
        self._metrics.dead(self._name, 0)
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self, limit_s: float) -> None:
        """What was fetched is handled within the limit; what is cut comes again."""
        self._stopped.set()
        if self._task is not None:
            await asyncio.wait((self._task,), timeout=limit_s)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._source.close()

    async def _run(self) -> None:
        failures, looked_s = 0, 0.0
        # Held until it is acknowledged: a log does not hand it out again by itself.
        batch: Sequence[Delivery] = ()
        while not self._stopped.is_set():
            try:
                if time.monotonic() - looked_s > LAG_EVERY_S:
                    looked_s = time.monotonic()
                    self._on_lag(await self._source.lag())
                batch = batch or await self._source.fetch(BATCH_MAX, WAIT_S)
                if batch:
                    async with asyncio.timeout(WORK_SHARE * ACKNOWLEDGE_S_MAX):
                        await self._handled(batch)
                        await self._source.acknowledge(batch)
                batch = ()
                failures = 0
            except Exception as error:
                failures += 1
                _logger.warning("events could not be taken", extra={"consumer": self._name, "error": reason_of(error)})
                await self._rest(doubled(failures, first_s=_AGAIN_S, longest_s=_AWAY_S_MAX))

    async def _handled(self, batch: Sequence[Delivery]) -> None:
        lanes: list[list[tuple[Delivery, Told | None]]] = [[] for _ in range(LANES)]
        for each in batch:
            told = told_in(each.document)
            lanes[hash(told.subject) % LANES if told else 0].append((each, told))
        async with asyncio.TaskGroup() as group:
            for lane in lanes:
                if lane:
                    group.create_task(self._in_turn(lane))

    async def _in_turn(self, lane: Sequence[tuple[Delivery, Told | None]]) -> None:
        for delivery, told in lane:
            if told is None:
                await self._bury(delivery, None, "no CloudEvent 1.0 in JSON", 1)
            else:
                await self._one(delivery, told)

    async def _one(self, delivery: Delivery, told: Told) -> None:
        attempt = 1
        while True:
            try:
                with begun(self._name):
                    await self._take(told)
                break
            except Unavailable:
                # The database is away: the batch is fetched again when it is back.
                raise
            except Exception as error:
                if isinstance(error, GiveUp) or attempt >= self._attempts_max:
                    cause = error.__cause__ if isinstance(error, HandlingError) and error.__cause__ else error
                    await self._bury(delivery, told, reason_of(cause), attempt)
                    return
                await self._rest(doubled(attempt, first_s=_AGAIN_S, longest_s=_AGAIN_S_MAX))
                attempt += 1
        self._metrics.delay(self._name, "done", _age_s(told))

    async def _take(self, told: Told) -> None:
        async with self._database.transaction(Deadline.after(HANDLE_S_MAX)) as tx:
            if not await self._inbox.is_new(tx, self._key(told), told.id):
                return
            try:
                async with asyncio.timeout(WORK_SHARE * HANDLE_S_MAX):
                    await self._handle(tx, told)
            except OSError as error:
                if cast("asyncpg.Connection", tx).is_closed():
                    raise
                raise HandlingError from error

    async def _bury(self, delivery: Delivery, told: Told | None, reason: str, attempts: int) -> None:
        """Kept as a dead letter and as taken, in one transaction."""
        of = told or Told(id=hashlib.sha256(delivery.document).hexdigest(), source="", type="")
        async with self._database.transaction(Deadline.after(HANDLE_S_MAX)) as tx:
            if not await self._inbox.is_new(tx, self._key(of), of.id):
                return
            parts = (of.source, of.id, of.type, of.subject)
            kept = (each[:_NAME_LENGTH_MAX] for each in parts)
            await tx.execute(self._keep_dead, self._name, *kept, delivery.document, reason, attempts)
        _logger.error("an event is kept as dead", extra={"consumer": self._name, "event_id": of.id, "reason": reason})
        self._metrics.dead(self._name, 1)
        self._metrics.delay(self._name, "dead", _age_s(of))

    def _key(self, told: Told) -> str:
        """Several consumers of one database take the same event, each once."""
        return f"{self._name} {told.source}"[:_NAME_LENGTH_MAX]

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopped.wait()


_decoder = msgspec.json.Decoder(Told)


def told_in(document: bytes) -> Told | None:
    """None for whatever is no event, or has no name of a length that a table keeps."""
    try:
        found = _decoder.decode(document)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return found if found.id and found.source and len(found.id) <= _NAME_LENGTH_MAX else None


def _age_s(told: Told) -> float:
    if told.time is None:
        return 0.0
    at = told.time if told.time.tzinfo else told.time.replace(tzinfo=UTC)
    return max(0.0, (datetime.now(UTC) - at).total_seconds())

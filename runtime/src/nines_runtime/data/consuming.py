"""Events of others, each taken once: the inbox and what an event causes are one transaction.

    source = NatsSource(address_of("nats://bus:4222"), stream="FLEET", subject="fleet.>", name="billing")
    consumer = Consumer("billing", source, database, handle)       # async def handle(tx, told): ...
    consumer.start()
    ...
    await consumer.stop(limit_s=10)

What was taken is acknowledged after the commit, so that a process that dies, a rebalance or an acknowledgement that is
lost brings a repetition, which the inbox drops. Events of one subject are handled one after the other, in the order in
which the broker gives them to this process; those of others meanwhile. An event that fails is tried again at once and a
few times; then it is kept in `dead_events` with its reason, and those behind it go on. Whoever sets its `again_at` has
it taken once more. While the database is away nothing counts as an attempt."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar, cast

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
LAG_EVERY_S, AGAIN_EVERY_S = 15.0, 3.0
"""How often it is looked how many wait, and for dead letters that somebody wants to be taken once more."""
ACKNOWLEDGE_S_MAX = 60.0
"""For a whole batch: what is not acknowledged by then comes again, elsewhere perhaps."""
LENT_S, HOLD_EVERY_S = 6.0, 2.0
"""What nobody holds for so long comes again: a process that died holds nothing."""
_AGAIN_S, _AGAIN_S_MAX = 0.2, 2.0
_AWAY_S_MAX = 5.0
_NAME_LENGTH_MAX = 255
_NO_EVENT = "no CloudEvent 1.0 in JSON"
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

    async def hold(self, under_way: Sequence[Delivery]) -> None:
        """Somebody is still at work on them."""

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
TAKE_DEAD = """\
DELETE FROM dead_events
WHERE ctid = (
    SELECT ctid
    FROM dead_events
    WHERE consumer = $1 AND again_at <= now()
    ORDER BY again_at
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
RETURNING source, id, document, attempts"""
"""The next one that somebody wants to be taken once more."""
LEAVE_DEAD = """\
UPDATE dead_events
SET again_at = NULL, reason = $4, attempts = $5
WHERE consumer = $1 AND source = $2 AND id = $3"""
"""It failed once more, and waits for somebody again."""


class ConsumerStatements(msgspec.Struct, frozen=True, kw_only=True):
    """Texts for the service's own tables."""

    keep_dead: str = KEEP_DEAD
    take_dead: str = TAKE_DEAD
    leave_dead: str = LEAVE_DEAD


class Consumer:
    """`name` is what its inbox, its metrics and its dead letters are told by; `on_lag` hears how many wait.

    Of `types` others are passed over without a transaction; empty: all are taken. `done` is called after a commit."""

    def __init__(
        self,
        name: str,
        source: Source,
        database: Database,
        handle: Handle,
        *,
        inbox: Inbox | None = None,
        statements: ConsumerStatements | None = None,
        types: Collection[str] = (),
        attempts_max: int = ATTEMPTS_MAX,
        metrics: TaskMetrics | None = None,
        on_lag: Callable[[int], None] = lambda _: None,
        done: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self._source, self._database, self._handle = source, database, handle
        self._inbox, self._statements = inbox or Inbox(), statements or ConsumerStatements()
        self._types, self._attempts_max, self._done = frozenset(types), attempts_max, done
        self._metrics: TaskMetrics = metrics or NoMetrics()
        self._on_lag = on_lag
        self._task: asyncio.Task[None] | None = None
        self._stopped = asyncio.Event()

    def start(self) -> None:
        """Begins to work in the running event loop."""
        self._metrics.dead(self.name, 0)
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self, limit_s: float) -> None:
        """What was fetched is handled within the limit; what is cut comes again."""
        self._stopped.set()
        if self._task is not None:
            await asyncio.wait((self._task,), timeout=limit_s)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._source.close()

    async def _run(self) -> None:
        failures, looked_s, again_s, reached_s = 0, 0.0, 0.0, time.monotonic()
        # Held until it is acknowledged: a log does not hand it out again by itself.
        batch: Sequence[Delivery] = ()
        while not self._stopped.is_set():
            try:
                if time.monotonic() - looked_s > LAG_EVERY_S:
                    looked_s = time.monotonic()
                    self._on_lag(await self._source.lag())
                if time.monotonic() - again_s > AGAIN_EVERY_S:
                    again_s = time.monotonic()
                    await self._take_dead()
                batch = batch or await self._source.fetch(BATCH_MAX, WAIT_S)
                reached_s = time.monotonic()
                self._metrics.oldest(self.name, _oldest_s(batch))
                if batch:
                    async with asyncio.timeout(WORK_SHARE * ACKNOWLEDGE_S_MAX):
                        async with self._held(batch):
                            await self._handled(batch)
                        await self._source.acknowledge(batch)
                batch = ()
                failures = 0
            except Exception as error:
                failures += 1
                # Whatever waits at a source that is away has not waited for longer.
                self._metrics.oldest(self.name, max(_oldest_s(batch), time.monotonic() - reached_s))
                _logger.warning("events could not be taken", extra={"consumer": self.name, "error": reason_of(error)})
                await self._rest(doubled(failures, first_s=_AGAIN_S, longest_s=_AWAY_S_MAX))

    @asynccontextmanager
    async def _held(self, batch: Sequence[Delivery]) -> AsyncIterator[None]:
        """Whoever lends them out is told that they are worked on, for as long as they are."""
        holding = asyncio.create_task(self._hold(batch), name=f"{self.name} holds")
        try:
            yield
        finally:
            holding.cancel()
            await asyncio.gather(holding, return_exceptions=True)

    async def _hold(self, batch: Sequence[Delivery]) -> None:
        while True:
            await asyncio.sleep(HOLD_EVERY_S)
            try:
                await self._source.hold(batch)
            except Exception as error:
                # They come again elsewhere perhaps, where the inbox drops what was taken here.
                _logger.info("events could not be held", extra={"consumer": self.name, "error": reason_of(error)})

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
            if told is not None and self._types and told.type not in self._types:
                continue
            if told is None:
                await self._bury(delivery, None, _NO_EVENT, 1)
            else:
                await self._one(delivery, told)

    async def _one(self, delivery: Delivery, told: Told) -> None:
        attempt = 1
        while True:
            try:
                with begun(self.name):
                    await self._take(told)
                break
            except Unavailable:
                # The database is away: the batch is fetched again when it is back.
                raise
            except Exception as error:
                if isinstance(error, GiveUp) or attempt >= self._attempts_max:
                    await self._bury(delivery, told, reason_of(_cause(error)), attempt)
                    return
                await self._rest(doubled(attempt, first_s=_AGAIN_S, longest_s=_AGAIN_S_MAX))
                attempt += 1
        self._done()
        self._metrics.delay(self.name, "done", _age_s(told))

    async def _take(self, told: Told) -> None:
        async with self._database.transaction(Deadline.after(HANDLE_S_MAX)) as tx:
            if await self._inbox.is_new(tx, self._key(told), told.id):
                await self._handle_within(tx, told)

    async def _handle_within(self, tx: Connection, told: Told) -> None:
        try:
            async with asyncio.timeout(WORK_SHARE * HANDLE_S_MAX):
                await self._handle(tx, told)
        except OSError as error:
            if cast("asyncpg.Connection", tx).is_closed():
                raise
            raise HandlingError from error

    async def _take_dead(self) -> None:
        """Those that somebody wants to be taken once more, each in the transaction in which it stops being dead."""
        for _ in range(BATCH_MAX):
            row: Any = None
            try:
                async with self._database.transaction(Deadline.after(HANDLE_S_MAX)) as tx:
                    row = await tx.fetchrow(self._statements.take_dead, self.name)
                    if row is None:
                        return
                    told = told_in(row["document"])
                    if told is None:
                        raise GiveUp(_NO_EVENT)
                    await self._handle_within(tx, told)
            except Unavailable:
                raise
            except Exception as error:
                if row is None:
                    raise
                kept = (self.name, row["source"], row["id"], reason_of(_cause(error)), row["attempts"] + 1)
                await self._database.execute(Deadline.after(HANDLE_S_MAX), self._statements.leave_dead, *kept)
                continue
            self._done()

    async def _bury(self, delivery: Delivery, told: Told | None, reason: str, attempts: int) -> None:
        """Kept as a dead letter and as taken, in one transaction."""
        of = told or Told(id=hashlib.sha256(delivery.document).hexdigest(), source="", type="")
        async with self._database.transaction(Deadline.after(HANDLE_S_MAX)) as tx:
            if not await self._inbox.is_new(tx, self._key(of), of.id):
                return
            parts = (of.source, of.id, of.type, of.subject)
            kept = (each[:_NAME_LENGTH_MAX] for each in parts)
            await tx.execute(self._statements.keep_dead, self.name, *kept, delivery.document, reason, attempts)
        _logger.error("an event is kept as dead", extra={"consumer": self.name, "event_id": of.id, "reason": reason})
        self._metrics.dead(self.name, 1)
        self._metrics.delay(self.name, "dead", _age_s(of))

    def _key(self, told: Told) -> str:
        """Several consumers of one database take the same event, each once."""
        return f"{self.name} {told.source}"[:_NAME_LENGTH_MAX]

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


T = TypeVar("T")


def data_of(told: Told, type: type[T]) -> T:
    """What an event carries, as it was expected; raises GiveUp for what is none: trying again mends nothing."""
    try:
        return msgspec.convert(told.data, type)
    except msgspec.ValidationError as error:
        # Where, and never what: the text of others is kept nowhere but in the document.
        where = str(error).rpartition(" - at ")[2] if " - at " in str(error) else ""
        raise GiveUp(f"Its data is not what was expected{f' at {where}' if where else ''}.") from None


def _cause(error: Exception) -> BaseException:
    return error.__cause__ if isinstance(error, HandlingError) and error.__cause__ else error


def _oldest_s(batch: Sequence[Delivery]) -> float:
    """How long the first of a batch has been waiting."""
    told = told_in(batch[0].document) if batch else None
    return _age_s(told) if told else 0.0


def _age_s(told: Told) -> float:
    if told.time is None:
        return 0.0
    at = told.time if told.time.tzinfo else told.time.replace(tzinfo=UTC)
    return max(0.0, (datetime.now(UTC) - at).total_seconds())

"""Operations over several modules: local transactions in a row, each with what undoes it, and no step lost.

    PLACING = SagaPlan(operation="placeOrder", steps=(
        RemoteStep(name="reserveStock", do=reserve, undo=release),
        LocalStep(name="confirmOrder", do=confirm, undo=reject, ends=True),
    ))
    async with database.transaction(deadline) as tx:
        saga = await sagas.start(tx, call, "placeOrder", order_id, {"lines": 2})
    await sagas.run(saga, deadline)          # and the job of sagas.queue() takes up what a dead process left

A step is moved on under a condition that only one of two processes meets. A remote step is asked under `saga.key`, the
same however often it is asked, so that whoever did it before answers as then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from nines_runtime.calls.deadline import Deadline
from nines_runtime.data.database import Connection, Database
from nines_runtime.data.identifiers import new_id
from nines_runtime.data.origin import Origin, Task
from nines_runtime.data.statements import SagaStatements
from nines_runtime.data.tasks import GiveUp, Queue, Row
from nines_runtime.web.problem import Problem

CONTINUE = "continueSagas"
ADVANCES_MAX = 10
"""How often a step is tried before the saga turns back, and its undoing before a person is called."""
LEASE_S = 60.0
CLAIMED_MAX = 20
RUNNING, COMPENSATING, FINISHED, COMPENSATED, STUCK = "running", "compensating", "finished", "compensated", "stuck"


class Overtaken(Problem):
    """Another process has moved this saga on, and goes on with it."""

    def __init__(self) -> None:
        super().__init__("operation-pending", retry_after_s=1.0)


class _State(msgspec.Struct, kw_only=True):
    arguments: dict[str, Any]
    results: dict[str, Any] = {}
    undo: list[str] = []
    """What is still to be undone, the next first."""
    tenant: str = ""
    subject: str = ""
    request_id: str = ""
    trace_parent: str = ""
    reason: str = ""
    """Why it turned back: the code of a problem, or the class of an error."""


class Saga(msgspec.Struct, frozen=True, kw_only=True):
    """How far one has come."""

    id: UUID
    operation: str
    subject_id: str
    step: int = 0
    status: str = RUNNING
    state: _State

    @property
    def arguments(self) -> Mapping[str, Any]:
        return self.state.arguments

    @property
    def results(self) -> Mapping[str, Any]:
        """What each step returned, by its name."""
        return self.state.results

    @property
    def origin(self) -> Task:
        """Whoever asked for it, for the audit trail and for events."""
        state = self.state
        return Task(
            operation=self.operation,
            tenant=state.tenant,
            subject=state.subject,
            request_id=state.request_id,
            trace_parent=state.trace_parent,
        )

    def key(self, step: str, *, is_undo: bool = False) -> str:
        """The idempotency key under which others are asked for a step."""
        return f"{self.id.hex}-{step}-undo" if is_undo else f"{self.id.hex}-{step}"


class LocalStep(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction of this database: done and noted at once. Raises GiveUp or a Problem where it is refused."""

    name: str
    do: Callable[[Connection, Saga], Awaitable[Any]]
    undo: Callable[[Connection, Saga], Awaitable[Any]] | None = None
    ends: bool = False
    """Undone even where it was never done, for that ends the object of a saga that failed before."""


class RemoteStep(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody else is asked, outside of any transaction, under saga.key(name). Declined means refused for good, any
    other error that nobody knows."""

    name: str
    do: Callable[[Saga, Deadline], Awaitable[Any]]
    undo: Callable[[Saga, Deadline], Awaitable[Any]] | None = None


Step = LocalStep | RemoteStep
Ending = Callable[[Connection, Saga], Awaitable[Any]]


class SagaPlan(msgspec.Struct, frozen=True, kw_only=True):
    """`finished` and `compensated` run in the transaction that ends the saga: events, ledger, the answer to the key."""

    operation: str
    steps: tuple[Step, ...]
    finished: Ending | None = None
    compensated: Ending | None = None


class Sagas:
    """`statements` are those of the service's own table."""

    def __init__(
        self,
        database: Database,
        plans: Sequence[SagaPlan],
        statements: SagaStatements | None = None,
        *,
        is_tenanted: bool = False,
        lease_s: float = LEASE_S,
    ) -> None:
        self._database = database
        self._plans = {each.operation: each for each in plans}
        self._statements = statements or SagaStatements()
        self._is_tenanted, self._lease_s = is_tenanted, lease_s

    async def start(
        self,
        tx: Connection,
        origin: Origin,
        operation: str,
        subject_id: object,
        arguments: Mapping[str, Any],
        *,
        is_left: bool = False,
    ) -> Saga:
        """Written with the first change: from its commit on the saga is finished or undone, whatever dies.

        `is_left`: nobody runs it here, so that the job takes it up as soon as it is woken."""
        state = _State(
            arguments=dict(arguments),
            tenant=origin.tenant,
            subject=origin.subject,
            request_id=origin.request_id,
            trace_parent=origin.trace_parent,
        )
        saga = Saga(id=new_id(), operation=operation, subject_id=str(subject_id), state=state)
        tenants = (origin.tenant,) if self._is_tenanted else ()
        lease = timedelta(seconds=0 if is_left else self._lease_s)
        await tx.execute(self._statements.start, saga.id, *tenants, operation, saga.subject_id, state, lease)
        return saga

    async def run(self, saga: Saga, deadline: Deadline) -> Saga:
        """Goes on to its end, forwards or back. Raises what a step raised whose outcome nobody knows, or Overtaken:
        the saga goes on later, by the job."""
        while saga.status in (RUNNING, COMPENSATING):
            saga = await self._move(saga, deadline)
        return saga

    def queue(self, *, name: str = CONTINUE, poll_s: float = 5.0, oldest: str = "") -> Queue:
        """The job that takes up what has not moved for the time of a lease."""
        return Queue(
            name=name,
            claim=self._statements.claim,
            work=self._carry_on,
            give_up=self._surrender,
            attempts_max=ADVANCES_MAX,
            concurrency=CLAIMED_MAX,
            lease_s=self._lease_s,
            poll_s=poll_s,
            # Sagas ask different others: one who is down must not hold up those who need somebody else.
            suspends=False,
            oldest=oldest,
        )

    async def _move(self, saga: Saga, deadline: Deadline) -> Saga:
        plan = self._plans[saga.operation]
        if saga.status == COMPENSATING:
            return await self._back(plan, saga, deadline)
        if saga.step >= len(plan.steps):
            return await self._end(saga, deadline, FINISHED, plan.finished)
        try:
            return await self._forward(plan.steps[saga.step], saga, deadline)
        except Exception as error:
            if not _is_refusal(error):
                raise
            return await self._turn(plan, saga, deadline, saga.step, _said(error))

    async def _forward(self, step: Step, saga: Saga, deadline: Deadline) -> Saga:
        if isinstance(step, LocalStep):
            async with self._database.transaction(deadline) as tx:
                result = await step.do(tx, saga)
                return await self._advance(tx, saga, _with(saga, step.name, result), RUNNING)
        result = await step.do(saga, deadline)
        async with self._database.transaction(deadline) as tx:
            return await self._advance(tx, saga, _with(saga, step.name, result), RUNNING)

    async def _turn(self, plan: SagaPlan, saga: Saga, deadline: Deadline, done: int, reason: str) -> Saga:
        """What was done is undone, the last first; then whatever ends the saga's own object."""
        back = [each.name for each in reversed(plan.steps[:done]) if each.undo is not None]
        back += [each.name for each in plan.steps[done:] if isinstance(each, LocalStep) and each.ends and each.undo]
        state = msgspec.structs.replace(saga.state, undo=back, reason=reason)
        async with self._database.transaction(deadline) as tx:
            return await self._advance(tx, saga, state, COMPENSATING)

    async def _back(self, plan: SagaPlan, saga: Saga, deadline: Deadline) -> Saga:
        if not saga.state.undo:
            return await self._end(saga, deadline, COMPENSATED, plan.compensated)
        name, *left = saga.state.undo
        step = next(each for each in plan.steps if each.name == name)
        state = msgspec.structs.replace(saga.state, undo=left)
        if isinstance(step, LocalStep) and step.undo is not None:
            try:
                async with self._database.transaction(deadline) as tx:
                    await step.undo(tx, saga)
                    return await self._advance(tx, saga, state, COMPENSATING)
            except Exception as error:
                if name in saga.results or not _is_refusal(error):
                    raise
                # It was never done, and its object has ended in another way meanwhile: nothing is left to end.
        elif isinstance(step, RemoteStep) and step.undo is not None:
            await step.undo(saga, deadline)
        async with self._database.transaction(deadline) as tx:
            return await self._advance(tx, saga, state, COMPENSATING)

    async def _end(self, saga: Saga, deadline: Deadline, status: str, ending: Ending | None) -> Saga:
        async with self._database.transaction(deadline) as tx:
            # Moved on first: of two processes that both come to the end one waits here, and then stops.
            saga = await self._advance(tx, saga, saga.state, status)
            if ending is not None:
                await ending(tx, saga)
            await tx.execute(self._statements.end, status, saga.id)
        return saga

    async def _advance(self, tx: Connection, saga: Saga, state: _State, status: str) -> Saga:
        lease = timedelta(seconds=self._lease_s)
        ended = await tx.execute(self._statements.advance, state, status, lease, saga.id, saga.step)
        if ended != "UPDATE 1":
            raise Overtaken
        return msgspec.structs.replace(saga, state=state, status=status, step=saga.step + 1)

    async def _carry_on(self, row: Row, deadline: Deadline) -> None:
        saga = _of(row)
        try:
            await self.run(saga, deadline)
        except Overtaken:
            return
        except Exception as error:
            if row["attempts"] < ADVANCES_MAX or saga.status != RUNNING:
                raise
            # Nobody knows whether the step was done: it is undone as well.
            plan = self._plans[saga.operation]
            await self.run(await self._turn(plan, saga, deadline, saga.step + 1, _said(error)), deadline)

    async def _surrender(self, row: Row, deadline: Deadline) -> None:
        """A compensation that failed to the last: a person is called."""
        saga = _of(row)
        if saga.status != COMPENSATING:
            return
        async with self._database.transaction(deadline) as tx:
            await self._advance(tx, saga, saga.state, STUCK)
            await tx.execute(self._statements.end, STUCK, saga.id)


def _of(row: Row) -> Saga:
    return Saga(
        id=row["id"],
        operation=row["operation"],
        subject_id=row["subject_id"] or "",
        step=row["step"],
        status=row["status"],
        state=msgspec.convert(row["state"], _State),
    )


def _with(saga: Saga, step: str, result: Any) -> _State:
    return msgspec.structs.replace(saga.state, results={**saga.state.results, step: result})


def _is_refusal(error: Exception) -> bool:
    """Whether it is refused for good: nothing was done, and asking again changes nothing."""
    if isinstance(error, Overtaken):
        return False
    return isinstance(error, GiveUp) or (
        isinstance(error, Problem) and error.code not in ("unavailable", "rate-limited")
    )


def _said(error: Exception) -> str:
    return error.code if isinstance(error, Problem) else type(error).__name__
